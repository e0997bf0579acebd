package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/tidemarkdb/tidemark/server/config"
)

// serveCmd runs the server until it is told to stop.
type serveCmd struct {
	Config      string  `placeholder:"FILE" help:"YAML file of options ($$TIDEMARK_CONFIG)."`
	PrintConfig bool    `help:"Print the resulting configuration and exit."`
	Options     options `embed:""`
}

// options makes every option of the server a flag. It is a type of its own to leave Validate behind, which would judge the
// options that are not on the command line too; what they amount to is for config.Load to say.
type options config.Config

// Run serves.
func (c *serveCmd) Run(p *process, parsed *kong.Context) error {
	file := c.Config
	if file == "" {
		file = p.getenv("TIDEMARK_CONFIG")
	}
	cfg, err := config.Load(config.Sources{File: file, Environ: p.environ, Flags: c.given(parsed)})
	if err != nil {
		return err
	}
	if c.PrintConfig {
		return cfg.Print(p.stdout)
	}
	if p.slacken != nil {
		if err := p.slacken(cfg.TimerSlack); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	server, err := startServer(ctx, cfg, newLogger(p.stderr, cfg))
	if err != nil {
		return err
	}
	// A second signal while the server drains kills the process as usual.
	context.AfterFunc(ctx, stop)
	if err := closeAfter(ctx, server); err != nil {
		return fmt.Errorf("server: %w", err)
	}
	return nil
}

// given returns the options that stand on the command line, so that those left out do not override the other sources.
func (c *serveCmd) given(parsed *kong.Context) map[string]string {
	flags := map[string]string{}
	for _, element := range parsed.Path {
		if element.Flag == nil {
			continue
		}
		key := keyOf(element.Flag.Name)
		if text, ok := config.Config(c.Options).Value(key); ok {
			flags[key] = text
		}
	}
	return flags
}

func newLogger(w io.Writer, cfg config.Config) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.LogLevel}
	if cfg.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
