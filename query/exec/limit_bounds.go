package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// readBounds computes the limit and the offset of a reader that is told neither by the plan.
func (r *limitReader) readBounds(ctx context.Context) error {
	in := gather(r.bounds)
	defer in.close()
	r.skip, r.left = 0, -1
	return feed(ctx, in, func(batch *Batch) error {
		for i, clause := range []string{"LIMIT", "OFFSET"} {
			if batch.Columns[i].IsNull(0) {
				continue
			}
			n := batch.Columns[i].(*array.Int64).Value(0)
			if n < 0 {
				return event.Errorf(event.CodeInvalidValue, "%s is %d: it must not be negative", clause, n)
			}
			if i == 0 {
				r.left = n
			} else {
				r.skip = n
			}
		}
		return nil
	})
}
