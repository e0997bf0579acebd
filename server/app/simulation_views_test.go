package app

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// simSource is a stream or view that views of a simulation can read. sql is what stands for it in the query that a view is held to.
type simSource struct {
	name, sql string
	// texts, ints and doubles are its columns by type; every stream has id, which tells rows apart.
	texts, ints, doubles []string
	// time is the column that the watermark speaks of, empty for none, and closes that watermark as SQL.
	time, closes string
	stream       bool
}

// simQuery is a query that a view can keep.
type simQuery struct {
	// body has $name for every source, $intime:name for those rows of a stream that are not behind their watermark, and $late or $ontime where the
	// query that the view is held to says what becomes of late rows, and $ties where that query orders rows of one time as a view does.
	body string
	// out describes the view's columns.
	out simSource
	// shown is which rows there are with EMIT ON WINDOW CLOSE, empty where that is refused; always tells that it is so in any case.
	shown  string
	always bool
	// unbounded queries need WITH (memory = ...).
	unbounded bool
	// windows says that rows may be late for it; corrects that it takes LATE RECOMPUTE; late counts what it leaves out.
	windows, corrects bool
	late              string
	// strays tells that late rows can go elsewhere where late does not say how many there are.
	strays bool
	// everywhere says that the answer does not depend on the partitions, as long as no row is late and no two have one time.
	everywhere bool
	// start is WITH (start_from = ...), skips the condition of the rows that the query does not fail over; $since in body is what they say.
	start, skips string
}

