package slabs

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// largePage is the size of a large page, or a multiple of it.
const largePage = 2 << 20

// preferLargePages asks for memory in large pages where nothing of it has been touched yet. It is a wish, and nothing depends on whether it is heard.
//
// It is extended to whole large pages, as one that lies in memory of two kinds is not used. What stands around a slab is Go's heap, too, or not mapped: the
// heap grows by more than a large page at a time, so that the end of one slab is mostly where the next will begin.
func preferLargePages(start unsafe.Pointer, size int) {
	from := uintptr(start) &^ (largePage - 1)
	to := (uintptr(start) + uintptr(size) + largePage - 1) &^ (largePage - 1)
	_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_HUGEPAGE)
}
