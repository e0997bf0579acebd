package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerNow(r registry) {
	r.strict("now()", func(c *call) (arrow.Array, error) {
		return event.NewTimestamps([]int64{c.ctx.Now}, nil), nil
	})
}
