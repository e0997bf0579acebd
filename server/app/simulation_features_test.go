package app

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/views"
)

// simFeatures are what random scripts must have all of: a run in which none has one of them tests less than it says.
var simFeatures = []string{
	"asof join", "as of a bounded age", "system time", "start now", "start at a time", "little memory", "skipped events", "replaced view",
	"crash while a view is replaced", "altered view", "recompute", "else into", "recompute else into", "view over view", "view over view over view",
	"windows of a union", "idle partition", "skewed partitions", "new column", "column of a later schema",
	"widened column", "expired history", "else into of a join", "frames of two kinds",
	"above frames", "above an as-of join", "join without equal values", "frames of one partition",
}

// mark notes that the script has a feature.
func (g *simQueries) mark(feature string) { g.features[feature] = true }

// asof joins rows with the newest version of their key.
func (g *simQueries) asof() (simQuery, bool) {
	a, b := g.streamSource(), g.streamSource()
	left := pick(g.rng, "", "LEFT ")
	q := simQuery{out: simSource{texts: []string{"k"}, ints: []string{"id", "other"}, time: "ts", closes: a.closes}, windows: true, always: true, everywhere: true}
	if a.name != b.name {
		q.out.closes = "least(" + a.closes + ", " + b.closes + ")"
	}
	q.shown = "ts < " + q.out.closes
	const head = "SELECT a.id AS id, a.k AS k, a.ts AS ts, b.id AS other, b.g AS b_g FROM $%s AS a %s"
	switch g.rng.IntN(3) {
	case 0:
		g.mark("asof join")
		q.unbounded = true
		q.body = fmt.Sprintf(head+"ASOF %sJOIN $%s AS b ON a.k = b.k AND a.ts %s b.ts$late", a.name, "", left, b.name, pick(g.rng, ">=", ">"))
	case 1:
		g.mark("as of a bounded age")
		q.body = fmt.Sprintf(head+"ASOF %sJOIN $%s AS b ON a.k = b.k AND a.ts >= b.ts TOLERANCE INTERVAL '%d seconds'$late", a.name, "", left, b.name,
			pick(g.rng, 1, 5, 20))
	default:
		g.mark("system time")
		q.unbounded = true
		q.body = fmt.Sprintf(head+"%sJOIN $%s FOR SYSTEM_TIME AS OF a.ts AS b ON a.k = b.k$late", a.name, "", left, b.name)
	}
	return q, true
}

// started begins at a time or behind what there is when it is made. $since is which rows count then.
func (g *simQueries) started() (simQuery, bool) {
	s := g.streamSource()
	q := simQuery{start: "now", everywhere: true}
	if g.chance(50) {
		g.mark("start at a time")
		q.start = simTime(1000 * (g.rng.IntN(40_000) + 1))
	} else {
		g.mark("start now")
	}
	list, out := g.aggregates(s)
	switch g.rng.IntN(3) {
	case 0:
		q.body = fmt.Sprintf("SELECT id, k, g FROM $%s WHERE $since", s.name)
		q.out = simSource{texts: []string{"k"}, ints: []string{"id", "g"}}
	case 1:
		out.texts = []string{"k"}
		q.body, q.out, q.unbounded = fmt.Sprintf("SELECT k, %s FROM $%s WHERE $since GROUP BY k", list, s.name), out, true
	default:
		out.time, out.closes = "window_end", "("+s.closes+" + INTERVAL '1 microsecond')"
		q.body = fmt.Sprintf("SELECT window_end, %s FROM TUMBLE(TABLE $%s, DESCRIPTOR(ts), INTERVAL '10 seconds') WHERE $since "+
			"GROUP BY window_start, window_end$late", list, s.name)
		q.out, q.shown, q.windows, q.corrects = out, "window_end <= "+s.closes, true, true
	}
	return q, true
}

