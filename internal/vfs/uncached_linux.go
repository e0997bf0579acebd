package vfs

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// openPast opens a file a second time, to write past the cache; nil where that cannot be. It goes by the descriptor, as the name may have changed.
func openPast(f *os.File) *os.File {
	var opened *os.File
	err := control(f, func(fd int) error {
		again, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", fd), unix.O_WRONLY|unix.O_DIRECT|unix.O_CLOEXEC, 0)
		if err == nil {
			opened = os.NewFile(uintptr(again), f.Name())
		}
		return err
	})
	if err != nil {
		return nil
	}
	return opened
}

// refusesPast reports whether a write past the cache failed because it was one.
func refusesPast(err error) bool {
	return errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EOPNOTSUPP)
}

// onPage reports whether memory begins where a page does.
func onPage(p []byte) bool {
	return uintptr(unsafe.Pointer(unsafe.SliceData(p)))%PageBytes == 0
}
