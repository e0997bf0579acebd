package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
)

// followWait is how long one request of a follower waits at the server for the next record.
const followWait = 20 * time.Second

// FollowOptions say how a stream is followed. The zero value begins with the first record that comes.
type FollowOptions struct {
	// Earliest begins with the first record that there is.
	Earliest bool
	// Outage, if not nil, is told when the server is lost, and why; and when it is back, with nil.
	Outage func(cause error)
}

// Follow gives every record of a stream to fn, until ctx ends, fn fails, or the stream is no longer there. Partitions are followed side by side;
// records of one come in order, and fn is called by one goroutine at a time. Where the server is lost after it was there, each partition
// goes on at the offset that it had as soon as the server is back: no record is left out and none is given twice.
func (c *Client) Follow(ctx context.Context, stream string, opts FollowOptions, fn func(Record) error) error {
	partitions, err := c.Partitions(ctx, stream)
	if err != nil {
		return err
	}
	f := &follower{client: c, stream: stream, fn: fn, outage: outage{tell: opts.Outage}}
	places := make([]event.Offset, partitions)
	if !opts.Earliest { // known before anything is waited for: what comes while the server is lost is not left out
		for p := range places {
			if places[p], err = c.Consume(ctx, stream, event.Partition(p), Latest, 0, f.give); err != nil {
				return err
			}
		}
	}
	group, ctx := errgroup.WithContext(ctx)
	for p, place := range places {
		group.Go(func() error { return f.partition(ctx, event.Partition(p), place) })
	}
	return group.Wait()
}

// follower follows one stream.
type follower struct {
	client *Client
	stream string
	outage outage

	mu sync.Mutex // for fn
	fn func(Record) error
}

func (f *follower) give(r Record) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.fn(r); err != nil {
		return &handlerError{err}
	}
	return nil
}

func (f *follower) partition(ctx context.Context, p event.Partition, next event.Offset) error {
	for failures := 0; ; {
		wait := followWait
		if failures > 0 {
			wait = 0 // that the server is back is told at once
		}
		var err error
		next, err = f.client.Consume(ctx, f.stream, p, next, wait, f.give)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			f.outage.ended(failures > 0)
			failures = 0
		case !passing(err):
			return f.explain(err, next)
		default:
			f.outage.began(failures == 0, err)
			if err := pause(ctx, reconnectDelay(failures)); err != nil {
				return err
			}
			failures++
		}
	}
}

// explain words an error that ends the following. An offset that the server has given and does not know any more was one of another stream.
func (f *follower) explain(err error, next event.Offset) error {
	var handler *handlerError
	var refused *Error
	switch {
	case errors.As(err, &handler):
		return handler.err
	case errors.As(err, &refused) && refused.Code == event.CodeBadRequest:
		return fmt.Errorf("stream %s ends before offset %d, up to which it had been read: it was made anew, or brought back from a backup: %w", f.stream, next, err)
	default:
		return err
	}
}

// passing reports whether an error may be gone at another attempt: the server is lost, stops, starts, or is too busy.
func passing(err error) bool {
	var handler *handlerError
	if errors.As(err, &handler) {
		return false
	}
	var refused *Error
	if !errors.As(err, &refused) {
		return true // the connection failed
	}
	switch refused.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// reconnectDelay is how long to wait after so many attempts that failed: a restart takes a second, and a server that is away for long is not to
// be asked more often than every eight.
func reconnectDelay(failures int) time.Duration { return 500 * time.Millisecond << min(failures, 4) }

// outage tells once that the server is lost, however many connections to it are, and once that all of these are made again.
type outage struct {
	tell func(cause error)

	mu   sync.Mutex
	lost int
}

// began says that a connection failed, for the first time since it was made.
func (o *outage) began(first bool, cause error) {
	if !first {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost++; o.lost == 1 && o.tell != nil {
		o.tell(cause)
	}
}

// ended says that a connection does; it was lost before or not.
func (o *outage) ended(lost bool) {
	if !lost {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost--; o.lost == 0 && o.tell != nil {
		o.tell(nil)
	}
}
