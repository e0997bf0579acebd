package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/doctor"
)

// exitDamaged is the status of a check that found damage; exitUsage is that of one that could not run.
const exitDamaged = 1

// doctorCmd examines and mends data directories.
type doctorCmd struct {
	Verify verifyCmd `cmd:"" help:"Hold every byte of a data directory against its checksum. Changes nothing."`
	Repair repairCmd `cmd:"" help:"Move what is damaged aside, and bring the rest to where a server opens it."`
}

// verifyCmd looks for damage.
type verifyCmd struct {
	Data string `required:"" placeholder:"DIR" help:"Data directory; no server may have it open."`
	JSON bool   `help:"Print the findings as JSON."`
}

// Run verifies.
func (c *verifyCmd) Run(p *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	fs, err := vfs.NewReadOnly(c.Data)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	defer func() { _ = fs.Close() }() // it was only read
	lock, err := lockData(fs, c.Data)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	defer func() { _ = lock.Close() }()
	report, err := doctor.Verify(ctx, fs)
	if err != nil {
		return &statusError{exitUsage, fmt.Errorf("%s: %w", c.Data, err)}
	}
	if err := printReport(p.stdout, c.JSON, report, report.WriteText); err != nil {
		return &statusError{exitUsage, err}
	}
	if report.Damaged() {
		return &statusError{exitDamaged, errSilent}
	}
	return nil
}

// repairCmd mends what can be mended.
type repairCmd struct {
	Data string `required:"" placeholder:"DIR" help:"Data directory; no server may have it open."`
	JSON bool   `help:"Print what was done as JSON."`
}

// Run repairs.
func (c *repairCmd) Run(p *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if _, err := os.Stat(c.Data); err != nil { // it is not to be made
		return &statusError{exitUsage, err}
	}
	fs, err := vfs.NewReal(c.Data)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	defer func() { _ = fs.Close() }()
	lock, err := lockData(fs, c.Data)
	if err != nil {
		return &statusError{exitUsage, err}
	}
	defer func() { _ = lock.Close() }()
	result, err := doctor.Repair(ctx, fs, time.Now())
	if result != nil { // what was done before a failure is told too
		err = errors.Join(err, printReport(p.stdout, c.JSON, result, result.WriteText))
	}
	if err != nil {
		return &statusError{exitUsage, fmt.Errorf("%s: %w", c.Data, err)}
	}
	if len(result.Lost) > 0 {
		return &statusError{exitDamaged, errSilent}
	}
	return nil
}

// lockData takes the lock of a data directory that no server must have open.
func lockData(fs vfs.FS, data string) (io.Closer, error) {
	lock, err := fs.Lock("LOCK")
	if errors.Is(err, vfs.ErrLocked) {
		return nil, fmt.Errorf("a server has %s open: stop it first (%w)", data, err)
	}
	return lock, err
}

func printReport(w io.Writer, asJSON bool, report any, text func(io.Writer) error) error {
	if !asJSON {
		return text(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// statusError ends the program with a status of its own.
type statusError struct {
	status int
	err    error
}

// Error is the text of the cause.
func (e *statusError) Error() string { return e.err.Error() }

// Unwrap gives the cause.
func (e *statusError) Unwrap() error { return e.err }
