package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// span is a stretch of time, from start to before end.
type span struct{ start, end int64 }

// floorToSpans gives each time the start of its span. Events stand nearly in order of time, so the next value mostly lies in the
// span of the last, and find is called only where it does not.
func floorToSpans(c *call, times column[int64], find func(micros int64) (span, bool)) (arrow.Array, error) {
	out := make([]int64, c.rows)
	var current span
	for i := range out {
		t := times.values[i&times.mask]
		if t < current.start || t >= current.end {
			found, ok := find(t)
			if !ok {
				if !c.valid.Valid(i) {
					continue
				}
				return nil, errSpanRange(t)
			}
			current = found
		}
		out[i] = current.start
	}
	return event.NewTimestamps(out, c.valid), nil
}

func errSpanRange(micros int64) error {
	return event.Errorf(event.CodeInvalidValue, "timestamp out of range: what %s falls into begins too early", event.FormatTimestamp(micros))
}

// spanOf is the span of a fixed width that starts at start; one that reaches past the end of time is cut there.
func spanOf(start, width int64) span {
	end, ok := addInt64(start, width)
	if !ok {
		end = math.MaxInt64
	}
	return span{start: start, end: end}
}

// daySpan is the span between two days counted from 1970; false if it begins before the first time there is.
func daySpan(first, next int64) (span, bool) {
	start, ok := fromDays(first, 0)
	if !ok {
		return span{}, false
	}
	end, ok := fromDays(next, 0)
	if !ok {
		end = math.MaxInt64
	}
	return span{start: start, end: end}, true
}
