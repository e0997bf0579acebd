package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/backup"
	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/doctor"
)

// backupCmd copies a data directory.
type backupCmd struct {
	To   string `arg:"" placeholder:"DIR" help:"Directory of the backup; empty, or it is made."`
	Data string `xor:"from" placeholder:"DIR" help:"Data directory; no server may have it open."`
	URL  string `xor:"from" placeholder:"URL" help:"Admin listener of a running server, whose data is backed up as it is now, as in ${adminURL}."`
	Base string `placeholder:"DIR" help:"An earlier backup: segments that it has are shared with it by hard links, or copied from it."`
	Link bool   `help:"Share segments with the data directory by hard links, where the file system can, instead of copying them."`
}

// Run copies and verifies: damage must not take the place of a good backup.
func (c *backupCmd) Run(p *process) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if c.Data == "" && c.URL == "" {
		return usagef("say what to back up: --data names a data directory, --url a running server")
	}
	take := c.offline
	if c.URL != "" {
		take = c.online
	}
	list, err := take(ctx, backup.Options{Link: c.Link, Base: c.Base, Now: time.Now()})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "%d files of %d bytes backed up to %s\n", len(list.Files), list.Bytes(), c.To)
	return err
}

// offline copies a directory that no server has open.
func (c *backupCmd) offline(ctx context.Context, o backup.Options) (*backup.List, error) {
	fs, err := vfs.NewReadOnly(c.Data)
	if err != nil {
		return nil, err
	}
	defer func() { _ = fs.Close() }() // it was only read
	lock, err := lockData(fs, c.Data)
	if err != nil {
		return nil, err
	}
	defer func() { _ = lock.Close() }()
	if err := verifyDir(ctx, c.Data); err != nil {
		return nil, err
	}
	return backup.Create(ctx, c.Data, c.To, o)
}

// online copies what a server keeps for as long as that takes.
func (c *backupCmd) online(ctx context.Context, o backup.Options) (list *backup.List, err error) {
	server, err := client.New(c.URL)
	if err != nil {
		return nil, err
	}
	defer server.Close()
	var kept backup.Remote
	if err := server.BeginBackup(ctx, &kept); err != nil {
		return nil, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer cancel()
		err = errors.Join(err, server.EndBackup(end, kept.ID))
	}()
	o.Verify = verifyDir
	return backup.Fetch(ctx, kept, c.To, o, func(ctx context.Context, name string) (io.ReadCloser, error) {
		return server.BackupFile(ctx, kept.ID, name)
	})
}

// endTime is how long a server may take to give a backup's files up.
const endTime = time.Minute

// verifyDir holds every byte of a data directory against its checksums.
func verifyDir(ctx context.Context, dir string) error {
	fs, err := vfs.NewReadOnly(dir)
	if err != nil {
		return err
	}
	defer func() { _ = fs.Close() }() // it was only read
	report, err := doctor.Verify(ctx, fs)
	if err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	if report.Damaged() {
		return fmt.Errorf("%s is damaged: see `tidemark doctor verify --data %s`", dir, dir)
	}
	return nil
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
