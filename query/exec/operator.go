package exec

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/tidemarkdb/tidemark/event"
)

// operator is one node of a running plan.
type operator interface {
	// width is how many readers may work side by side; it is 1 where the order of rows matters.
	width() int
	// open makes one more reader; it is called at most width times, from one goroutine.
	open() reader
}

// reader pulls batches for one goroutine.
type reader interface {
	// next returns a batch with at least one row, or io.EOF. Every call gets the same ctx.
	next(ctx context.Context) (*Batch, error)
	// close stops what the reader has started and waits for it.
	close()
}

// guard turns a panic of work into an internal error, so that a fault met by one query does not end the process.
func guard(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &event.Error{
				Code:   event.CodeInternal,
				Detail: "the query failed inside the engine",
				Cause:  fmt.Errorf("panic: %v\n%s", v, debug.Stack()),
			}
		}
	}()
	return work()
}
