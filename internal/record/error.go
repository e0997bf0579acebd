package record

import (
	"errors"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
)

// ErrTorn is what a Scanner ends with where a crash has cut the last writes short. Nothing known durable is affected.
var ErrTorn = errors.New("the file ends in an incomplete write")

// ErrFailed is what a Writer answers after a write or sync has failed: what the disk holds is then unknown until a restart.
var ErrFailed error = event.Errorf(event.CodeClosed, "writing has stopped after a failed write or sync")

// CorruptionError says where a file is damaged. It is the cause of the errors that Corrupt makes.
type CorruptionError struct {
	File   string
	Offset int64 // in bytes
	Reason string
}

// Error implements error.
func (c *CorruptionError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d: %s", c.File, c.Offset, c.Reason)
}

// Corrupt makes the error for damage that must not be skipped.
func Corrupt(file string, offset int64, format string, args ...any) error {
	cause := &CorruptionError{File: file, Offset: offset, Reason: fmt.Sprintf(format, args...)}
	return &event.Error{
		Code: event.CodeCorrupt, Detail: cause.Error(), Cause: cause,
		Hint: "run tidemark doctor verify on the data directory; nothing has been changed",
	}
}
