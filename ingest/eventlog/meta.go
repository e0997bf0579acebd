package eventlog

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

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
	// Request is set when the records came in a request with a key.
	Request *Request
}

// A meta of version 1 has fixed fields. Version 2 has sections behind them: a number, a length, and as many bytes; a reader passes over
// sections that it does not know. What needs no section is written as version 1.
const (
	metaVersion         = 1
	metaSectionsVersion = 2
	metaSize            = 2 + 4 + 4 + 6*8

	flagMaxEventTime = 1 << 0
	flagWatermark    = 1 << 1

	sectionRequest = 1
	sectionHeader  = 1 + 2
)

var errMeta = errors.New("malformed description of the batch")

// size is how many bytes the meta takes when it is encoded.
func (m *Meta) size() int {
	if m.Request == nil {
		return metaSize
	}
	return metaSize + sectionHeader + m.Request.size()
}

func (m *Meta) check() error {
	if m.Request != nil && max(len(m.Request.Held), len(m.Request.Rejected)) > maxHeld {
		return event.Errorf(event.CodeInternal, "an entry notes %d bytes of rows of its request", m.Request.size())
	}
	return nil
}

func appendMeta(dst []byte, m *Meta) []byte {
	flags := byte(0)
	if m.HasMaxEventTime {
		flags |= flagMaxEventTime
	}
	if m.HasWatermark {
		flags |= flagWatermark
	}
	version := byte(metaVersion)
	if m.Request != nil {
		version = metaSectionsVersion
	}
	dst = append(dst, version, flags)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.SchemaVersion))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(m.DefinitionVersion))
	for _, v := range [...]int64{
		m.Arrival, m.MaxEventTime, m.Watermark, int64(m.Bound), int64(m.IdleTimeout), int64(m.FutureLimit),
	} {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(v))
	}
	if m.Request != nil {
		dst = append(dst, sectionRequest)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(m.Request.size()))
		dst = AppendRequest(dst, m.Request)
	}
	return dst
}

// parseMeta reads the fields of version 1 and the sections of version 2. Later versions only append, which is passed over.
func parseMeta(src []byte, m *Meta) error {
	if len(src) < metaSize || src[0] < metaVersion || len(src) > math.MaxUint16 {
		return errMeta
	}
	version := src[0]
	m.HasMaxEventTime = src[1]&flagMaxEventTime != 0
	m.HasWatermark = src[1]&flagWatermark != 0
	m.SchemaVersion = int32(binary.LittleEndian.Uint32(src[2:]))
	m.DefinitionVersion = int32(binary.LittleEndian.Uint32(src[6:]))
	fields, sections := src[10:metaSize], src[metaSize:]
	for i, field := range []*int64{
		&m.Arrival, &m.MaxEventTime, &m.Watermark, (*int64)(&m.Bound), (*int64)(&m.IdleTimeout), (*int64)(&m.FutureLimit),
	} {
		*field = int64(binary.LittleEndian.Uint64(fields[8*i:]))
	}
	if version < metaSectionsVersion {
		return nil
	}
	return parseSections(sections, m)
}

func parseSections(src []byte, m *Meta) error {
	for len(src) > 0 {
		if len(src) < sectionHeader {
			return errMeta
		}
		number, size := src[0], int(binary.LittleEndian.Uint16(src[1:]))
		if src = src[sectionHeader:]; size > len(src) {
			return errMeta
		}
		if number == sectionRequest {
			request, err := ParseRequest(src[:size])
			if err != nil {
				return err
			}
			m.Request = request
		}
		src = src[size:]
	}
	return nil
}
