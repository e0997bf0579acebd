package views

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// Lack is a range of a stream that damage has taken before a view came to it, and that nobody has accepted as lost: what the view answers is
// without those rows.
type Lack struct {
	// View is empty for what a subscription to the stream itself would lack.
	View, Stream string
	// Detail says which rows are missing, by partition and offset, and why, Hint what to do.
	Detail, Hint string
	Offsets      int64
}

// String says it in words.
func (l Lack) String() string {
	if l.View == "" {
		return fmt.Sprintf("stream %s: %s", l.Stream, l.Detail)
	}
	return fmt.Sprintf("view %s: stream %s: %s", l.View, l.Stream, l.Detail)
}

// Fault is the failure of what would lack the range.
func (l Lack) Fault() *event.Error {
	return event.Errorf(event.CodeCorrupt, "%s", l).WithHint("%s", l.Hint)
}

// Lacks are the ranges that a view lacks, or is about to, and those of the views that it reads, each once. It fails for one that cannot be read
// yet: what that will lack is not known.
func (s *Set) Lacks(name string) ([]Lack, error) {
	v, err := s.find(name)
	if err != nil {
		return nil, err
	}
	if v.snapshot() == nil {
		return nil, v.unreadable()
	}
	var out []Lack
	seen := map[string]bool{}
	var look func(name string)
	look = func(name string) {
		v, err := s.find(name)
		if err != nil || seen[name] {
			return
		}
		seen[name] = true
		for _, lack := range v.lacks() {
			if key := lack.Stream + " " + lack.Detail; !seen[key] {
				seen[key] = true
				out = append(out, lack)
			}
		}
		for _, input := range v.Definition().Inputs {
			look(input)
		}
	}
	look(name)
	return out, nil
}

// lacks are the ranges that the view itself lacks.
func (v *View) lacks() []Lack {
	definition, snapshot := v.Definition(), v.snapshot()
	if snapshot == nil { // it comes back, and what reads it has what it had
		return nil
	}
	lost := snapshot.Lost
	for _, m := range snapshot.Marks {
		stream, ok := v.set.options.Catalog.Stream(m.Name)
		if !ok || len(stream.Quarantined) == 0 {
			continue
		}
		if loss, ok := damageBetween(m, endOf(stream.Quarantined), stream.Quarantined, true); ok {
			lost = withLoss(lost, loss)
		}
	}
	var out []Lack
	for _, loss := range lost {
		if stream, ok := v.set.options.Catalog.Stream(loss.Stream); ok && loss.Damaged {
			out = append(out, loss.lacks(definition.Name, stream.Quarantined)...)
		}
	}
	return out
}

// lacks are the ranges of a loss that nobody has accepted.
func (l Loss) lacks(view string, quarantined []catalog.Quarantine) (out []Lack) {
	known := false
	for _, q := range quarantined {
		if !l.has(q) {
			continue
		}
		if known = true; !q.Accepted {
			out = append(out, Lack{
				View: view, Stream: l.Stream, Detail: q.String(), Offsets: q.Offsets(),
				Hint: "allow_corrupt=true answers from the other rows; stats.offsets_skipped then says how many offsets are missing",
			})
		}
	}
	if !known { // a later start could read them after all
		out = append(out, Lack{
			View: view, Stream: l.Stream, Offsets: l.offsets(),
			Detail: fmt.Sprintf("offsets between %s and %s were lost to damage when it came to them, and are there again", l.From, l.To),
			Hint:   "CREATE OR REPLACE MATERIALIZED VIEW builds it anew; allow_corrupt=true answers without those rows",
		})
	}
	return out
}

// has reports whether a range is among the rows.
func (l Loss) has(q catalog.Quarantine) bool {
	return max(q.From, l.From.At(q.Partition)) < min(q.To, l.To.At(q.Partition))
}

// offsets is how many offsets there are at most.
func (l Loss) offsets() (n int64) {
	for p, to := range l.To {
		n += int64(to - l.From.At(event.Partition(p)))
	}
	return n
}
