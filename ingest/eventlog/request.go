package eventlog

import (
	"encoding/binary"
	"math/bits"
)

// RequestKey names a request that its client may repeat, among those to one stream.
type RequestKey [16]byte

// Request says which part of a keyed request the records of an entry are, so that a repetition stores nothing twice. A keyed body is
// cut into chunks by its bytes alone, and each chunk has at most one entry in each partition.
type Request struct {
	Key RequestKey
	// Chunk counts the chunks of the body from 0.
	Chunk uint32
	// Hash is of the chunk's bytes: another body under the same key is told by it.
	Hash [16]byte
	// Lines are the rows that the chunk had, and Accepted those of them that were to be stored, in all partitions: neither rejected nor
	// duplicates.
	Lines, Accepted uint32
	// Last is true when the body was seen to end with this chunk.
	Last bool
	// Rejected has a bit for each of the chunk's rows that was rejected, as Held has for those of the entry. It is nil where that is not known;
	// where it is empty, the rows beyond Accepted are duplicates.
	Rejected []byte
	// Held has a bit for each of the chunk's rows that is in this entry, the first row's lowest in the first byte. It is nil when the
	// entry holds every accepted row of the chunk.
	Held []byte
}

const (
	requestSize = 16 + 4 + 16 + 4 + 4 + 1
	// MaxRows is how many rows a chunk may have whose entry does not hold all of them.
	MaxRows = 8 * maxHeld

	// maxHeld bounds the bitmap, so that a meta's length fits its field: 65,536 rows are far beyond what a chunk has.
	maxHeld = 8 << 10

	flagLast     = 1 << 0
	flagRejected = 1 << 1
)

// HeldRows is how many rows of its chunk the entry holds.
func (r *Request) HeldRows() uint32 {
	if r.Held == nil {
		return r.Accepted
	}
	n := 0
	for _, b := range r.Held {
		n += bits.OnesCount8(b)
	}
	return uint32(n)
}

// Holds reports whether the entry holds the chunk's row with this index. It is meaningful only where Held is set.
func (r *Request) Holds(line int) bool { return HasLine(r.Held, line) }

// Hold sets the bit of a row.
func (r *Request) Hold(line int) { r.Held = WithLine(r.Held, line) }

// HasLine reports whether a bitmap of rows has the row with an index.
func HasLine(lines []byte, line int) bool {
	return line/8 < len(lines) && lines[line/8]&(1<<(line%8)) != 0
}

// WithLine adds a row to a bitmap of rows.
func WithLine(lines []byte, line int) []byte {
	for len(lines) <= line/8 {
		lines = append(lines, 0)
	}
	lines[line/8] |= 1 << (line % 8)
	return lines
}

// size is how many bytes AppendRequest adds.
func (r *Request) size() int {
	n := requestSize + len(r.Held)
	if r.Rejected != nil {
		n += 2 + len(r.Rejected)
	}
	return n
}

// AppendRequest encodes the request, as it stands in an entry's meta and in snapshots of what is known of requests.
func AppendRequest(dst []byte, r *Request) []byte {
	dst = append(dst, r.Key[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, r.Chunk)
	dst = append(dst, r.Hash[:]...)
	dst = binary.LittleEndian.AppendUint32(dst, r.Lines)
	dst = binary.LittleEndian.AppendUint32(dst, r.Accepted)
	flags := byte(0)
	if r.Last {
		flags |= flagLast
	}
	if r.Rejected != nil {
		dst = append(dst, flags|flagRejected)
		dst = binary.LittleEndian.AppendUint16(dst, uint16(len(r.Rejected)))
		return append(append(dst, r.Rejected...), r.Held...)
	}
	dst = append(dst, flags)
	return append(dst, r.Held...)
}

// ParseRequest decodes what AppendRequest wrote, all of src. The result has memory of its own.
func ParseRequest(src []byte) (*Request, error) {
	if len(src) < requestSize || len(src) > requestSize+2+2*maxHeld {
		return nil, errMeta
	}
	r := &Request{
		Chunk: binary.LittleEndian.Uint32(src[16:]), Lines: binary.LittleEndian.Uint32(src[36:]),
		Accepted: binary.LittleEndian.Uint32(src[40:]), Last: src[44]&flagLast != 0,
	}
	copy(r.Key[:], src)
	copy(r.Hash[:], src[20:])
	rest := src[requestSize:]
	if src[44]&flagRejected != 0 {
		if len(rest) < 2 || len(rest)-2 < int(binary.LittleEndian.Uint16(rest)) {
			return nil, errMeta
		}
		end := 2 + int(binary.LittleEndian.Uint16(rest))
		r.Rejected, rest = append([]byte{}, rest[2:end]...), rest[end:]
	}
	if len(rest) > maxHeld {
		return nil, errMeta
	}
	if len(rest) > 0 {
		r.Held = append([]byte(nil), rest...)
	}
	return r, nil
}