// skipping fails over some rows, which are left out one by one.
func (g *simQueries) skipping() (simQuery, bool) {
	g.mark("skipped events")
	s := g.streamSource()
	const fails, value = "(g = 3 AND k IS NOT NULL) IS NOT TRUE", "(CASE WHEN g = 3 THEN k ELSE '7' END)::BIGINT"
	q := simQuery{skips: fails, everywhere: true, out: simSource{texts: []string{"k"}, ints: []string{"x"}}}
	q.body = fmt.Sprintf("SELECT id, k, %s AS x FROM $%s WHERE $since", value, s.name)
	if g.chance(50) {
		q.body = fmt.Sprintf("SELECT k, count(*) AS n, sum(%s) AS x FROM $%s WHERE $since GROUP BY k", value, s.name)
		q.unbounded = true
	}
	return q, true
}

// mixedOver has frames that the watermark completes beside others, which see all rows so far: so rows show at once, and change.
func (g *simQueries) mixedOver() (simQuery, bool) {
	g.mark("frames of two kinds")
	s := g.streamSource()
	timely := pick(g.rng, "RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW", "RANGE UNBOUNDED PRECEDING")
	other := pick(g.rng, "ntile(3) OVER (PARTITION BY k ORDER BY id, ts$ties)", "max(g) OVER (PARTITION BY k)", "count(*) OVER ()",
		"rank() OVER (PARTITION BY k ORDER BY g DESC)")
	over := fmt.Sprintf("SELECT id, k, g, ts, sum(g) OVER (PARTITION BY k ORDER BY ts %s) AS a0", timely)
	body := over + ", " + other + fmt.Sprintf(" AS a1 FROM $%s WHERE $intime", s.name)
	if g.chance(40) {
		body = "SELECT id, k, a0, " + other + " AS a1 FROM (" + over + fmt.Sprintf("$ties FROM $%s WHERE $intime) AS f WHERE a0 > 2", s.name)
		body = strings.ReplaceAll(body, "$ties", "")
	}
	return simQuery{body: body, out: simSource{texts: []string{"k"}, ints: []string{"id", "a0", "a1"}}, unbounded: true, everywhere: true}, true
}

// aboveFrames are what sees all rows so far of frames or of an as-of join, those included that the watermark has not passed.
func (g *simQueries) aboveFrames() (simQuery, bool) {
	q := simQuery{out: simSource{texts: []string{"k"}, ints: []string{"x", "y"}}, unbounded: true, everywhere: true}
	a, b := g.streamSource(), g.streamSource()
	var below string
	if g.chance(30) {
		g.mark("above an as-of join")
		q.windows = true
		below = fmt.Sprintf("SELECT a.id AS id, a.k AS k, a.g AS g, a.ts AS ts, b.id AS a0 FROM $%s AS a ASOF %sJOIN $%s AS b "+
			"ON a.k = b.k AND a.ts >= b.ts$late", a.name, pick(g.rng, "", "LEFT "), b.name)
	} else {
		g.mark("above frames")
		over := pick(g.rng, "sum(g) OVER (%sORDER BY ts RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND CURRENT ROW)", "count(*) OVER (%sORDER BY ts)",
			"max(g) OVER (%sORDER BY ts$ties ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)", "lag(g) OVER (%sORDER BY ts$ties)", "row_number() OVER (%sORDER BY ts$ties)",
			"nth_value(g, 2) OVER (%sORDER BY ts$ties ROWS 3 PRECEDING)")
		below = "SELECT id, k, g, ts, " + fmt.Sprintf(over, pick(g.rng, "PARTITION BY k ", "PARTITION BY g ", "")) + " AS a0 FROM $" + a.name + " WHERE $intime"
	}
	const again = "(SELECT k, max(a0) OVER (PARTITION BY g ORDER BY ts RANGE BETWEEN INTERVAL '3 seconds' PRECEDING AND CURRENT ROW) AS b " +
		"FROM (%s) AS f WHERE a0 > 1)"
	above := []string{
		"SELECT k, count(*) AS x, sum(a0) AS y FROM (%s) AS f GROUP BY k",
		"SELECT k, max(a0) AS x, min(id) AS y FROM (%s) AS f WHERE a0 > 1 GROUP BY k",
		"SELECT window_end, k, count(*) AS x, sum(a0) AS y FROM TUMBLE(TABLE (%s), DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_end, k",
		"SELECT window_end, k, max(a0) AS x, avg(a0) AS y FROM HOP(TABLE (%s), DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '10 seconds') GROUP BY window_end, k",
		"SELECT DISTINCT ON (k) k, id AS x, a0 AS y FROM (%s) AS f ORDER BY k, a0 DESC NULLS LAST, id",
		"SELECT k, id AS x, a0 AS y FROM (%s) AS f ORDER BY a0 DESC NULLS LAST, id, k LIMIT 3",
		"SELECT DISTINCT k, a0 AS x, g AS y FROM (%s) AS f",
		"SELECT k, x, r AS y FROM (SELECT k, id AS x, row_number() OVER (PARTITION BY k ORDER BY a0 DESC, id) AS r FROM (%s) AS f) AS t WHERE r <= 2",
		"SELECT f.k AS k, f.id AS x, b.id AS y FROM (%s) AS f " + pick(g.rng, "JOIN", "LEFT JOIN") + " $" + b.name + " AS b ON f.k = b.k AND f.a0 = b.g",
		"SELECT k, sum(b) AS x, count(*) AS y FROM " + again + " AS h GROUP BY k",
	}
	if !q.windows { // behind these LATE DROP would be that of the second
		above = append(above, "SELECT k, id AS x, a0 AS y FROM (%s) AS f UNION ALL SELECT k, id, g FROM $"+b.name,
			"SELECT k, a0 AS x, g AS y FROM (%s) AS f EXCEPT SELECT k, g, id FROM $"+b.name)
	}
	q.body = fmt.Sprintf(pick(g.rng, above...), below)
	return q, true
}

