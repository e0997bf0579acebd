package vfs

import (
	"errors"
	"syscall"
)

// Full reports whether err says that the disk has no room left, or the user's share of it.
func Full(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
