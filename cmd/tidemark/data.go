package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/config"
)

// openData opens a data directory in this process. The options of a server hold as its environment sets them.
func openData(p *process, folder string) (db *client.Client, where string, done func() error, err error) {
	if _, err := os.Stat(filepath.Join(folder, "journal")); err != nil {
		return nil, "", nil, fmt.Errorf("%s is not a data directory: it has no journal", folder)
	}
	// Whoever asks is told what fails; a log would only get into the answers' way.
	cfg, err := config.Load(config.Sources{Environ: p.environ, Flags: map[string]string{"data": folder}})
	if err != nil {
		return nil, "", nil, err
	}
	server, err := app.OpenLocal(context.Background(), cfg, "", slog.New(slog.DiscardHandler))
	if errors.Is(err, vfs.ErrLocked) {
		return nil, "", nil, fmt.Errorf("a server has %s open: ask it with --url, or stop it first (%w)", folder, err)
	}
	if err != nil {
		return nil, "", nil, err
	}
	db = client.NewPipe(server.Dial)
	return db, "Opened " + folder, func() error {
		db.Close()
		return server.Close()
	}, nil
}
