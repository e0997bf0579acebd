package main

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"

	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/config"
)

// startServer starts a server that names this build's version.
func startServer(ctx context.Context, cfg config.Config, logger *slog.Logger) (*app.App, error) {
	info, _ := debug.ReadBuildInfo()
	v, _ := buildVersion(info)
	server, err := app.Start(ctx, cfg, v, logger)
	if err != nil {
		return nil, err
	}
	server.LimitMemory()
	return server, nil
}

// closeAfter closes the server when ctx ends or the server fails by itself, and returns the failure, if any.
func closeAfter(ctx context.Context, server *app.App) error {
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	select {
	case <-ctx.Done():
		closed := server.Close()
		<-ended //nolint:errcheck // it says no more than Close did
		return closed
	case err := <-ended:
		return errors.Join(err, server.Close())
	}
}
