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

	flagLast = 1 << 0
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
func (r *Request) Holds(line int) bool {
	return line/8 < len(r.Held) && r.Held[line/8]&(1<<(line%8)) != 0
}

// Hold sets the bit of a row.
func (r *Request) Hold(line int) {
	for len(r.Held) <= line/8 {
		r.Held = append(r.Held, 0)
	}
	r.Held[line/8] |= 1 << (line % 8)
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
	dst = append(dst, flags)
	return append(dst, r.Held...)
}

// ParseRequest decodes what AppendRequest wrote, all of src. The result has memory of its own.
func ParseRequest(src []byte) (*Request, error) {
	if len(src) < requestSize || len(src) > requestSize+maxHeld {
		return nil, errMeta
	}
	r := &Request{
		Chunk: binary.LittleEndian.Uint32(src[16:]), Lines: binary.LittleEndian.Uint32(src[36:]),
		Accepted: binary.LittleEndian.Uint32(src[40:]), Last: src[44]&flagLast != 0,
	}
	copy(r.Key[:], src)
	copy(r.Hash[:], src[20:])
	if len(src) > requestSize {
		r.Held = append([]byte(nil), src[requestSize:]...)
	}
	return r, nil
}
