package main

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/backup"
	"github.com/tidemarkdb/tidemark/server/doctor"
)

// backupCmd copies a data directory.
type backupCmd struct {
	To   string `arg:"" placeholder:"DIR" help:"Directory of the backup; empty, or it is made."`
	Data string `required:"" placeholder:"DIR" help:"Data directory; no server may have it open."`
	Link bool   `help:"Share segments with the data directory by hard links, where the file system can, instead of copying them."`
}

// Run verifies and copies: damage must not take the place of a good backup.
func (c *backupCmd) Run(p *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	fs, err := vfs.NewReadOnly(c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = fs.Close() }() // it was only read
	lock, err := lockData(fs, c.Data)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Close() }()
	report, err := doctor.Verify(ctx, fs)
	if err != nil {
		return fmt.Errorf("%s: %w", c.Data, err)
	}
	if report.Damaged() {
		return fmt.Errorf("%s is damaged: see `tidemark doctor verify --data %s`", c.Data, c.Data)
	}
	list, err := backup.Create(ctx, c.Data, c.To, backup.Options{Link: c.Link, Now: time.Now()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%d files of %d bytes backed up to %s\n", len(list.Files), list.Bytes(), c.To)
	return err
}

// restoreCmd brings a backup back.
type restoreCmd struct {
	From string `arg:"" placeholder:"DIR" help:"Directory of the backup."`
	Data string `required:"" placeholder:"DIR" help:"Data directory; empty, or it is made."`
}

// Run restores.
func (c *restoreCmd) Run(p *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	list, err := backup.Restore(ctx, c.From, c.Data)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%d files of %d bytes restored to %s\n", len(list.Files), list.Bytes(), c.Data)
	return err
}
