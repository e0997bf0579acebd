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
	speed   float64
	started time.Time
}

func (v *view) run(ctx context.Context) error {
	draw := &screen{out: v.out, size: v.size}
	return every(ctx, viewInterval, func(now time.Time) error {
		a := ask(ctx, v.db, v.flights)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure
		}
		return draw.frame(v.render(a, now))
	})
}
