package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

// tailWait is how long one request waits at the server for the next event.
const tailWait = 20 * time.Second

// tailCmd prints a stream's events as they come.
type tailCmd struct {
	Stream  string `arg:"" help:"Stream to follow."`
	From    string `enum:"earliest,latest" default:"latest" help:"Where to begin: earliest or latest."`
	Records bool   `help:"Print partition, offset and time with each event."`
	URL     string `placeholder:"URL" help:"Address of the server ($$TIDEMARK_URL)."`
}

// Run follows all partitions side by side until it is interrupted. Events of one partition come in order.
func (c *tailCmd) Run(p *process) error {
	db, err := p.client(c.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	partitions, err := db.Partitions(ctx, c.Stream)
	if err != nil {
		return describeError(err)
	}
	printer := &recordPrinter{process: p, whole: c.Records}
	group, ctx := errgroup.WithContext(ctx)
	for partition := range partitions {
		group.Go(func() error { return c.follow(ctx, db, event.Partition(partition), printer) })
	}
	if err := group.Wait(); err != nil && !client.IsCancelled(err) {
		return describeError(err)
	}
	return nil
}

func (c *tailCmd) follow(ctx context.Context, db *client.Client, p event.Partition, printer *recordPrinter) error {
	next := client.Latest
	if c.From == "earliest" {
		next = 0
	}
	for ctx.Err() == nil {
		var err error
		if next, err = db.Consume(ctx, c.Stream, p, next, tailWait, printer.print); err != nil {
			return err
		}
	}
	return nil
}

// recordPrinter prints records of several partitions, a line each.
type recordPrinter struct {
	mu      sync.Mutex
	process *process
	whole   bool
}

func (r *recordPrinter) print(record client.Record) error {
	line := []byte(record.Value)
	if r.whole {
		var err error
		if line, err = json.Marshal(record); err != nil {
			return fmt.Errorf("print record: %w", err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err := r.process.stdout.Write(append(line, '\n'))
	return err
}