// simQueries makes random queries over some sources.
type simQueries struct {
	rng     *rand.Rand
	sources []simSource
	columns int
	// features are what the script has, of simFeatures.
	features map[string]bool
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

func (g *simQueries) chance(percent int) bool { return g.rng.IntN(100) < percent }

// source picks one that fits.
func (g *simQueries) source(fits func(simSource) bool) (simSource, bool) {
	var out []simSource
	for _, s := range g.sources {
		if fits(s) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return simSource{}, false
	}
	return pick(g.rng, out...), true
}

func (g *simQueries) streamSource() simSource {
	s, _ := g.source(func(s simSource) bool { return s.stream })
	return s
}

// next makes a query of a random kind.
func (g *simQueries) next() simQuery {
	kinds := []func() (simQuery, bool){
		g.filter, g.window, g.window, g.window, g.hop, g.session, g.session, g.rolling, g.rolling, g.group, g.group, g.distinctOn, g.latestOn,
		g.mostOfWindow, g.topOfWindow, g.topOfAll, g.groupsOfGroups, g.nearJoin, g.nearJoin, g.keyJoin, g.keyJoin, g.windowJoin, g.union, g.set,
		g.exists, g.bucket, g.asof, g.asof, g.started, g.started, g.skipping, g.unionWindow, g.mixedOver,
		g.aboveFrames, g.aboveFrames,
	}
	for {
		if q, ok := pick(g.rng, kinds...)(); ok {
			return q
		}
	}
}

// condition is a random WHERE, often none.
func (g *simQueries) condition(s simSource, as string) string {
	if g.chance(60) {
		return ""
	}
	return " WHERE " + g.predicate(s, as)
}

func (g *simQueries) predicate(s simSource, as string) string {
	if len(s.texts) > 0 && g.chance(30) {
		k := as + pick(g.rng, s.texts...)
		return pick(g.rng, k+" IS NOT NULL", k+" <> 'b'", k+" IN ('a', 'c')")
	}
	x := as + pick(g.rng, s.ints...)
	return pick(g.rng, x+" > 3", x+" % 2 = 0", x+" IS NOT NULL", x+" BETWEEN 1 AND 9")
}

// aggregates are some, each with a name.
func (g *simQueries) aggregates(s simSource) (list string, out simSource) {
	x := func() string { return pick(g.rng, append(slices.Clone(s.ints), s.doubles...)...) }
	makers := []func() string{
		func() string { return "count(*)" },
		func() string { return "count(" + x() + ")" },
		func() string { return "sum(" + x() + ")" },
		func() string { return "min(" + x() + ")" },
		func() string { return "max(" + x() + ")" },
		func() string { return "avg(" + x() + ")" },
		func() string { return "count(DISTINCT " + x() + ")" },
		func() string { return "sum(DISTINCT " + pick(g.rng, s.ints...) + ")" },
		func() string { return "count(*) FILTER (WHERE " + g.predicate(s, "") + ")" },
		func() string { return "sum(" + x() + ") FILTER (WHERE " + g.predicate(s, "") + ")" },
		func() string { return "median(" + x() + ")" },
		func() string { return "stddev_pop(" + x() + ")" },
	}
	var parts []string
	for range 1 + g.rng.IntN(3) {
		g.columns++
		made, name := g.rng.IntN(len(makers)), fmt.Sprintf("agg%d", g.columns)
		call := makers[made]()
		parts = append(parts, call+" AS "+name)
		switch made {
		case 0, 1, 6, 7, 8:
			out.ints = append(out.ints, name)
		default:
			out.doubles = append(out.doubles, name)
		}
	}
	if len(out.ints) == 0 {
		name := fmt.Sprintf("n%d", g.columns)
		parts, out.ints = append(parts, "count(*) AS "+name), append(out.ints, name)
	}
	return strings.Join(parts, ", "), out
}

// keys are some columns to group by.
func (g *simQueries) keys(s simSource) (list []string, out simSource) {
	if len(s.texts) > 0 && g.chance(60) {
		list, out.texts = append(list, s.texts[0]), append(out.texts, s.texts[0])
	}
	if g.chance(25) {
		if x := s.ints[len(s.ints)-1]; x != "id" {
			list, out.ints = append(list, x), append(out.ints, x)
		}
	}
	return list, out
}

func (g *simQueries) filter() (simQuery, bool) {
	s, _ := g.source(func(simSource) bool { return true })
	columns := slices.Concat(s.texts, s.ints, s.doubles)
	body := "SELECT " + strings.Join(columns, ", ") + " FROM $" + s.name + g.condition(s, "")
	out := s
	out.time = ""
	return simQuery{body: body, out: out, everywhere: true}, true
}

// windowed writes a grouping over a window table function.
func (g *simQueries) windowed(call string, s simSource, keys []string, keyed simSource) simQuery {
	list, out := g.aggregates(s)
	bound := pick(g.rng, "window_end", "window_end", "window_start, window_end")
	condition := g.condition(s, "")
	// The rule for late rows is written out at times: that of LATE is the one that views use.
	spelled := s.stream && !strings.HasPrefix(call, "SESSION") && g.chance(50)
	where := condition
	if spelled {
		where = " WHERE $ontime"
		if condition != "" {
			where += " AND" + strings.TrimPrefix(condition, " WHERE")
		}
	}
	body := fmt.Sprintf("SELECT %s, %s FROM %s%s GROUP BY window_start, window_end", strings.Join(append([]string{bound}, keys...), ", "), list, call, where)
	for _, k := range keys {
		body += ", " + k
	}
	if g.chance(15) {
		body += " HAVING count(*) > 1"
	}
	if s.stream && !spelled {
		body += "$late"
	}
	out.texts, out.ints = keyed.texts, append(keyed.ints, out.ints...)
	out.time, out.closes = "window_end", "("+s.closes+" + INTERVAL '1 microsecond')"
	q := simQuery{
		body: body, out: out, shown: "window_end <= " + s.closes, windows: s.stream, corrects: s.stream, everywhere: true,
	}
	if s.stream && condition == "" {
		q.late = call
	}
	return q
}

func (g *simQueries) timed() (simSource, bool) {
	return g.source(func(s simSource) bool { return s.time != "" && (s.stream || g.chance(50)) })
}

func (g *simQueries) window() (simQuery, bool) {
	s, _ := g.timed()
	keys, keyed := g.keys(s)
	size := pick(g.rng, 5, 10, 20)
	call := fmt.Sprintf("TUMBLE(TABLE $%s, DESCRIPTOR(%s), INTERVAL '%d seconds')", s.name, s.time, size)
	if g.chance(30) {
		call = fmt.Sprintf("CUMULATE(TABLE $%s, DESCRIPTOR(%s), INTERVAL '%d seconds', INTERVAL '%d seconds')", s.name, s.time, size, size*pick(g.rng, 2, 4))
	}
	return g.nested(call, s, keys, keyed)
}

func (g *simQueries) hop() (simQuery, bool) {
	s, _ := g.timed()
	keys, keyed := g.keys(s)
	slide := pick(g.rng, 1, 4, 5)
	call := fmt.Sprintf("HOP(TABLE $%s, DESCRIPTOR(%s), INTERVAL '%d seconds', INTERVAL '%d seconds')", s.name, s.time, slide, slide*pick(g.rng, 2, 3, 5))
	return g.nested(call, s, keys, keyed)
}

// nested is a window over a source. Columns of a view must not be called as those that the window adds.
func (g *simQueries) nested(call string, s simSource, keys []string, keyed simSource) (simQuery, bool) {
	return g.windowed(call, s, keys, keyed), s.stream || !strings.HasPrefix(s.time, "window_")
}

func (g *simQueries) session() (simQuery, bool) {
	s := g.streamSource()
	keys, keyed := []string{"k"}, simSource{texts: []string{"k"}}
	by := " PARTITION BY k"
	if g.chance(25) {
		keys, keyed, by = nil, simSource{}, ""
	}
	call := fmt.Sprintf("SESSION(TABLE $%s%s, DESCRIPTOR(%s), INTERVAL '%d seconds')", s.name, by, s.time, pick(g.rng, 2, 4, 8))
	q := g.windowed(call, s, keys, keyed)
	q.out.time = ""
	return q, true
}

func (g *simQueries) rolling() (simQuery, bool) {
	s := g.streamSource()
	frame := pick(g.rng,
		"RANGE BETWEEN INTERVAL '10 seconds' PRECEDING AND CURRENT ROW", "RANGE BETWEEN INTERVAL '4 seconds' PRECEDING AND CURRENT ROW",
		"ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "ROWS BETWEEN 4 PRECEDING AND 1 PRECEDING",
		"RANGE BETWEEN INTERVAL '5 seconds' PRECEDING AND INTERVAL '2 seconds' FOLLOWING")
	x := pick(g.rng, s.ints...)
	calls := pick(g.rng, "sum("+x+") OVER w AS a0, count(*) OVER w AS a1", "min("+x+") OVER w AS a0, max("+x+") OVER w AS a1",
		"avg("+x+") OVER w AS a0, count("+x+") OVER w AS a1", "first_value("+x+") OVER w AS a0, last_value("+x+") OVER w AS a1",
		"nth_value("+x+", 2) OVER w AS a0, string_agg(k, '+') OVER w AS a1")
	if strings.Contains(calls, "_value") && strings.HasPrefix(frame, "RANGE") { // which of several rows of one time is first, a query leaves open
		frame = "ROWS BETWEEN 3 PRECEDING AND CURRENT ROW"
	}
	by := pick(g.rng, "PARTITION BY k ", "PARTITION BY k ", "")
	condition := " WHERE $intime"
	if more := g.condition(s, ""); more != "" {
		condition += " AND" + strings.TrimPrefix(more, " WHERE")
	}
	order := s.time
	if strings.HasPrefix(frame, "ROWS") {
		order += "$ties"
	}
	body := fmt.Sprintf("SELECT id, k, %s, %s FROM $%s%s WINDOW w AS (%sORDER BY %s %s)", s.time, calls, s.name, condition, by, order, frame)
	out := simSource{texts: []string{"k"}, ints: []string{"id"}, time: s.time, closes: s.closes}
	shown := s.time + " < " + s.closes
	if strings.HasSuffix(frame, "FOLLOWING") {
		shown = s.time + " + INTERVAL '2 seconds' < " + s.closes
		out.time = ""
	}
	if by == "" {
		g.mark("frames of one partition")
	}
	return simQuery{body: body, out: out, shown: shown, always: true, unbounded: strings.HasPrefix(frame, "ROWS") || by == "", everywhere: true}, true
}

func (g *simQueries) group() (simQuery, bool) {
	s, _ := g.source(func(simSource) bool { return true })
	keys, out := g.keys(s)
	list, made := g.aggregates(s)
	out.ints, out.doubles = append(out.ints, made.ints...), made.doubles
	body := "SELECT " + strings.Join(append(slices.Clone(keys), list), ", ") + " FROM $" + s.name + g.condition(s, "")
	if len(keys) > 0 {
		body += " GROUP BY " + strings.Join(keys, ", ")
	}
	if g.chance(20) {
		body += " HAVING count(*) > 2"
	}
	return simQuery{body: body, out: out, unbounded: true, everywhere: true}, true
}

func (g *simQueries) distinctOn() (simQuery, bool) {
	s := g.streamSource()
	body := fmt.Sprintf("SELECT DISTINCT ON (k) k, id, ts FROM $%s%s ORDER BY k, %s", s.name, g.condition(s, ""),
		pick(g.rng, "ts DESC, id", "id", "g DESC, id"))
	return simQuery{body: body, out: simSource{texts: []string{"k"}, ints: []string{"id"}}, unbounded: true, everywhere: true}, true
}

func (g *simQueries) latestOn() (simQuery, bool) {
	s := g.streamSource()
	body := fmt.Sprintf("SELECT k, g, id FROM $%s LATEST ON ts PARTITION BY %s", s.name, pick(g.rng, "k", "g", "k, g"))
	return simQuery{body: body, out: simSource{texts: []string{"k"}, ints: []string{"id", "g"}}, unbounded: true}, true
}

// counts is how many rows a stream has for each window and key.
func (g *simQueries) counts(s simSource) string {
	call := pick(g.rng, "TUMBLE(TABLE $%s, DESCRIPTOR(%s), INTERVAL '10 seconds')", "HOP(TABLE $%s, DESCRIPTOR(%s), INTERVAL '5 seconds', INTERVAL '10 seconds')")
	return "SELECT window_start, window_end, k, count(*) AS n FROM " + fmt.Sprintf(call, s.name, s.time) + " GROUP BY window_start, window_end, k$late"
}

func (g *simQueries) mostOfWindow() (simQuery, bool) {
	s := g.streamSource()
	body := "SELECT window_end, " + pick(g.rng, "max(n) AS a", "min(n) AS a", "sum(n) AS a, avg(n) AS b", "count(*) AS a, max(k) AS b") + " FROM (" + g.counts(s) +
		") AS c GROUP BY window_end"
	return simQuery{
		body: body, out: simSource{ints: []string{"a"}, time: "window_end", closes: "(" + s.closes + " + INTERVAL '1 microsecond')"},
		shown: "window_end <= " + s.closes, windows: true, corrects: true, everywhere: true,
	}, true
}

func (g *simQueries) topOfWindow() (simQuery, bool) {
	s := g.streamSource()
	body := fmt.Sprintf("SELECT window_end, k, n FROM (SELECT window_end, k, n, row_number() OVER (PARTITION BY window_end ORDER BY n DESC, k) AS r FROM ("+
		g.counts(s)+") AS c) AS t WHERE r <= %d", pick(g.rng, 1, 2))
	return simQuery{
		body: body, out: simSource{texts: []string{"k"}, ints: []string{"n"}, time: "window_end", closes: "(" + s.closes + " + INTERVAL '1 microsecond')"},
		shown: "window_end <= " + s.closes, windows: true, corrects: true, everywhere: true,
	}, true
}

func (g *simQueries) topOfAll() (simQuery, bool) {
	s := g.streamSource()
	order := pick(g.rng, "g DESC, id", "ts DESC, id", "id")
	body := fmt.Sprintf("SELECT id, g, ts FROM $%s%s ORDER BY %s LIMIT %d", s.name, g.condition(s, ""), order, 1+g.rng.IntN(4))
	if g.chance(40) {
		body = fmt.Sprintf("SELECT k, sum(g) AS g FROM $%s GROUP BY k ORDER BY g DESC NULLS LAST, k LIMIT 2 OFFSET %d", s.name, g.rng.IntN(2))
	}
	return simQuery{body: body, out: simSource{ints: []string{"g"}}, unbounded: true, everywhere: true}, true
}

func (g *simQueries) groupsOfGroups() (simQuery, bool) {
	s, _ := g.source(func(s simSource) bool { return len(s.texts) > 0 })
	x := pick(g.rng, s.ints...)
	body := pick(g.rng,
		"SELECT n, count(*) AS c, sum(x) AS x FROM (SELECT %[2]s, count(*) AS n, sum(%[3]s) AS x FROM $%[1]s GROUP BY %[2]s) AS i GROUP BY n",
		"SELECT max(n) AS n, min(x) AS c, avg(x) AS x FROM (SELECT %[2]s, count(*) AS n, sum(%[3]s) AS x FROM $%[1]s GROUP BY %[2]s) AS i",
		"SELECT DISTINCT n, x AS c FROM (SELECT %[2]s, count(*) AS n, max(%[3]s) AS x FROM $%[1]s GROUP BY %[2]s) AS i",
		"SELECT count(DISTINCT n) AS n, count(DISTINCT x) AS c, median(x) AS x FROM (SELECT %[2]s, count(*) AS n, min(%[3]s) AS x FROM $%[1]s GROUP BY %[2]s) AS i")
	return simQuery{
		body: fmt.Sprintf(body, s.name, s.texts[0], x), out: simSource{ints: []string{"n", "c"}}, unbounded: true, everywhere: true,
	}, true
}

// nearJoin joins rows that are near each other in time.
func (g *simQueries) nearJoin() (simQuery, bool) {
	a, b := g.streamSource(), g.streamSource()
	kind := pick(g.rng, "JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
	after := pick(g.rng, 0, 3, 10)
	on := fmt.Sprintf("a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '%d seconds'", after)
	if g.chance(40) {
		on += pick(g.rng, " AND a.g < b.g", " AND b.g > 3", " AND a.id <> b.id")
	}
	keyless := g.chance(30)
	if keyless {
		g.mark("join without equal values")
		on = strings.TrimPrefix(on, "a.k = b.k AND ") + " AND a.id < b.g"
	}
	body := fmt.Sprintf("SELECT a.id AS id, b.id AS other, a.ts AS ts, b.ts AS b_ts, a.k AS k FROM $intime:%s AS a %s $intime:%s AS b ON %s",
		a.name, kind, b.name, on)
	out := simSource{texts: []string{"k"}, ints: []string{"id", "other"}}
	closes := a.closes
	if a.name != b.name {
		closes = "least(" + a.closes + ", " + b.closes + ")"
	}
	q := simQuery{body: body, out: out, everywhere: true, strays: !strings.Contains(on, "g ") && !strings.Contains(on, "id <>")}
	q.strays, q.unbounded = q.strays && !keyless, keyless // whose state goes to the disk
	if kind == "JOIN" {
		q.shown = "b_ts < " + closes
	}
	return q, true
}

// keyJoin joins what has one key, whenever it came: views, streams or both.
func (g *simQueries) keyJoin() (simQuery, bool) {
	fits := func(s simSource) bool { return len(s.texts) > 0 }
	a, okA := g.source(fits)
	b, okB := g.source(fits)
	kind := pick(g.rng, "JOIN", "LEFT JOIN", "FULL JOIN")
	x, y := pick(g.rng, a.ints...), pick(g.rng, b.ints...)
	on := fmt.Sprintf("a.%s = b.%s AND a.%s = b.%s", a.texts[0], b.texts[0], x, y)
	if kind != "FULL JOIN" && g.chance(50) {
		on = fmt.Sprintf("a.%s = b.%s AND a.%s < b.%s", a.texts[0], b.texts[0], x, y)
	}
	body := fmt.Sprintf("SELECT a.%s AS k, a.%s AS x, b.%s AS y FROM $%s AS a %s $%s AS b ON %s", a.texts[0], x, y, a.name, kind, b.name, on)
	if g.chance(30) {
		body = fmt.Sprintf("SELECT a.%s AS k, count(*) AS x, sum(b.%s) AS y FROM $%s AS a %s $%s AS b ON %s GROUP BY 1", a.texts[0], y, a.name, kind, b.name, on)
	}
	return simQuery{
		body: body, out: simSource{texts: []string{"k"}, ints: []string{"x", "y"}}, unbounded: true, everywhere: true,
	}, okA && okB && (!a.stream || !b.stream || g.chance(30))
}

// windowJoin joins the windows of two streams.
func (g *simQueries) windowJoin() (simQuery, bool) {
	a, b := g.streamSource(), g.streamSource()
	call := "TUMBLE(TABLE $%s, DESCRIPTOR(ts), INTERVAL '10 seconds') GROUP BY window_start, window_end$late"
	body := "SELECT a.window_end AS window_end, a.n AS n, b.n AS m FROM (SELECT window_end, count(*) AS n FROM " + fmt.Sprintf(call, a.name) +
		") AS a " + pick(g.rng, "JOIN", "LEFT JOIN") + " (SELECT window_end, max(g) AS n FROM " + fmt.Sprintf(call, b.name) +
		") AS b ON a.window_end = b.window_end"
	closes := a.closes
	if a.name != b.name {
		closes = "least(" + a.closes + ", " + b.closes + ")"
	}
	return simQuery{
		body: body, out: simSource{ints: []string{"n", "m"}}, shown: "window_end <= " + closes, windows: true, corrects: true, everywhere: true,
	}, true
}

func (g *simQueries) union() (simQuery, bool) {
	fits := func(s simSource) bool { return len(s.texts) > 0 }
	a, okA := g.source(fits)
	b, okB := g.source(fits)
	part := func(s simSource) string {
		return fmt.Sprintf("SELECT %s AS k, %s AS x FROM $%s%s", s.texts[0], pick(g.rng, s.ints...), s.name, g.condition(s, ""))
	}
	return simQuery{
		body: part(a) + " UNION ALL " + part(b), out: simSource{texts: []string{"k"}, ints: []string{"x"}}, everywhere: true,
	}, okA && okB
}

func (g *simQueries) set() (simQuery, bool) {
	fits := func(s simSource) bool { return len(s.texts) > 0 }
	a, okA := g.source(fits)
	b, okB := g.source(fits)
	body := fmt.Sprintf("SELECT %s AS k, %s AS x FROM $%s %s SELECT %s, %s FROM $%s", a.texts[0], pick(g.rng, a.ints...), a.name,
		pick(g.rng, "UNION", "EXCEPT", "INTERSECT", "EXCEPT ALL", "INTERSECT ALL"), b.texts[0], pick(g.rng, b.ints...), b.name)
	if g.chance(40) {
		body = fmt.Sprintf("SELECT DISTINCT %s AS k, %s AS x FROM $%s", a.texts[0], pick(g.rng, a.ints...), a.name)
	}
	return simQuery{
		body: body, out: simSource{texts: []string{"k"}, ints: []string{"x"}}, unbounded: true, everywhere: true,
	}, okA && okB
}

func (g *simQueries) exists() (simQuery, bool) {
	a, b := g.streamSource(), g.streamSource()
	body := fmt.Sprintf("SELECT a.id AS id, a.k AS k, a.g AS g FROM $intime:%s AS a WHERE %s (SELECT 1 FROM $intime:%s AS b "+
		"WHERE b.k = a.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '%d seconds'%s)",
		a.name, pick(g.rng, "EXISTS", "NOT EXISTS"), b.name, pick(g.rng, 2, 10), pick(g.rng, "", " AND b.g > 4"))
	out := simSource{texts: []string{"k"}, ints: []string{"id", "g"}}
	if g.chance(40) {
		body = fmt.Sprintf("SELECT id, k, g FROM $%s WHERE g %s (SELECT g FROM $%s WHERE k = 'a' AND g IS NOT NULL)", a.name, pick(g.rng, "IN", "NOT IN"), b.name)
		return simQuery{body: body, out: out, unbounded: true, everywhere: true}, true
	}
	return simQuery{body: body, out: out, everywhere: true}, true
}

func (g *simQueries) bucket() (simQuery, bool) {
	s := g.streamSource()
	list, out := g.aggregates(s)
	bucket := pick(g.rng, "time_bucket(INTERVAL '10 seconds', ts)", "date_trunc('minute', ts)")
	body := fmt.Sprintf("SELECT %s AS t, %s FROM $%s%s GROUP BY 1", bucket, list, s.name, g.condition(s, ""))
	return simQuery{body: body, out: out, unbounded: true, everywhere: true}, true
}
