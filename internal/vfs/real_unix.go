//go:build linux || darwin || freebsd

package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// control runs fn on the file's descriptor, which stays open meanwhile, again for as long as a signal interrupts it.
func control(f *os.File, fn func(fd int) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = conn.Control(func(fd uintptr) {
		for failed = fn(int(fd)); errors.Is(failed, unix.EINTR); failed = fn(int(fd)) {
		}
	})
	if err != nil {
		return err
	}
	return failed
}

// lockFile takes the exclusive lock without waiting.
func lockFile(f *os.File) error { return flock(f, unix.LOCK_EX) }

// shareFile takes the lock that others may share, without waiting.
func shareFile(f *os.File) error { return flock(f, unix.LOCK_SH) }

func flock(f *os.File, how int) error {
	err := control(f, func(fd int) error { return unix.Flock(fd, how|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrLocked
	}
	return err
}

// diskSpace describes the file system that d lies in; free is what an unprivileged process may still use.
func diskSpace(d *os.File) (free, total uint64, err error) {
	var stat unix.Statfs_t
	if err := control(d, func(fd int) error { return unix.Fstatfs(fd, &stat) }); err != nil {
		return 0, 0, os.NewSyscallError("fstatfs", err)
	}
	block := uint64(stat.Bsize)
	return uint64(stat.Bavail) * block, stat.Blocks * block, nil //nolint:unconvert // signed on FreeBSD
}