// unionWindow is a window over the rows of two streams, each of which is late by its own stream's watermark.
func (g *simQueries) unionWindow() (simQuery, bool) {
	a, b := g.streamSource(), g.streamSource()
	if a.name == b.name {
		return simQuery{}, false
	}
	g.mark("windows of a union")
	closes := "least(" + a.closes + ", " + b.closes + ")"
	list, out := g.aggregates(simSource{ints: []string{"id", "g"}, texts: []string{"k"}, doubles: []string{"x"}})
	both := fmt.Sprintf("(SELECT id, k, g, x, ts FROM $%s UNION ALL SELECT id, k, g, x, ts FROM $%s)", a.name, b.name)
	call := pick(g.rng, "TUMBLE(TABLE %s, DESCRIPTOR(ts), INTERVAL '10 seconds')", "HOP(TABLE %s, DESCRIPTOR(ts), INTERVAL '5 seconds', INTERVAL '10 seconds')")
	out.texts, out.time, out.closes = []string{"k"}, "window_end", "("+closes+" + INTERVAL '1 microsecond')"
	return simQuery{
		body: "SELECT window_end, k, " + list + " FROM " + fmt.Sprintf(call, both) + " GROUP BY window_start, window_end, k$late",
		out:  out, shown: "window_end <= " + closes, windows: true, corrects: true, everywhere: true,
	}, true
}

// since is which rows of a stream a view counts, in the query that it is held to.
func (q *simQuery) since(view string) string {
	switch q.start {
	case "":
		return q.skips
	case "now":
		return "{now:" + view + "}"
	default:
		return "ts >= TIMESTAMPTZ '" + q.start + "'"
	}
}

// options are those of a view that has some.
func (g *simGenerator) options(q *simQuery, replaces bool) string {
	var list []string
	switch {
	case !replaces && q.unbounded && g.chance(15):
		g.mark("little memory")
		list = append(list, fmt.Sprintf("memory = '%dKB'", pick(g.rng, 10, 20, 60)))
	case q.unbounded:
		list = append(list, "memory = '16MB'")
	}
	if q.start != "" {
		list = append(list, "start_from = '"+q.start+"'")
	}
	if len(list) == 0 {
		return ""
	}
	return " WITH (" + strings.Join(list, ", ") + ")"
}

