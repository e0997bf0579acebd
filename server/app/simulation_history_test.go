package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/tidemarkdb/tidemark/ingest"
)

// simFrozen is what views held when the events behind them expired.
type simFrozen struct {
	answers    map[string][]string
	watermarks map[string]string
}

// events stores events as a client sends them.
func (w *simWorld) events(s simStep) error {
	if w.acked[s.name] == nil {
		return fmt.Errorf("%w: there is no stream %s", errScript, s.name)
	}
	var rows []json.RawMessage
	if err := json.Unmarshal([]byte(s.text), &rows); err != nil {
		return fmt.Errorf("%w: %w", errScript, err)
	}
	var lines []byte
	ids := make([]struct{ ID int64 }, len(rows))
	for i, row := range rows {
		if err := json.Unmarshal(row, &ids[i]); err != nil {
			return fmt.Errorf("%w: %w", errScript, err)
		}
		lines = append(append(lines, row...), '\n')
	}
	body, err := w.server.ingest.Begin(s.name, ingest.BodyOptions{})
	if err != nil {
		return err
	}
	if err := body.Feed(w.ctx, lines); err != nil {
		return err
	}
	summary, err := body.Finish(w.ctx)
	if err != nil {
		return err
	}
	if len(summary.Errors) > 0 {
		return fmt.Errorf("%w: %v", errScript, summary.Errors)
	}
	if w.disk.hasDied() {
		return nil // as for insert
	}
	for _, row := range ids {
		w.acked[s.name][row.ID] = true
	}
	return nil
}

// expire has everything checked a last time, and then all events of the streams sealed and dropped.
func (w *simWorld) expire(s simStep) error {
	d, err := time.ParseDuration(s.name)
	if err != nil {
		return fmt.Errorf("%w: %w", errScript, err)
	}
	sleep(time.Until(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Add(d)))
	if err := w.check(); err != nil {
		return err
	}
	w.frozen = &simFrozen{maps.Clone(w.answers), w.watermarks()}
	for _, stream := range w.streams {
		open, err := w.server.ingest.Stream(stream.name)
		if err != nil {
			return err
		}
		if _, err := open.Seal(w.ctx); err != nil {
			return err
		}
		if _, err := w.query("ALTER STREAM " + stream.name + " SET (retention = '1 second')"); err != nil {
			return err
		}
	}
	segments := func() (n int) {
		for _, stream := range w.streams {
			n += len(w.server.manifest.View(stream.name).Segments)
		}
		return n
	}
	before := segments()
	for range 4 { // views are asked for checkpoints behind what is to go
		w.server.compact.Look(w.ctx)
		sleep(batchTime)
		synctest.Wait()
	}
	if !w.disk.hasDied() {
		w.seen.expired += before - segments()
	}
	return nil
}

// stays makes sure that a view is what it was when its events expired. Where the clock has moved watermarks since, windows may have closed.
func (w *simWorld) stays(v *simulatedView, got []string, now atRest) error {
	want, ok := w.frozen.answers[v.name]
	if !ok || !maps.Equal(w.frozen.watermarks, now.watermarks) {
		return nil
	}
	w.seen.outlived++
	if err := sameRows(want, got); err != nil {
		return fmt.Errorf("it is not what it was before the events expired: %w", err)
	}
	return nil
}

// evolving is the column that no query reads, of a stream whose columns change their types.
const evolving = "w"

// events are rows as a client sends them: the column that no query reads gets values that its type may not hold.
func (g *simGenerator) events() {
	if len(g.evolves) == 0 {
		g.insert()
		return
	}
	g.mark("widened column")
	s := pick(g.rng, g.evolves...)
	names := slices.Concat([]string{"id", "k", "g", "x", "ts"}, g.more[s])
	var rows []string
	for range 1 + g.rng.IntN(4) {
		row := g.row(len(g.more[s]))
		var members []string
		for i, value := range strings.Split(row[1:len(row)-1], ", ") {
			if value != "NULL" {
				members = append(members, fmt.Sprintf("%q: %s", names[i], strings.ReplaceAll(value, "'", `"`)))
			}
		}
		members = append(members, fmt.Sprintf("%q: %s", evolving, pick(g.rng, "1", "2", "3", "null", "1.5", "2.5", `"text"`)))
		rows = append(rows, "{"+strings.Join(members, ", ")+"}")
	}
	g.add("events", s, "["+strings.Join(rows, ", ")+"]")
}

// history lets the events of the script expire, and goes on without them.
func (g *simGenerator) history() {
	if !g.chance(25) {
		return
	}
	g.mark("expired history")
	g.add("expire", fmt.Sprintf("%dms", g.now+max(g.ids*1100, 0)+300_000), "")
	if g.chance(50) {
		s := g.streamSource().name
		g.add("alter", s, "ALTER STREAM "+s+" ADD COLUMN IF NOT EXISTS later BIGINT")
	}
	if g.chance(50) {
		g.add("crash", fmt.Sprint(g.rng.IntN(10)), pick(g.rng, "none", "all", fmt.Sprintf("some:%d", g.rng.IntN(1000))))
	}
	g.add("restart", "-", "")
}

// neverStrays are queries that must have no rows, of a view over streams whose late rows go elsewhere.
func (g *simGenerator) neverStrays(name, strays string, q *simQuery) {
	mine := fmt.Sprintf("l.late_view = '%s'", name)
	for _, s := range g.sources {
		if !s.stream || !strings.Contains(q.body, "$"+s.name) && !strings.Contains(q.body, "$intime:"+s.name) {
			continue
		}
		place := fmt.Sprintf("l.late_stream = '%[1]s' AND l.late_partition = r._partition AND l.late_offset = r._offset", s.name)
		if slices.Contains(g.evolves, s.name) {
			g.add("never", name, fmt.Sprintf("SELECT l.id FROM %s AS l JOIN %s AS r ON %s WHERE %s AND l.%s::TEXT IS DISTINCT FROM r.%s::TEXT",
				strays, s.name, place, mine, evolving, evolving))
		}
		if q.late == "" {
			g.add("never", name, fmt.Sprintf("SELECT r.id FROM %s AS r WHERE r.ts < r._watermark AND r.k IS NOT NULL AND NOT EXISTS "+
				"(SELECT 1 FROM %s AS l WHERE %s AND %s)", s.name, strays, mine, place))
		}
	}
	if q.late == "" {
		g.mark("else into of a join")
		g.add("never", name, "SELECT l.id FROM "+strays+" AS l WHERE "+mine+" AND l.ts >= l.late_watermark")
	}
}
