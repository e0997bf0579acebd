package eventlog

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"math/bits"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
)

// Places of the fields of a Kafka RecordBatch, version 2; all integers are big-endian. The source is the section "Record Batch"
// of the Kafka documentation.
const (
	atBaseOffset  = 0  // int64
	atLength      = 8  // int32: of everything after itself
	atLeaderEpoch = 12 // int32
	atMagic       = 16 // int8: 2
	atCRC         = 17 // uint32: CRC-32C of everything after itself
	atAttributes  = 21 // int16
	atLastDelta   = 23 // int32: offset of the last record, relative
	atBaseTime    = 27 // int64: milliseconds
	atMaxTime     = 35 // int64
	atProducerID  = 43 // int64
	atEpoch       = 51 // int16
	atSequence    = 53 // int32
	atCount       = 57 // int32
	batchHeader   = 61

	batchMagic = 2
	// recordOverhead is the most that a record takes beside its value: its length 5, attributes 1, time 10, offset 5, no key 1,
	// the length of the value 5, no headers 1.
	recordOverhead = 28
	// attributesMask are the bits that change how the records are to be read in ways that parseBatch does not know: compression and log
	// append time.
	attributesMask = 0x7 | 1<<3
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errRecord  = errors.New("malformed record in the batch")
)

// appendBatch encodes the entry's records uncompressed and with create times. The batch has a checksum of its own, of the bytes behind it.
func appendBatch(dst []byte, e *Entry) ([]byte, record.Sum) {
	start := len(dst)
	size := batchHeader
	for _, v := range e.Values {
		size += len(v) + recordOverhead
	}
	dst = slices.Grow(dst, size)
	dst = append(dst, make([]byte, batchHeader)...)
	base, newest, attributes := e.Times[0], slices.Max(e.Times), uint16(0)
	if e.Idle != nil {
		dst, attributes = appendIdle(dst, e.Idle), controlBit
	}
	for i, v := range e.Values {
		dst = appendRecord(dst, e.Times[i]-base, i, v)
	}
	b := dst[start:]
	binary.BigEndian.PutUint16(b[atAttributes:], attributes)
	binary.BigEndian.PutUint64(b[atBaseOffset:], uint64(e.First))
	binary.BigEndian.PutUint32(b[atLength:], uint32(len(b)-atLeaderEpoch))
	binary.BigEndian.PutUint32(b[atLeaderEpoch:], math.MaxUint32) // -1, as from a producer
	b[atMagic] = batchMagic
	binary.BigEndian.PutUint32(b[atLastDelta:], uint32(len(e.Times)-1))
	binary.BigEndian.PutUint64(b[atBaseTime:], uint64(base))
	binary.BigEndian.PutUint64(b[atMaxTime:], uint64(newest))
	producer := Producer{ID: -1, Epoch: -1, Sequence: -1}
	if e.Producer != nil {
		producer = *e.Producer
	}
	binary.BigEndian.PutUint64(b[atProducerID:], uint64(producer.ID))
	binary.BigEndian.PutUint16(b[atEpoch:], uint16(producer.Epoch))
	binary.BigEndian.PutUint32(b[atSequence:], uint32(producer.Sequence))
	binary.BigEndian.PutUint32(b[atCount:], uint32(len(e.Times)))
	sum := record.Sum{CRC: crc32.Checksum(b[atAttributes:], castagnoli), Bytes: len(b) - atAttributes}
	binary.BigEndian.PutUint32(b[atCRC:], sum.CRC)
	return dst, sum
}

// appendRecord encodes one record: no key, no headers.
func appendRecord(dst []byte, timeDelta int64, offsetDelta int, value []byte) []byte {
	valueSize := int64(len(value))
	if value == nil {
		valueSize = -1
	}
	size := 1 + varintSize(timeDelta) + varintSize(int64(offsetDelta)) + 1 + varintSize(valueSize) + len(value) + 1
	dst = binary.AppendVarint(dst, int64(size))
	dst = append(dst, 0) // attributes
	dst = binary.AppendVarint(dst, timeDelta)
	dst = binary.AppendVarint(dst, int64(offsetDelta))
	dst = binary.AppendVarint(dst, -1) // key
	dst = binary.AppendVarint(dst, valueSize)
	dst = append(dst, value...)
	return append(dst, 0) // headers
}

