package compact

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
)

// watchClock stops retention when the wall clock has jumped ahead, and resumes it when it was set right again. looking is held.
func (c *Compactor) watchClock() error {
	ahead := c.clock.Ahead(c.options.Now(), c.options.Elapsed())
	switch {
	case ahead > 0 && !c.jumped:
		c.jumped = true
		c.options.Logger.Error("the clock has jumped ahead: nothing expires until it is set right or confirmed by POST /retention/confirm",
			"ahead", ahead.Round(time.Second))
		return c.store.HoldRetention(true)
	case ahead == 0 && c.jumped:
		c.jumped = false
		c.options.Logger.Info("the clock is right again: retention goes on")
		return c.store.HoldRetention(false)
	default:
		return nil
	}
}

// ConfirmClock says that the wall clock is right although it jumped: what it says has expired is dropped. It reports whether retention
// was stopped.
func (c *Compactor) ConfirmClock() (wasHeld bool, err error) {
	c.looking.Lock()
	defer c.looking.Unlock()
	wasHeld = c.store.RetentionHeld()
	if err := c.store.HoldRetention(false); err != nil {
		return wasHeld, fmt.Errorf("confirm the clock: %w", err)
	}
	c.jumped = false
	c.clock.Trust(c.options.Now(), c.options.Elapsed())
	c.Wake()
	return wasHeld, nil
}

// expire drops what a stream's retention has passed.
func (c *Compactor) expire(ctx context.Context, stream *catalog.Stream) error {
	if stream.Retention <= 0 || c.store.RetentionHeld() {
		return nil
	}
	started := time.Now()
	dropped, err := c.store.Expire(ctx, stream.Name, c.options.Now().Add(-stream.Retention).UnixMicro(), c.options.Spare)
	if len(dropped) > 0 || err != nil {
		c.observe(ctx, Result{Stream: stream.Name, Action: Expired, Inputs: dropped, Took: time.Since(started), Err: err})
	}
	return err
}
