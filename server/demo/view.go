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
	// departures and machine tell that the materialized views of these names have been made.
	departures, machine bool
	speed               float64
	started             time.Time
}

// make makes a materialized view, which takes until its stream has been made by its first events.
func (v *view) make(ctx context.Context, sql string) bool {
	_, err := v.db.Query(ctx, sql, client.QueryOptions{})
	return err == nil
}

func (v *view) run(ctx context.Context) error {
	draw := &screen{out: v.out, size: v.size}
	return every(ctx, viewInterval, func(now time.Time) error {
		v.departures = v.departures || v.flights && v.make(ctx, departuresSQL)
		v.machine = v.machine || v.make(ctx, machineSQL)
		a := ask(ctx, v.db, v.flights)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure
		}
		return draw.frame(v.render(a, now))
	})
}
