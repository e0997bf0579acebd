package eventlog

import (
	"encoding/binary"
	"errors"
	"time"

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
}

// Meta is what the writer decided about an entry. All times are microseconds since 1970.
type Meta struct {
	// SchemaVersion is the version under which the values were decoded.
	SchemaVersion int32
	// DefinitionVersion is that of the definition whose WATERMARK clause applied.
	DefinitionVersion int32
	// Arrival is when the entry was taken in.
	Arrival int64
	// MaxEventTime is the partition's greatest event time before the entry's first record.
	MaxEventTime    int64
	HasMaxEventTime bool
	// Watermark is the partition's watermark before the entry's first record.
	Watermark    int64
	HasWatermark bool
	// Bound, IdleTimeout and FutureLimit are the WATERMARK clause that applied.
	Bound, IdleTimeout, FutureLimit time.Duration
}

const (
	metaVersion = 1
	metaSize    = 2 + 4 + 4 + 6*8

	flagMaxEventTime = 1 << 0
	flagWatermark    = 1 << 1
)

// maxRecords is the limit of records in an entry. Far more than fit into a frame, but it bounds what a decoder allocates.
const maxRecords = 1 << 24

var errMeta = errors.New("malformed description of the batch")

// end is the offset after the last record.
func (e *Entry) end() event.Offset { return e.First + event.Offset(len(e.Values)) }

func (e *Entry) check() error {
	switch {
	case len(e.Times) != len(e.Values):
		return event.Errorf(event.CodeInternal, "an entry has %d values and %d timestamps", len(e.Values), len(e.Times))
	case len(e.Values) == 0:
		return event.Errorf(event.CodeInternal, "an entry has no records")
	case len(e.Values) > maxRecords:
		return event.Errorf(event.CodeTooLarge, "an entry of %d records is beyond the limit of %d", len(e.Values), maxRecords)
	}
	// Checked for all entries before the first is written, so that a refusal leaves no part of its group in the log.
	size := 2 + metaSize + batchHeader
	for _, v := range e.Values {
		size += len(v) + recordOverhead
	}
	if size > record.MaxBody {
		return event.Errorf(event.CodeTooLarge, "an entry of %d bytes is beyond the limit of %d", size, record.MaxBody)
	}
	return nil
}

// appendEntry encodes a frame's body: the length of the meta, the meta, the batch.
func appendEntry(dst []byte, e *Entry) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, metaSize)
	return appendBatch(appendMeta(dst, &e.Meta), e)
}

func appendMeta(dst []byte, m *Meta) []byte {
	flags := byte(0)
	if m.HasMaxEventTime {
		flags |= flagMaxEventTime
	}
	if m.HasWatermark {
		flags |= flagWatermark
	}
	dst = append(dst, metaVersion, flags)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.SchemaVersion))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.DefinitionVersion))
	for _, v := range [...]int64{
		m.Arrival, m.MaxEventTime, m.Watermark, int64(m.Bound), int64(m.IdleTimeout), int64(m.FutureLimit),
	} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	return dst
}

// parseFrame decodes a frame that must begin at offset next. Values alias the frame's body. name is for errors.
func parseFrame(f record.Frame, name string, next event.Offset) (*Entry, error) {
	if f.Kind != frameBatch {
		return nil, event.Errorf(event.CodeNotSupported, "%s holds a frame of kind %d at byte %d, which this program does not know",
			name, f.Kind, f.Offset)
	}
	entry, err := parseEntry(f.Body)
	if err != nil {
		return nil, record.Corrupt(name, f.Offset, "%s", err)
	}
	if entry.First != next {
		return nil, record.Corrupt(name, f.Offset, "offset %d stands where %d belongs", entry.First, next)
	}
	return entry, nil
}

func parseEntry(body []byte) (*Entry, error) {
	if len(body) < 2 {
		return nil, errMeta
	}
	size := int(binary.LittleEndian.Uint16(body))
	if body = body[2:]; size > len(body) {
		return nil, errMeta
	}
	entry := &Entry{}
	if err := parseMeta(body[:size], &entry.Meta); err != nil {
		return nil, err
	}
	return entry, parseBatch(body[size:], entry)
}

// parseMeta reads the fields of version 1. Later versions only append fields, which are passed over.
func parseMeta(src []byte, m *Meta) error {
	if len(src) < metaSize || src[0] < metaVersion {
		return errMeta
	}
	m.HasMaxEventTime = src[1]&flagMaxEventTime != 0
	m.HasWatermark = src[1]&flagWatermark != 0
	m.SchemaVersion = int32(binary.LittleEndian.Uint32(src[2:]))
	m.DefinitionVersion = int32(binary.LittleEndian.Uint32(src[6:]))
	src = src[10:]
	for i, field := range []*int64{
		&m.Arrival, &m.MaxEventTime, &m.Watermark, (*int64)(&m.Bound), (*int64)(&m.IdleTimeout), (*int64)(&m.FutureLimit),
	} {
		*field = int64(binary.LittleEndian.Uint64(src[8*i:]))
	}
	return nil
}
