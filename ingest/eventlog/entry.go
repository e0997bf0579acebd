package eventlog

import (
	"encoding/binary"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

// Entry is some records that were appended together, atomically.
type Entry struct {
	// First is the offset of the first record; Append sets it.
	First event.Offset
	Meta  Meta
	// Times are the records' timestamps in milliseconds since 1970.
	Times []int64
	// Values are the records' bodies, one per timestamp; nil is a record without one.
	Values [][]byte
	// Columns is set instead of Values where the rows are logged as typed values.
	Columns *Columns
	// Idle is set instead of Values in an entry that is an idle marker: a batch with one control record, which takes an offset and is
	// no row. Times then has when it was written.
	Idle *Idle
	// Producer is set when the records are a batch of a producer that counts its batches.
	Producer *Producer
	// Bytes is the size of the entry in the log, frame headers aside. Append and Read set it.
	Bytes int
}

// Producer is what a producer that counts its batches says of one, as in Kafka.
type Producer struct {
	// ID names the producer. A new life of it has a greater epoch.
	ID    int64
	Epoch int16
	// Sequence is the number of the batch's first record.
	Sequence int32
}

// Idle is the content of an idle marker.
type Idle struct {
	// Watermark is what the partition's watermark rises to, in microseconds since 1970.
	Watermark int64
}

// maxRecords is the limit of records in an entry. Far more than fit into a frame, but it bounds what a decoder allocates.
const maxRecords = 1 << 24

// Rows is how many rows the entry has: none if it is an idle marker.
func (e *Entry) Rows() int {
	if e.Idle != nil {
		return 0
	}
	return len(e.Times)
}

// End is the offset after the last record.
func (e *Entry) End() event.Offset { return e.First + event.Offset(len(e.Times)) }

func (e *Entry) check() error {
	switch {
	case e.Idle != nil && (len(e.Times) != 1 || len(e.Values) != 0):
		return event.Errorf(event.CodeInternal, "an idle marker has %d timestamps and %d values", len(e.Times), len(e.Values))
	case e.Idle != nil:
		return nil
	case len(e.Times) > maxRecords:
		return event.Errorf(event.CodeTooLarge, "an entry of %d records is beyond the limit of %d", len(e.Times), maxRecords)
	case e.Columns != nil:
		return e.checkColumns()
	case len(e.Times) != len(e.Values):
		return event.Errorf(event.CodeInternal, "an entry has %d values and %d timestamps", len(e.Values), len(e.Times))
	case len(e.Values) == 0:
		return event.Errorf(event.CodeInternal, "an entry has no records")
	}
	if err := e.Meta.check(); err != nil {
		return err
	}
	// Checked for all entries before the first is written, so that a refusal leaves no part of its group in the log.
	size := 2 + e.Meta.size() + batchHeader
	for _, v := range e.Values {
		size += len(v) + recordOverhead
	}
	return checkSize(size)
}

func checkSize(size int) error {
	if size > record.MaxBody {
		return event.Errorf(event.CodeTooLarge, "an entry of %d bytes is beyond the limit of %d", size, record.MaxBody)
	}
	return nil
}

// checkColumns is check for an entry of columns. Producers that count their batches send records.
func (e *Entry) checkColumns() error {
	if len(e.Times) == 0 || len(e.Values) > 0 || e.Producer != nil {
		return event.Errorf(event.CodeInternal, "an entry of columns has %d rows and %d values", len(e.Times), len(e.Values))
	}
	if err := e.Meta.check(); err != nil {
		return err
	}
	if err := e.Columns.check(len(e.Times)); err != nil {
		return err
	}
	return checkSize(2 + e.Meta.size() + e.Columns.size(len(e.Times)))
}

// kind is that of the entry's frame.
func (e *Entry) kind() uint8 {
	if e.Columns != nil {
		return frameColumns
	}
	return frameBatch
}

// appendEntry encodes a frame's body: the length of the meta, the meta, and the batch or columns. It gives what it knows of the body's checksum.
func appendEntry(dst []byte, e *Entry) ([]byte, record.Sum) {
	if e.Columns != nil {
		dst = slices.Grow(dst, 2+e.Meta.size()+e.Columns.size(len(e.Times)))
	}
	dst = binary.LittleEndian.AppendUint16(dst, uint16(e.Meta.size()))
	dst = appendMeta(dst, &e.Meta)
	if e.Columns != nil {
		return appendColumns(dst, e), record.Sum{}
	}
	return appendBatch(dst, e)
}

// parseFrame decodes a frame that must begin at offset next. Values alias the frame's body. name is for errors.
func parseFrame(f record.Frame, name string, next event.Offset) (*Entry, error) {
	if f.Kind != frameBatch && f.Kind != frameColumns {
		return nil, event.Errorf(event.CodeNotSupported, "%s holds a frame of kind %d at byte %d, which this program does not know",
			name, f.Kind, f.Offset)
	}
	entry, err := parseEntry(f)
	if err != nil {
		return nil, record.Corrupt(name, f.Offset, "%s", err)
	}
	if entry.First != next {
		return nil, record.Corrupt(name, f.Offset, "offset %d stands where %d belongs", entry.First, next)
	}
	return entry, nil
}

// parseEntry decodes a frame of a kind that parseFrame knows.
func parseEntry(f record.Frame) (*Entry, error) {
	body := f.Body
	if len(body) < 2 {
		return nil, errMeta
	}
	size := int(binary.LittleEndian.Uint16(body))
	if body = body[2:]; size > len(body) {
		return nil, errMeta
	}
	entry := &Entry{Bytes: len(f.Body)}
	if err := parseMeta(body[:size], &entry.Meta); err != nil {
		return nil, err
	}
	if f.Kind == frameColumns {
		return entry, parseColumns(body[size:], entry)
	}
	return entry, parseBatch(body[size:], entry)
}
