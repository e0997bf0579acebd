//go:build !linux

package vfs

import "os"

// syncData flushes the file by the platform's strongest means.
func syncData(f *os.File) error { return f.Sync() }
