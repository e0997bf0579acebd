// Package event holds the nouns that all of Tidemark shares: types and schemas, batches of rows as Arrow records,
// partitions, offsets and vectors of offsets.
//
// Every value here is immutable once it has left its maker and may be read from any goroutine. Arrow memory comes from the
// Go heap, so the garbage collector frees it: nothing needs Retain or Release. The package imports nothing else of ours
// and does no I/O.
package event

import (
	"fmt"
	"strings"
)

// Partition numbers a stream's partitions from 0.
type Partition int32

// Offset numbers the records of one partition from 0, densely and for ever.
type Offset int64

// Vector says how far each partition of a stream has been consumed: element p is the next offset of partition p, that is,
// one more than the last consumed. A missing element is 0: nothing consumed.
type Vector []Offset

// At is the next offset of partition p.
func (v Vector) At(p Partition) Offset {
	if int(p) >= len(v) {
		return 0
	}
	return v[p]
}

// With returns a copy in which partition p stands at next.
func (v Vector) With(p Partition, next Offset) Vector {
	out := make(Vector, max(len(v), int(p)+1))
	copy(out, v)
	out[p] = next
	return out
}

// Covers reports whether v has consumed at least what o has.
func (v Vector) Covers(o Vector) bool {
	for p := range o {
		if v.At(Partition(p)) < o[p] {
			return false
		}
	}
	return true
}

// Max is the least vector that covers both.
func (v Vector) Max(o Vector) Vector {
	out := make(Vector, max(len(v), len(o)))
	for p := range out {
		out[p] = max(v.At(Partition(p)), o.At(Partition(p)))
	}
	return out
}

// String prints the vector as 0:12,1:7.
func (v Vector) String() string {
	parts := make([]string, len(v))
	for p, next := range v {
		parts[p] = fmt.Sprintf("%d:%d", p, next)
	}
	return strings.Join(parts, ",")
}
