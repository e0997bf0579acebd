// Package demo plays real events into a running server and shows what the server's SQL makes of them.
//
// Two sources feed it: a file of past flights, played again as if they departed now, and the telemetry of this machine. Both
// are sent over HTTP as any client would send them. The live view shows only what SQL queries over HTTP answer. Run owns all
// goroutines and returns when they have ended. The package does not start a server.
package demo

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/server/client"
)

// DefaultSpeed plays a day in twelve seconds: fast enough that the ebb of the nights is seen within a minute, and about 1,400
// flights a second of a file that holds half a year of the United States' flights.
const DefaultSpeed = 7200

// Options says what is played and shown.
type Options struct {
	// Flights is the path of a Parquet file with the columns date, delay, distance, origin and destination; empty means
	// that only telemetry is played.
	Flights string
	// Speed is how much faster than the original clock the flights are played; 0 means DefaultSpeed.
	Speed float64
	// View turns the live view on.
	View bool
	// Out is where the introduction and the view go.
	Out io.Writer
	// Size returns the terminal's columns and rows; nil means that Out is no terminal, and the view prints block after block.
	Size func() (width, height int)
}

// Run plays and shows until ctx ends, which is no error.
func Run(ctx context.Context, db *client.Client, opts Options) error {
	if opts.Speed == 0 {
		opts.Speed = DefaultSpeed
	}
	if opts.Speed < 0 {
		return fmt.Errorf("speed must be above 0, not %g", opts.Speed)
	}
	feeds, err := openFeeds(opts)
	if err != nil {
		return err
	}
	if err := introduce(opts, db.URL()); err != nil {
		return err
	}
	group, running := errgroup.WithContext(ctx)
	for _, f := range feeds {
		group.Go(func() error { return f.run(running, db) })
	}
	if opts.View {
		v := &view{db: db, out: opts.Out, size: opts.Size, flights: opts.Flights != "", speed: opts.Speed, started: time.Now()}
		group.Go(func() error { return v.run(running) })
	}
	err = group.Wait()
	if ctx.Err() != nil {
		return nil //nolint:nilerr // being told to stop is no failure
	}
	return err
}

// feed sends events until its context ends.
type feed interface {
	run(ctx context.Context, db *client.Client) error
}

// openFeeds makes the sources, and fails for a flights file that cannot be played.
func openFeeds(opts Options) ([]feed, error) {
	feeds := []feed{newTelemetry()}
	if opts.Flights == "" {
		return feeds, nil
	}
	if err := checkFlights(opts.Flights); err != nil {
		return nil, err
	}
	return append(feeds, &flightFeed{path: opts.Flights, speed: opts.Speed}), nil
}

// introduce says where the server is and what to try.
func introduce(opts Options, url string) error {
	playing := fmt.Sprintf("Playing: flights, %g times as fast as they flew, and this machine's telemetry.", opts.Speed)
	if opts.Flights == "" {
		playing = "Playing: this machine's telemetry only. Name a Parquet file of flights with --flights to play that too."
	}
	_, err := fmt.Fprintf(opts.Out, `Tidemark is running at %[1]s
%[2]s

Try, in another terminal:
  curl -s -G %[1]s/v1/sql --data-urlencode 'q=SELECT count(*), max(cpu_percent) FROM telemetry'
  curl -s %[1]s/v1/streams/mine/events -H 'Content-Type: application/x-ndjson' -d '{"hello":"world","n":1}'
  tidemark sql --url %[1]s
  tidemark tail --url %[1]s -q 'SELECT * FROM departures'

Ctrl-C stops everything.

`, url, playing)
	return err
}

// every calls do at once and then at each interval until ctx ends or do fails. The end of ctx is no error.
func every(ctx context.Context, interval time.Duration, do func(now time.Time) error) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for now := time.Now(); ; {
		if err := do(now); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case now = <-ticker.C:
		}
	}
}
