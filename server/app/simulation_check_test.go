package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

// batchTime is longer than any view of a simulation gathers changes.
const batchTime = time.Second

// check holds views and subscribers to what they must have, once all has come to rest. Time that passes meanwhile may move watermarks:
// then it looks again.
func (w *simWorld) check() error {
	for range 50 {
		before, err := w.rest()
		if err != nil {
			return err
		}
		err = w.checkAll(before)
		if w.disk.hasDied() {
			if err := w.reopen(); err != nil {
				return fmt.Errorf("start after a crash while checking: %w", err)
			}
			continue
		}
		if after := w.state(); after != before.text {
			continue
		}
		if line := w.log.lineWith("built anew"); err == nil && line != "" {
			return fmt.Errorf("the log says: %s", line)
		}
		w.seen.checks++
		return err
	}
	return fmt.Errorf("the watermarks never come to rest")
}

// sleep lets virtual time pass.
func sleep(d time.Duration) { time.Sleep(d) } //nolint:forbidigo // in a bubble of testing/synctest

// atRest is how far streams and views are at a moment when nothing happens.
type atRest struct {
	text       string
	watermarks map[string]string
}

// rest waits until every view has taken what there is.
func (w *simWorld) rest() (atRest, error) {
	last := ""
	for range 200 {
		sleep(batchTime) // views that gather changes give them
		synctest.Wait()
		if w.disk.hasDied() {
			return atRest{}, nil
		}
		if helped, err := w.unblock(); err != nil || helped {
			if err != nil && !w.disk.hasDied() {
				return atRest{}, err
			}
			continue
		}
		now := w.state()
		if line := w.stoppedFor(); line != "" {
			return atRest{}, fmt.Errorf("the log says: %s", line)
		}
		if now == last {
			return atRest{now, w.watermarks()}, w.arrived()
		}
		last = now
	}
	return atRest{}, fmt.Errorf("the views never come to rest:\n%s", last)
}

// state describes how far everything is.
func (w *simWorld) state() string {
	var b strings.Builder
	for _, s := range w.streams {
		if view, err := w.server.ingest.Tail(s.name); err == nil {
			fmt.Fprintf(&b, "%s %v %v\n", s.name, view.Next, view.Clocks)
		}
	}
	for _, v := range w.server.views.List() {
		status := v.Status()
		fmt.Fprintf(&b, "%s %s %v %d %s\n", status.Name, status.State, status.Marks, status.Closed, status.Detail)
	}
	return b.String()
}

// arrived makes sure that the views have read their streams up to the end, watermarks included.
func (w *simWorld) arrived() error {
	for _, v := range w.server.views.List() {
		for _, m := range v.Status().Marks {
			tail, err := w.server.ingest.Tail(m.Name)
			if err != nil {
				continue // a view
			}
			for p, clock := range tail.Clocks {
				if m.Vector.At(event.Partition(p)) != tail.Next.At(event.Partition(p)) {
					return fmt.Errorf("view %s has read up to %v of %s, which ends at %v", v.Definition().Name, m.Vector, m.Name, tail.Next)
				}
				if clock.HasWatermark && (p >= len(m.Watermarks) || m.Watermarks[p] != clock.Watermark) {
					return fmt.Errorf("view %s does not know the watermarks of %s", v.Definition().Name, m.Name)
				}
			}
		}
	}
	return nil
}

// watermarks are those of the streams as SQL: each is that of the partition furthest behind, and before all times as long as there is one
// without.
func (w *simWorld) watermarks() map[string]string {
	out := map[string]string{}
	for _, s := range w.streams {
		at, known := int64(0), false
		if tail, err := w.server.ingest.Tail(s.name); err == nil {
			for p, clock := range tail.Clocks {
				known = (known || p == 0) && clock.HasWatermark
				if at = min(at, clock.Watermark); p == 0 {
					at = clock.Watermark
				}
			}
		}
		if out["{"+s.name+"}"] = "TIMESTAMPTZ '1900-01-01 00:00:00Z'"; known {
			out["{"+s.name+"}"] = "TIMESTAMPTZ '" + string(event.AppendTimestamp(nil, at)) + "'"
		}
	}
	for _, v := range w.views {
		out["{now:"+v.name+"}"] = v.begun
	}
	return out
}

func (w *simWorld) checkAll(now atRest) error {
	for _, v := range w.views {
		if err := w.checkView(v, now); err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.follower)) {
		if err := w.checkFollower(w.follower[name], now); err != nil {
			return fmt.Errorf("subscriber %s: %w", name, err)
		}
	}
	return nil
}

// with puts the watermarks into a query.
func (now atRest) with(sql string) string {
	for name, value := range now.watermarks {
		sql = strings.ReplaceAll(sql, name, value)
	}
	return sql
}

func (w *simWorld) checkView(v *simulatedView, now atRest) error {
	if v.equals == "" {
		return nil
	}
	got, err := w.query("SELECT * FROM " + v.name)
	if err != nil {
		return err
	}
	if w.frozen != nil {
		return w.stays(v, got, now)
	}
	want, err := w.query(now.with(v.equals))
	if err != nil {
		return fmt.Errorf("%s: %w", now.with(v.equals), cutOut(err))
	}
	if err := sameRows(want, got); err != nil {
		return fmt.Errorf("it is not what %s gives: %w", now.with(v.equals), err)
	}
	w.answers[v.name] = got
	w.seen.views, w.seen.rows, w.seen.filled = w.seen.views+1, w.seen.rows+len(got), w.seen.filled+min(1, len(got))
	for _, never := range v.never {
		found, err := w.query(now.with(never))
		if err != nil {
			return fmt.Errorf("%s: %w", never, cutOut(err))
		}
		if len(found) > 0 {
			return fmt.Errorf("%s gives %v", never, found)
		}
	}
	if v.late == "" {
		return nil
	}
	want, err = w.query(now.with(v.late))
	if err != nil {
		return fmt.Errorf("%s: %w", v.late, cutOut(err))
	}
	view, ok := w.server.views.View(v.name)
	if late := fmt.Sprintf("|%d", view.Status().Late); !ok || !slices.Equal(want, []string{late}) {
		return fmt.Errorf("it counted %s late rows; %s gives %v", late, v.late, want)
	}
	w.seen.late += min(1, int(view.Status().Late))
	return nil
}

func (w *simWorld) checkFollower(f *simFollower, now atRest) error {
	if err := f.read(w, 1<<30); err != nil {
		return err
	}
	want, err := w.query(now.with(f.answers))
	if err != nil {
		return fmt.Errorf("%s: %w", f.answers, err)
	}
	if f.resets > w.replaced {
		return fmt.Errorf("it was told to begin anew, and no view was replaced")
	}
	if err := sameRows(want, f.rows()); err != nil {
		return fmt.Errorf("it did not get what %s gives: %w", now.with(f.answers), err)
	}
	return nil
}

// sameRows tells what is missing and what is too much.
func sameRows(want, got []string) error {
	if slices.Equal(want, got) {
		return nil
	}
	count := map[string]int{}
	for _, line := range want {
		count[line]++
	}
	for _, line := range got {
		count[line]--
	}
	var b strings.Builder
	for _, line := range slices.Sorted(maps.Keys(count)) {
		switch n := count[line]; {
		case n > 0:
			fmt.Fprintf(&b, "\n  missing %s (%d)", line, n)
		case n < 0:
			fmt.Fprintf(&b, "\n  too much %s (%d)", line, -n)
		}
	}
	return fmt.Errorf("of %d rows:%s", len(want), b.String())
}
