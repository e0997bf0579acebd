package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// TimeWindows finds the time windows that times fall into. It never changes and may be shared.
type TimeWindows struct {
	buckets *buckets // where windows start; of the whole size where they start together
	step    int64    // in months or microseconds, as size is
	size    int64
	months  bool
	growing bool
}

// NewTimeWindows makes windows of a size that start a step apart or, growing, windows that start together where a bucket of the size
// does and end a step apart. Step and size must be positive, and both of months or both of smaller units.
func NewTimeWindows(step, size arrow.MonthDayNanoInterval, growing bool) (*TimeWindows, error) {
	w := &TimeWindows{growing: growing}
	steps, err := newBuckets(step, nil)
	if err != nil {
		return nil, err
	}
	sizes, err := newBuckets(size, nil)
	if err != nil {
		return nil, err
	}
	if (steps.months > 0) != (sizes.months > 0) {
		return nil, event.Errorf(event.CodeInvalidValue, "windows of %s in steps of %s: only one of the two is of months",
			event.FormatInterval(size), event.FormatInterval(step))
	}
	w.buckets, w.months = steps, steps.months > 0
	if growing {
		w.buckets = sizes
	}
	w.step, w.size = steps.width, sizes.width
	if w.months {
		w.step, w.size = steps.months, sizes.months
	}
	return w, nil
}

// Assigned is rows with their windows, a row once for each, by their start and end.
type Assigned struct {
	Rows         []int32
	Starts, Ends []int64
}

// Append adds the windows of a row, the earliest first.
func (w *TimeWindows) Append(out *Assigned, row int32, micros int64) error {
	found, ok := w.buckets.find(micros)
	if !ok {
		return errSpanRange(micros)
	}
	if w.growing {
		return w.grow(out, row, micros, found.start)
	}
	// The first window is the one that starts furthest back and has not ended yet.
	back := int64(0)
	for {
		start, ok := w.shift(found.start, -(back+1)*w.step)
		end, fits := w.shift(start, w.size)
		if !ok || !fits || end <= micros {
			break
		}
		back++
	}
	for ; back >= 0; back-- {
		start, _ := w.shift(found.start, -back*w.step)
		end, ok := w.shift(start, w.size)
		if !ok {
			return errSpanRange(micros)
		}
		if end > micros { // not so where a step is longer than the size
			out.add(row, start, end)
		}
	}
	return nil
}

// grow adds the windows that start at start and end after the time.
func (w *TimeWindows) grow(out *Assigned, row int32, micros, start int64) error {
	for length := w.step; length <= w.size; length += w.step {
		end, ok := w.shift(start, length)
		if !ok {
			return errSpanRange(micros)
		}
		if end > micros {
			out.add(row, start, end)
		}
	}
	return nil
}

func (w *TimeWindows) shift(micros, by int64) (int64, bool) {
	if w.months {
		return addMonths(micros, by)
	}
	return addInt64(micros, by)
}

func (a *Assigned) add(row int32, start, end int64) {
	a.Rows, a.Starts, a.Ends = append(a.Rows, row), append(a.Starts, start), append(a.Ends, end)
}
