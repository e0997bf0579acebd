package demo

import (
	"context"
	"io"
	"time"

	"github.com/tidemarkdb/tidemark/server/client"
)

// viewInterval is the pace of the view.
const viewInterval = time.Second

// view asks and draws once a second.
type view struct {
	db      *client.Client
	out     io.Writer
	size    func() (width, height int)
	flights bool
	// departures tells that the view of that name has been made.
	departures bool
	speed      float64
	started    time.Time
}

func (v *view) run(ctx context.Context) error {
	draw := &screen{out: v.out, size: v.size}
	return every(ctx, viewInterval, func(now time.Time) error {
		if v.flights && !v.departures { // the stream is made by its first flights
			_, err := v.db.Query(ctx, departuresSQL, client.QueryOptions{})
			v.departures = err == nil
		}
		a := ask(ctx, v.db, v.flights)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure
		}
		return draw.frame(v.render(a, now))
	})
}
