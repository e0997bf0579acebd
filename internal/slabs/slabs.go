// Package slabs gives memory for the values of columns that are made together and let go together, such as those of the rows that are not sealed yet.
//
// It is cut from slabs, large pieces of Go's heap for which the kernel is asked to use large pages: finding and clearing memory by pages of 4 KiB takes as
// long as a good part of what the values themselves cost. A slab is collected once nothing refers to any part of it. So values that come and go together have
// an Arena of their own, in which a slab is no larger than what was asked for before: few values that stay do not keep much of others' from being collected.
//
// What always holds: memory is zero when it is given, and is given once. All functions may be called from any goroutine.
package slabs

import (
	"math/bits"
	"sync"
	"unsafe"
	"weak"
)

const (
	// mostSlab is the size of the slabs of an arena that is asked for much: most of it lies in large pages, which are of 2 MiB, wherever it begins.
	// leastSlab is what an arena begins with, and about what one value can keep from being collected beyond what was asked for.
	mostSlab  = 8 << 20
	leastSlab = 64 << 10
	// piecesLeast is how many pieces a slab has room for at least, so that little is left over at its end.
	piecesLeast = 8
	// leastBytes is the smallest piece: those below are found quickly by Go itself.
	leastBytes = 1 << 10
	// leastLarge is the least slab for which large pages are of use.
	leastLarge = 4 << 20
)

// Value is what slices of slabs may have: values without pointers.
type Value interface {
	~int8 | ~uint8 | ~int32 | ~int64 | ~float64
}

// Arena has the slab from which memory for values that belong together is cut, such as those of a stream's rows. The zero value is ready for use.
type Arena struct {
	mu sync.Mutex
	// open is the slab that is being cut up, of size bytes. It is not held: where all that was cut from it is let go, so is what is left.
	open       weak.Pointer[byte]
	size, used int
	// asked is how much was asked for up to now, up to mostSlab.
	asked int
}

// Make is make for a slice whose length is 0. Without an arena it is nothing else.
func Make[T Value](a *Arena, capacity int) []T {
	size := capacity * int(unsafe.Sizeof(*new(T)))
	if a == nil || size < leastBytes || size > mostSlab/piecesLeast {
		return make([]T, 0, capacity)
	}
	piece := a.cut(size)
	if piece == nil {
		return make([]T, 0, capacity)
	}
	return unsafe.Slice((*T)(unsafe.Pointer(piece)), capacity)[:0]
}

// cut takes a piece off the slab, on a boundary that suits every type and the words by which processors move memory; nil if it is too large a part of one.
func (a *Arena) cut(size int) *byte {
	const boundary = 64
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = min(a.asked+size, mostSlab)
	from := a.open.Value()
	if from == nil || a.used+size > a.size {
		if from == nil && a.size > 0 {
			a.asked /= 2 // all that was there has gone: what comes may be less
		}
		next := max(leastSlab, 1<<(bits.Len(uint(a.asked))-1))
		if size > next/piecesLeast {
			return nil
		}
		from = newSlab(next)
		a.open, a.size, a.used = weak.Make(from), next, 0
	}
	piece := &unsafe.Slice(from, a.size)[a.used]
	a.used += (size + boundary - 1) &^ (boundary - 1)
	return piece
}

func newSlab(size int) *byte {
	s := &make([]byte, size)[0]
	if size >= leastLarge {
		preferLargePages(unsafe.Pointer(s), size)
	}
	return s
}