func varintSize(v int64) int {
	zigzag := uint64(v)<<1 ^ uint64(v>>63)
	return (bits.Len64(zigzag|1) + 6) / 7
}

// parseBatch decodes a batch that takes up all of src. Values alias src. Keys and headers are passed over.
func parseBatch(src []byte, e *Entry) error {
	if len(src) < batchHeader {
		return errors.New("incomplete batch header")
	}
	if src[atMagic] != batchMagic {
		return fmt.Errorf("the batch has magic %d, not %d", src[atMagic], batchMagic)
	}
	if int64(binary.BigEndian.Uint32(src[atLength:])) != int64(len(src)-atLeaderEpoch) {
		return errors.New("the batch has another length than its frame")
	}
	if crc32.Checksum(src[atAttributes:], castagnoli) != binary.BigEndian.Uint32(src[atCRC:]) {
		return errors.New("checksum mismatch in the batch")
	}
	attributes := binary.BigEndian.Uint16(src[atAttributes:])
	if attributes&attributesMask != 0 {
		return fmt.Errorf("the batch has attributes %#x, which cannot be read", attributes)
	}
	count := int64(int32(binary.BigEndian.Uint32(src[atCount:])))
	if count < 1 || count > int64(len(src)-batchHeader)/leastRecord || count > maxRecords {
		return fmt.Errorf("%d records cannot be in a batch of %d bytes", count, len(src))
	}
	if int64(binary.BigEndian.Uint32(src[atLastDelta:])) != count-1 {
		return errors.New("the offsets in the batch have gaps")
	}
	if id := int64(binary.BigEndian.Uint64(src[atProducerID:])); id >= 0 {
		e.Producer = &Producer{
			ID: id, Epoch: int16(binary.BigEndian.Uint16(src[atEpoch:])), Sequence: int32(binary.BigEndian.Uint32(src[atSequence:])),
		}
	}
	e.First = event.Offset(binary.BigEndian.Uint64(src[atBaseOffset:]))
	if e.First < 0 || e.First > math.MaxInt64-event.Offset(count) {
		return fmt.Errorf("a batch cannot begin at offset %d", e.First)
	}
	return parseRecords(src[batchHeader:], int64(binary.BigEndian.Uint64(src[atBaseTime:])), int(count), attributes&controlBit != 0, e)
}

func parseRecords(src []byte, base int64, count int, control bool, e *Entry) error {
	e.Times, e.Values = make([]int64, count), make([][]byte, count)
	r := reader{src: src}
	for i := range count {
		end := r.varint()
		if end < 0 || end > int64(len(r.src)) {
			return errRecord
		}
		one := reader{src: r.src[:end], failed: r.failed}
		r.src = r.src[end:]
		one.skip(1) // attributes
		e.Times[i] = base + one.varint()
		if one.varint() != int64(i) {
			return errors.New("the offsets in the batch have gaps")
		}
		key := one.bytes()
		e.Values[i] = one.bytes()
		for range one.headers() {
			one.bytes()
			one.bytes()
		}
		if one.failed || len(one.src) > 0 {
			return errRecord
		}
		if control && i == 0 {
			idle, err := parseIdle(key, e.Values[0])
			if err != nil || count != 1 {
				return cmp.Or(err, errRecord)
			}
			e.Idle, e.Values = idle, nil
		}
	}
	if len(r.src) > 0 {
		return errors.New("bytes after the last record of the batch")
	}
	return nil
}

// reader takes fields off the front of src. After a failure it gives zeroes.
type reader struct {
	src    []byte
	failed bool
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.src)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.src = r.src[n:]
	return v
}

func (r *reader) skip(n int) {
	if n > len(r.src) {
		r.fail()
		return
	}
	r.src = r.src[n:]
}

// bytes reads a length and as many bytes; a length of -1 is nil.
func (r *reader) bytes() []byte {
	n := r.varint()
	if n == -1 {
		return nil
	}
	if n < 0 || n > int64(len(r.src)) {
		r.fail()
		return nil
	}
	out := r.src[:n:n]
	r.src = r.src[n:]
	return out
}

// headers reads the number of headers, each of which takes two bytes or more.
func (r *reader) headers() int64 {
	n := r.varint()
	if n < 0 || n > int64(len(r.src))/2 {
		r.fail()
		return 0
	}
	return n
}

func (r *reader) fail() { r.src, r.failed = nil, true }
