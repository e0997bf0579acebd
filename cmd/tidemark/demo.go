package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/demo"
)

// demoCmd runs a server with events playing into it.
type demoCmd struct {
	Data        string  `placeholder:"DIR" help:"Directory of the data; without it, a temporary one that is removed at the end."`
	Flights     string  `placeholder:"FILE" help:"Parquet file of flights to play: columns date, delay, distance, origin, destination."`
	Speed       float64 `placeholder:"N" default:"7200" help:"How much faster than the original clock flights are played (default ${default}: a day in 12 s)."`
	NoView      bool    `help:"Do not draw the live view."`
	Listen      string  `placeholder:"ADDR" default:"127.0.0.1:7373" help:"Address of the HTTP API (default ${default})."`
	AdminListen string  `placeholder:"ADDR" default:"127.0.0.1:7374" help:"Address of metrics and profiles (default ${default})."`
}

// Run plays until Ctrl-C.
func (c *demoCmd) Run(p *process) (err error) {
	if c.Speed <= 0 {
		return usagef("--speed must be above 0, not %g", c.Speed)
	}
	cfg, remove, err := c.config()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// A reader of our output that goes away (| head) must not kill us before the temporary directory is removed.
	signal.Ignore(syscall.SIGPIPE)
	// Only what the user should act on may disturb the view.
	logger := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	server, err := startServer(ctx, cfg, logger)
	if err != nil {
		return err
	}
	db, err := client.New(server.URL())
	if err != nil {
		return errors.Join(err, server.Close())
	}
	defer db.Close()

	opts := demo.Options{Flights: c.Flights, Speed: c.Speed, View: !c.NoView, Out: p.stdout, Size: terminalSize(p.stdout)}
	serving, endServing := context.WithCancel(context.Background())
	defer endServing()
	playing, endPlaying := context.WithCancel(ctx)
	var group errgroup.Group
	group.Go(func() error {
		defer endPlaying() // a server that fails by itself takes the players along
		return closeAfter(serving, server)
	})
	group.Go(func() error {
		defer endServing() // the server stops last, so that it refuses no player
		return demo.Run(playing, db, opts)
	})
	if err := group.Wait(); err != nil && !errors.Is(err, syscall.EPIPE) {
		return fmt.Errorf("demo: %w", err)
	}
	fmt.Fprintln(p.stdout, "\nStopped.")
	return nil
}

// config places the data, and returns what removes it again.
func (c *demoCmd) config() (cfg config.Config, remove func() error, err error) {
	cfg = config.Default()
	cfg.Listen, cfg.AdminListen, cfg.Data = c.Listen, c.AdminListen, c.Data
	remove = func() error { return nil }
	if c.Data == "" {
		dir, err := os.MkdirTemp("", "tidemark-demo-")
		if err != nil {
			return cfg, remove, fmt.Errorf("make a temporary directory: %w", err)
		}
		cfg.Data = dir
		remove = func() error { return os.RemoveAll(dir) }
	}
	return cfg, remove, nil
}

// terminalSize returns what measures the terminal behind w, or nil if there is none.
func terminalSize(w io.Writer) func() (width, height int) {
	f, ok := w.(*os.File)
	if !ok || !isTerminal(w) {
		return nil
	}
	return func() (int, int) {
		width, height, err := term.GetSize(int(f.Fd()))
		if err != nil || width == 0 || height == 0 { // such as a pseudo-terminal that nobody gave a size
			return 80, 24
		}
		return width, height
	}
}
