//go:build !linux

package vfs

import "os"

// openPast gives none: only Linux is known to gain by it.
func openPast(*os.File) *os.File { return nil }

func refusesPast(error) bool { return false }

func onPage([]byte) bool { return false }