// alter changes a view or gives a stream another column.
func (g *simGenerator) alter() {
	var views, streams []int
	for i, s := range g.sources {
		if s.stream {
			streams = append(streams, i)
		} else {
			views = append(views, i)
		}
	}
	if len(views) > 0 && g.chance(50) {
		g.mark("altered view")
		name := g.sources[pick(g.rng, views...)].name
		g.add("alter", name, "ALTER MATERIALIZED VIEW "+name+pick(g.rng, " RESUME", " SET (memory = '24MB')", " SET (memory = '32MB')"))
		return
	}
	g.mark("new column")
	s := &g.sources[pick(g.rng, streams...)]
	name := fmt.Sprintf("y%d", len(s.ints))
	s.ints = append(s.ints[:len(s.ints):len(s.ints)], name)
	g.past[s.name] = nil
	g.more[s.name] = append(g.more[s.name], name)
	g.add("alter", s.name, "ALTER STREAM "+s.name+" ADD COLUMN IF NOT EXISTS "+name+" BIGINT")
	g.insert()
	g.view()
}

// markReads notes what a view reads.
func (g *simGenerator) markReads(view, body string) {
	g.depth[view] = 1
	for _, s := range g.sources {
		if !s.stream && strings.Contains(body, "$"+s.name) {
			g.depth[view] = max(g.depth[view], g.depth[s.name]+1)
		}
	}
	if g.depth[view] > 1 {
		g.mark("view over view")
	}
	if g.depth[view] > 2 {
		g.mark("view over view over view")
	}
	for _, columns := range g.more {
		for _, c := range columns {
			if strings.Contains(body, c) {
				g.mark("column of a later schema")
			}
		}
	}
}

// unblock has views go on that wait for somebody: for an event to be left out, or for memory. It reports whether there were any.
func (w *simWorld) unblock() (helped bool, err error) {
	for _, v := range w.server.views.List() {
		status := v.Status()
		at := slices.IndexFunc(w.views, func(s *simulatedView) bool { return s.name == status.Name })
		if at < 0 {
			continue
		}
		var sql string
		switch {
		case status.State == views.Failed && w.views[at].skips:
			w.seen.skipped++
			sql = "ALTER MATERIALIZED VIEW " + status.Name + " RESUME SKIP"
		case status.State == views.Paused:
			w.seen.paused++
			sql = "ALTER MATERIALIZED VIEW " + status.Name + " SET (memory = '16MB')"
		default:
			continue
		}
		if _, err := w.query(sql); err != nil {
			return false, fmt.Errorf("%s: %w", sql, err)
		}
		helped = true
	}
	return helped, nil
}

// begins notes that a view of start_from = 'now' has been made, and what there was by then.
func (w *simWorld) begins(v *simulatedView) {
	v.begun = "TRUE"
	for _, s := range w.streams {
		tail, err := w.server.ingest.Tail(s.name)
		if err != nil || !regexp.MustCompile(`(FROM|TABLE) `+s.name+`\b`).MatchString(v.create) {
			continue
		}
		for p, next := range tail.Next {
			v.begun += fmt.Sprintf(" AND NOT (_partition = %d AND _offset < %d)", p, next)
		}
	}
}

// waits tells of a subscriber whose view has stopped at an event: the next check has it go on.
func (w *simWorld) waits(f *simFollower, err error) bool {
	var fault *event.Error
	return errors.As(err, &fault) && fault.Code == event.CodeConflict && slices.ContainsFunc(w.views, func(v *simulatedView) bool {
		return v.skips && strings.Contains(f.query+" ", "FROM "+v.name+" ")
	})
}

// stoppedFor is a line of the log about a view that stopped and should not have; empty for none.
func (w *simWorld) stoppedFor() string {
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "view has stopped") && !slices.ContainsFunc(w.views, func(v *simulatedView) bool {
			return v.skips && strings.Contains(line, "view="+v.name+" ")
		}) {
			return line
		}
	}
	return ""
}
