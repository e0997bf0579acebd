package continuous

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// paneWindows is how overlapping windows of fixed length lie over panes, the stretches that no window's bound falls into. All times are
// in microseconds.
type paneWindows struct {
	step, size int64
	pane       int64 // the length of a pane: the greatest that divides both
	growing    bool  // CUMULATE: windows that start together, each a step longer
	origin     int64 // a time at which a window starts
}

// newPaneWindows finds how the windows of an assignment lie; ok is false where they do not overlap or are of months.
func newPaneWindows(n *plan.Assign, windows *kernel.TimeWindows) (*paneWindows, bool) {
	if n.Step == nil {
		return nil, false
	}
	step, fixedStep := micros(n.Step)
	size, fixedSize := micros(n.Size)
	if !fixedStep || !fixedSize || size < 2*step {
		return nil, false
	}
	var found kernel.Assigned
	if err := windows.Append(&found, 0, 0); err != nil || len(found.Starts) == 0 {
		return nil, false
	}
	w := &paneWindows{step: step, size: size, pane: divisor(step, size), growing: n.Kind == plan.Cumulate, origin: found.Starts[0]}
	return w, true
}

func (w *paneWindows) describe() string {
	text := func(micros int64) string {
		return event.FormatInterval(arrow.MonthDayNanoInterval{Nanoseconds: micros * 1000})
	}
	return fmt.Sprintf("panes of %s, windows of %s by %s", text(w.pane), text(w.size), text(w.step))
}

func divisor(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// floorTo is the last time at or before a time that lies a multiple of a length from another.
func floorTo(at, length, from int64) int64 {
	rest := (at - from) % length
	if rest < 0 {
		rest += length
	}
	return at - rest
}

// paneOf is where the pane of a time starts.
func (w *paneWindows) paneOf(at int64) int64 { return floorTo(at, w.pane, w.origin) }

// firstEnd is the end of the first window that holds a time, and lastEnd that of the last: those between are steps apart.
func (w *paneWindows) firstEnd(at int64) int64 {
	if w.growing {
		return floorTo(at, w.step, w.origin) + w.step
	}
	return floorTo(at, w.step, w.origin+w.size) + w.step
}

func (w *paneWindows) lastEnd(at int64) int64 {
	if w.growing {
		return floorTo(at, w.size, w.origin) + w.size
	}
	return floorTo(at, w.step, w.origin) + w.size
}

// start is where the window with an end starts.
func (w *paneWindows) start(end int64) int64 {
	if w.growing {
		return floorTo(end-1, w.size, w.origin)
	}
	return end - w.size
}

// endAfter is the first end of a window after a time that is one.
func (w *paneWindows) endAfter(end int64) int64 { return end + w.step }
