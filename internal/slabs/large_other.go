//go:build !linux

package slabs

import "unsafe"

func preferLargePages(unsafe.Pointer, int) {}
