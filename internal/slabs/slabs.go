// Package slabs gives memory for the values of columns that are made together and let go together, such as those of the rows that are not sealed yet.
//
// It is cut from slabs, large pieces of Go's heap for which the kernel is asked to use large pages: finding and clearing memory by pages of 4 KiB takes as
// long as a good part of what the values themselves cost. A slab is collected once nothing refers to any part of it. So this is for values of which many come
// and go in order of time, and not for a few that stay.
//
// What always holds: memory is zero when it is given, and is given once. All functions may be called from any goroutine.
package slabs

import (
	"sync"
	"unsafe"
	"weak"
)

const (
	// slabBytes is the size of a slab: most of it lies in large pages, which are of 2 MiB, wherever it begins. It is what one value can keep from being collected.
	slabBytes = 8 << 20
	// mostBytes is the largest piece that is cut from a slab, so that little is left over at its end.
	mostBytes = slabBytes / 8
	// leastBytes is the smallest: those below are found quickly by Go itself.
	leastBytes = 1 << 10
)

type slab [slabBytes]byte

// Value is what slices of slabs may have: values without pointers.
type Value interface {
	~int8 | ~uint8 | ~int32 | ~int64 | ~float64
}

var open struct {
	sync.Mutex
	// slab is the one that is being cut up. It is not held: where all that was cut from it is let go, so is what is left.
	slab weak.Pointer[slab]
	used int
}

// Make is make for a slice whose length is 0.
func Make[T Value](capacity int) []T {
	size := capacity * int(unsafe.Sizeof(*new(T)))
	if size < leastBytes || size > mostBytes {
		return make([]T, 0, capacity)
	}
	return unsafe.Slice((*T)(cut(size)), capacity)[:0]
}

// cut takes a piece off the slab, on a boundary that suits every type and the words by which processors move memory.
func cut(size int) unsafe.Pointer {
	const boundary = 64
	open.Lock()
	defer open.Unlock()
	from := open.slab.Value()
	if from == nil || open.used+size > slabBytes {
		from = newSlab()
		open.slab, open.used = weak.Make(from), 0
	}
	piece := unsafe.Pointer(&from[open.used])
	open.used += (size + boundary - 1) &^ (boundary - 1)
	return piece
}

func newSlab() *slab {
	s := new(slab)
	preferLargePages(unsafe.Pointer(s), slabBytes)
	return s
}
