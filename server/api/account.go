package api

import (
	"sync"

	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// account is what a body holds of the memory for bodies that are read: buffers, what decompresses it, and its rows until they are taken. Several goroutines
// may use it, but for the chunks.
type account struct {
	ingest *ingest.Engine
	// stream is who the memory is for: "" is one share for all streams that bodies for several of them are for.
	stream string
	// chunks is what was given away and is not taken yet, and before what of it a request with a key holds back.
	chunks, before int64

	mu struct {
		sync.Mutex
		held   int64
		closed bool
	}
}

// hold asks for memory, or gives some back by a negative number. It is what decode.Holding asks.
func (a *account) hold(bytes int64) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.mu.closed {
		return nil
	}
	if err := a.ingest.Hold(a.stream, a.mu.held, a.mu.held+bytes); err != nil {
		return err
	}
	a.mu.held += bytes
	return nil
}

// close gives everything back. It may be called twice.
func (a *account) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.ingest.Hold(a.stream, a.mu.held, 0) // less is never refused
	a.mu.held, a.mu.closed = 0, true
}

// taken says that what was given last has been taken; where it is held back for a request with a key, that what was before it has.
func (a *account) taken(keyed bool) {
	given := a.chunks
	if keyed {
		given, a.before = a.before, a.chunks-a.before
	}
	a.chunks -= given
	_ = a.hold(-given) // less is never refused
}

// give asks for the memory of chunks that are about to be taken.
func (a *account) give(chunks ...*decode.Chunk) error {
	bytes := int64(0)
	for _, c := range chunks {
		bytes += c.Held()
	}
	if err := a.hold(bytes); err != nil {
		return err
	}
	a.chunks += bytes
	return nil
}
