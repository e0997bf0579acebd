package manifest

import "github.com/tidemarkdb/tidemark/internal/journal"

// DropRecord is the record that makes the manifest forget a stream. It goes into the journal with the record that removes the
// stream's definition. Nothing may be sealing the stream: a commit after it would bring the stream back.
func DropRecord(stream string) (journal.Record, error) {
	return encode(storedEdit{Version: dropVersion, Stream: stream, Dropped: true})
}

// forget takes a stream out. Its segments' ids stay given away.
func (m *Manifest) forget(stream string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.mu.streams, stream)
}
