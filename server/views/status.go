package views

import (
	"fmt"
	"math"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// Status describes a view to people.
type Status struct {
	Name   string
	State  State
	Detail string
	// Failure is set where the view has failed.
	Failure error
	// Lag is how many rows of its streams the view has not taken yet.
	Lag  int64
	Rows int64
	// StateBytes is the memory that the view's machine takes.
	StateBytes int64
	Late       int64
	// Closed is the time up to which the content is complete, continuous.NoWatermark where there is none.
	Closed int64
	Marks  []Mark
	// Lost are rows of streams that the view should have and that had expired when it came to them.
	Lost []Loss
	// Memory is what the view holds in memory, in bytes: its state and the rows that no segment holds. Disk is what it keeps in temporary
	// files, and Limit what it may hold in memory now; 0 for no bound.
	Memory, Disk, Limit int64
	// HeldBytes is how much of the changelogs of the views that it reads it has still to read, or would read again after a restart.
	HeldBytes int64
	// Replayed is how many rows of its inputs the view read again when it started last: those since its newest checkpoint.
	Replayed int64
}

// Status is how the view is now.
func (v *View) Status() Status {
	v.mu.Lock()
	out := Status{Name: v.mu.definition.Name, State: v.mu.state, Failure: v.mu.failure, Closed: continuous.NoWatermark}
	inputs, skips, snapshot, taken := v.mu.definition.Inputs, v.mu.definition.Skipped, v.mu.snapshot, v.mu.taken
	out.Replayed, out.Memory, out.Disk = v.mu.replayed, v.mu.memory, v.mu.disk
	slow := v.mu.slow
	v.mu.Unlock()
	if snapshot != nil {
		if snapshot.Fault != nil {
			out.Detail = "has no answer for now: " + snapshot.Fault.Error()
		}
		out.Rows, out.StateBytes, out.Late = snapshot.Rows(), snapshot.StateBytes, snapshot.Late
		out.Closed, out.Marks = snapshot.Closed, snapshot.Marks
		out.Lost = v.set.losses(snapshot)
	}
	out.Limit, _ = v.limit()
	held := int64(0)
	for _, name := range inputs {
		newest, ok := v.set.newest(name)
		if !ok || newest.Generation != 0 {
			continue
		}
		for p, next := range newest.Vector {
			held += int64(next)
			for _, m := range out.Marks {
				if m.Name == name && p < len(m.Vector) {
					out.Lag -= int64(m.Vector[p])
				}
			}
		}
	}
	out.Lag += held
	switch {
	case (out.State == Failed || out.State == Paused) && out.Failure != nil:
		out.Detail = out.Failure.Error()
	case slow:
		out.Detail = strings.TrimPrefix(out.Detail+"; it has little memory left and takes rows in small portions", "; ")
	case out.State == Building && held > 0:
		out.Detail = fmt.Sprintf("%d %% of its input is read", min(100, 100*taken/held))
	}
	holding, bytes := v.set.holding(v)
	if out.HeldBytes = bytes; holding != "" {
		out.Detail = strings.TrimPrefix(out.Detail+"; "+holding, "; ")
	}
	for i, skipped := range skips {
		if i == 3 && len(skips) > 4 {
			out.Detail += fmt.Sprintf(" and of %d more", len(skips)-i)
			break
		}
		lead := "; it leaves out "
		if i > 0 {
			lead = ", "
		}
		out.Detail = strings.TrimPrefix(out.Detail+lead+skipped.String(), "; ")
	}
	for _, loss := range out.Lost {
		out.Detail = strings.TrimPrefix(out.Detail+"; "+loss.String(), "; ")
	}
	return out
}

// Lag is how many rows the streams have beyond marks. Rows that come while it is counted may count.
func (s *Set) Lag(marks []Mark) int64 {
	lag := int64(0)
	for _, m := range marks {
		newest, ok := s.newest(m.Name)
		if !ok || newest.Generation != 0 {
			continue
		}
		for p, next := range newest.Vector {
			lag += int64(max(0, next-m.Vector.At(event.Partition(p))))
		}
	}
	return lag
}

// HeldBy says in words what keeps the view from being complete up to a later time.
func (s Status) HeldBy() []string {
	var least *Mark
	partition, lowest := 0, int64(math.MaxInt64)
	for i, m := range s.Marks {
		for p, w := range m.Watermarks {
			if m.Generation != 0 && p > 0 {
				continue // the second one of a view is its final one
			}
			if w < lowest {
				least, partition, lowest = &s.Marks[i], p, w
			}
		}
		if len(m.Watermarks) == 0 {
			least, partition, lowest = &s.Marks[i], 0, continuous.NoWatermark
		}
	}
	if least == nil {
		return nil
	}
	what := fmt.Sprintf("it waits for stream %s, partition %d", least.Name, partition)
	if least.Generation != 0 {
		what = "it waits for view " + least.Name
	}
	if lowest == continuous.NoWatermark {
		return []string{what + ", which has no watermark yet"}
	}
	return []string{what + ", whose watermark is " + string(event.AppendTimestamp(nil, lowest))}
}
