package exec

import (
	"context"
	"errors"
	"io"

	"golang.org/x/sync/errgroup"
)

// consumer takes the batches of one worker.
type consumer interface {
	consume(batch *Batch) error
}

// drain reads op to its end with as many workers as it is wide, each with a consumer of its own, and waits for them. The
// first failure stops the others. The consumers come back in the order in which they were made.
func drain[C consumer](ctx context.Context, op operator, newConsumer func() C) ([]C, error) {
	consumers := make([]C, op.width())
	workers, ctx := errgroup.WithContext(ctx)
	for i := range consumers {
		consumers[i] = newConsumer()
		in := op.open()
		workers.Go(func() error {
			defer in.close()
			return guard(func() error { return feed(ctx, in, consumers[i].consume) })
		})
	}
	return consumers, workers.Wait()
}

// feed hands every batch of in to take.
func feed(ctx context.Context, in reader, take func(*Batch) error) error {
	for {
		batch, err := in.next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := take(batch); err != nil {
			return err
		}
	}
}

// gather joins all readers of op into one. A single reader passes through, in the caller's goroutine and in order; several
// run in goroutines of their own and send to a bounded channel.
func gather(op operator) reader {
	if op.width() == 1 {
		return op.open()
	}
	return &gatherReader{op: op}
}

type gatherReader struct {
	op      operator
	batches chan *Batch // nil until the first call of next
	cancel  context.CancelFunc
	err     error // what the workers ended with; set before batches is closed
}

func (r *gatherReader) next(ctx context.Context) (*Batch, error) {
	if r.batches == nil {
		r.start(ctx)
	}
	batch, ok := <-r.batches
	if ok {
		return batch, nil
	}
	if r.err != nil {
		return nil, r.err
	}
	return nil, io.EOF
}

func (r *gatherReader) start(ctx context.Context) {
	width := r.op.width()
	r.batches = make(chan *Batch, width)
	ctx, r.cancel = context.WithCancel(ctx)
	workers, ctx := errgroup.WithContext(ctx)
	send := func(batch *Batch) error {
		select {
		case r.batches <- batch:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for range width {
		in := r.op.open()
		workers.Go(func() error {
			defer in.close()
			return guard(func() error { return feed(ctx, in, send) })
		})
	}
	go func() {
		r.err = workers.Wait()
		close(r.batches)
	}()
}

// close stops the workers early and waits until the last has ended, which is when the channel is closed.
func (r *gatherReader) close() {
	if r.batches == nil {
		return
	}
	r.cancel()
	for range r.batches {
		continue
	}
}
