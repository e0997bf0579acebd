package app

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// simGenerator makes the script of a simulation from a seed.
type simGenerator struct {
	*simQueries
	script []simStep
	// orderly scripts have no late rows and no two rows of one time.
	orderly bool
	bound   int
	ids     int
	// now is the event time, in milliseconds since the start, and pace how far it moves with a row at most.
	now, pace int
	views     int
	// fixed are views that cannot be replaced: others, or subscribers, use their columns.
	fixed map[string]bool
	// past are rows to come again.
	past map[string][]string
	// more are columns that streams got later; skewed tells that one partition gets most rows.
	more   map[string][]string
	skewed bool
	// evolves are the streams with a column that no query reads and that changes its type.
	evolves []string
	// depth is how many views a view stands on.
	depth map[string]int
}

// isOrderly tells the seeds of scripts whose answers must be the same whatever the partitions are.
func isOrderly(seed uint64) bool { return seed%4 == 0 }

// generateScript makes the script of a seed, and says which features it has.
func generateScript(seed uint64) (script []simStep, features map[string]bool) {
	rng := rand.New(rand.NewPCG(seed, 1))
	g := &simGenerator{
		simQueries: &simQueries{rng: rng, features: map[string]bool{}}, past: map[string][]string{}, fixed: map[string]bool{}, orderly: isOrderly(seed),
		more: map[string][]string{}, depth: map[string]int{},
	}
	g.pace = pick(rng, 500, 2000, 6000)
	g.add("sealrows", fmt.Sprint(pick(rng, 2, 10, 50, 1000)), "")
	g.add("frames", fmt.Sprint(pick(rng, 1, 2, 5, 20, 1000)), "")
	g.stream("s")
	if g.chance(60) {
		g.stream("p")
	}
	if g.chance(50) {
		g.insert()
		g.insert()
	}
	for range 1 + rng.IntN(3) {
		g.view()
	}
	for range 5 + rng.IntN(pick(rng, 8, 8, 30)) {
		g.event()
	}
	g.history()
	return g.script, g.features
}

func (g *simGenerator) add(verb, name, text string) {
	g.script = append(g.script, simStep{verb, name, text})
}

// stream makes a stream with a random watermark and partitions.
func (g *simGenerator) stream(name string) {
	g.bound = pick(g.rng, 0, 2, 5)
	idle := ""
	watermark := fmt.Sprintf("WATERMARK FOR ts AS ts - INTERVAL '%d seconds'", g.bound)
	if g.orderly {
		g.bound = 60
		watermark = "WATERMARK FOR ts AS ts - INTERVAL '60 seconds' IDLE TIMEOUT INTERVAL '1 day'"
	} else {
		if g.chance(60) {
			watermark += fmt.Sprintf(" IDLE TIMEOUT INTERVAL '%d seconds'", pick(g.rng, 2, 10))
			idle = "idle partition"
		}
		if g.chance(50) {
			watermark += fmt.Sprintf(" FUTURE LIMIT INTERVAL '%d seconds'", pick(g.rng, 10, 60))
		}
	}
	more := ""
	if !g.orderly && g.chance(50) {
		more = ", " + evolving + " BIGINT"
		g.evolves = append(g.evolves, name)
	}
	sql := fmt.Sprintf("CREATE STREAM %s (id BIGINT NOT NULL, k TEXT, g BIGINT, x DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL%s, %s)", name, more, watermark)
	if g.chance(60) {
		sql += " PARTITION BY HASH (" + pick(g.rng, "k", "id") + ")"
	}
	if n := 1 + g.rng.IntN(4); n > 1 {
		if idle != "" {
			g.mark(idle)
		}
		if g.chance(30) && strings.Contains(sql, "HASH (k)") {
			g.mark("skewed partitions")
			g.skewed = true
		}
		sql += fmt.Sprintf(" PARTITIONS %d", n)
	}
	if !g.orderly && g.chance(20) {
		sql += " DEDUP KEY (id) WITHIN INTERVAL '30 seconds'"
	}
	if more != "" {
		sql += " WITH (schema = 'evolve')"
	}
	g.add("stream", name, sql)
	g.sources = append(g.sources, simSource{
		name: name, sql: name, texts: []string{"k"}, ints: []string{"id", "g"}, doubles: []string{"x"}, time: "ts", closes: "{" + name + "}", stream: true,
	})
}

// insert adds some rows.
func (g *simGenerator) insert() {
	s := g.streamSource().name
	var rows []string
	for range 1 + g.rng.IntN(pick(g.rng, 6, 6, 30)) {
		if !g.orderly && len(g.past[s]) > 0 && g.chance(10) {
			rows = append(rows, pick(g.rng, g.past[s]...))
			continue
		}
		rows = append(rows, g.row(len(g.more[s])))
	}
	g.past[s] = append(g.past[s], rows...)
	g.add("insert", s, "INSERT INTO "+s+" ("+strings.Join(append([]string{"id", "k", "g", "x", "ts"}, g.more[s]...), ", ")+") VALUES "+strings.Join(rows, ", "))
}

// row is one whose time is near the present, sometimes far behind or ahead, with values for some further columns.
func (g *simGenerator) row(more int) string {
	g.ids++
	g.now += 1 + g.rng.IntN(g.pace)
	at, micros := g.now, 0
	if g.orderly {
		at = g.ids*1000 + g.ids%7 // no two of one time
		at += 1000 * (g.rng.IntN(5) * 7 % 5)
	}
	if !g.orderly {
		switch g.rng.IntN(14) {
		case 0:
			at -= g.rng.IntN(90_000)
		case 1, 2, 3:
			at -= g.rng.IntN(g.bound*1000 + 1000)
		case 4, 5: // near where windows begin and end
			at, micros = at/1000*1000, g.rng.IntN(3)-1
		case 6:
			if g.chance(30) {
				at += 5000 + g.rng.IntN(100_000)
			}
		}
	}
	key := pick(g.rng, "'a'", "'b'", "'c'")
	if g.skewed && g.chance(80) {
		key = "'a'"
	}
	out := fmt.Sprintf("(%d, %s, %s, %s, '%s'", g.ids, g.nullable(key), g.nullable(fmt.Sprint(g.rng.IntN(12)-2)),
		g.nullable(fmt.Sprintf("%g", float64(g.rng.IntN(800)-200)/7)), simTime(1000*at+micros))
	for range more {
		out += ", " + g.nullable(fmt.Sprint(g.rng.IntN(9)))
	}
	return out + ")"
}

func (g *simGenerator) nullable(value string) string {
	if g.chance(8) {
		return "NULL"
	}
	return value
}

// simTime is a time by its microseconds since the start of the world.
func simTime(micros int) string {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(micros) * time.Microsecond).Format("2006-01-02T15:04:05.999999Z07:00")
}

// view makes a view over what there is.
func (g *simGenerator) view() {
	g.views++
	name := fmt.Sprintf("v%d", g.views)
	q := g.next()
	if g.orderly && !q.everywhere {
		return
	}
	g.define("CREATE MATERIALIZED VIEW", name, q)
	if g.chance(70) {
		g.add("follow", "f"+name, "SELECT * FROM "+name)
	}
	if g.chance(10) {
		x := pick(g.rng, q.out.ints...)
		g.fixed[name] = true
		g.add("follow", "part"+name, "SELECT "+x+" FROM "+name+" WHERE "+x+" > 2")
	}
}

// inTime is the rule for what has no windows: a row is late where its time is behind the watermark that it came with.
const inTime = "(_watermark IS NULL OR ts >= _watermark)"

// replace puts another view in the place of one that no other reads.
func (g *simGenerator) replace() {
	for i, old := range g.sources {
		if old.stream || g.fixed[old.name] || g.orderly {
			continue
		}
		all := g.sources
		g.sources = slices.DeleteFunc(slices.Clone(all), func(s simSource) bool { return !s.stream })
		q := g.next()
		if q.skips != "" {
			g.sources = all
			return // it cannot be resumed before it has taken the place
		}
		if g.mark("replaced view"); g.chance(30) {
			g.mark("crash while a view is replaced")
			g.add("crash", fmt.Sprint(g.rng.IntN(40)), pick(g.rng, "none", "all", fmt.Sprintf("some:%d", g.rng.IntN(1000))))
		}
		g.define("CREATE OR REPLACE MATERIALIZED VIEW", old.name, q)
		made := g.sources[len(g.sources)-1]
		if g.sources = slices.Delete(all, i, i+1); !made.stream {
			g.sources = append(g.sources, made)
		}
		return
	}
}

// define writes the lines of a view.
func (g *simGenerator) define(create, name string, q simQuery) {
	ending, late, emit, strays := "", "", "", ""
	onTime := "(_watermark IS NULL OR window_end > _watermark)"
	held := q.always
	switch {
	case q.shown != "" && !q.always && g.chance(50):
		emit, held = " EMIT ON WINDOW CLOSE", true
	case g.chance(25):
		emit = fmt.Sprintf(" EMIT ON UPDATE WITH BATCH INTERVAL '%d milliseconds'", pick(g.rng, 50, 900))
	}
	if q.windows {
		late = " LATE DROP"
		if q.corrects && g.chance(40) {
			horizon := fmt.Sprintf("INTERVAL '%d seconds'", pick(g.rng, 3, 20))
			late, onTime = " LATE RECOMPUTE WITHIN "+horizon, "(_watermark IS NULL OR window_end + "+horizon+" > _watermark)"
		}
		ending = late
	}
	if (q.late != "" || q.strays) && g.chance(30) {
		if !q.windows {
			ending = " LATE DROP"
		}
		strays = fmt.Sprintf("%s_late%d", name, len(g.script)) // its own, as another view of the name may have left out rows of another stream
		ending += " ELSE INTO " + strays
	}
	g.markLate(late, strays)
	g.markReads(name, q.body)
	options := g.options(&q, strings.HasPrefix(create, "CREATE OR REPLACE"))
	body := strings.NewReplacer("$ties", "", "$late", "", " WHERE $since AND", " WHERE", " WHERE $since", "",
		" WHERE $intime AND", " WHERE", " WHERE $intime", "", "$intime:", "$",
		" WHERE $ontime AND", " WHERE", " WHERE $ontime", "").Replace(q.body)
	verb := "view"
	if q.skips != "" {
		verb = "stopping"
	}
	g.add(verb, name, create+" "+name+options+" AS "+g.named(body, func(s simSource) string { return s.name })+emit+ending)
	batch := strings.NewReplacer("$ties", ", _partition, _offset", "$late", late, "$ontime", onTime, "$since", q.since(name)).Replace(q.body)
	for _, s := range g.sources {
		batch = strings.ReplaceAll(batch, "$intime:"+s.name, "(SELECT * FROM $"+s.name+" WHERE "+inTime+")")
	}
	batch = g.named(strings.ReplaceAll(batch, "$intime", inTime), func(s simSource) string { return s.sql })
	if held {
		batch = "SELECT * FROM (" + batch + ") AS q WHERE " + q.shown
	}
	g.add("equals", name, batch)
	counted, missed := "", "" // events, and windows that they missed
	if q.late != "" {
		call := g.named(q.late, func(s simSource) string { return s.sql })
		missed = "SELECT (SELECT count(*) FROM " + call + ") - (SELECT count(*) FROM " + call + late + ")"
		if counted = missed; !strings.HasPrefix(call, "SESSION") {
			places := "SELECT _partition, _offset FROM " + call
			counted = "SELECT count(*) FROM (SELECT DISTINCT _partition, _offset FROM (" + places + " EXCEPT ALL (" + places + late + ")) AS l) AS e"
		}
	}
	g.add("late", name, counted)
	if strays != "" {
		g.add("never", name, "SELECT late_partition, late_offset FROM "+strays+" WHERE late_view = '"+name+"' GROUP BY 1, 2, late_stream HAVING count(*) > 1")
		g.neverStrays(name, strays, &q)
	}
	if missed != "" && strays != "" {
		g.add("never", name, "SELECT 1 WHERE ("+missed+") <> (SELECT coalesce(sum(late_windows), 0) FROM "+strays+" WHERE late_view = '"+name+"')")
	}
	out := q.out
	out.name, out.sql, out.stream = name, "("+batch+")", false
	if q.skips != "" {
		return // who reads it would have to wait for it
	}
	if len(out.ints) > 0 {
		g.sources = append(g.sources, out)
	}
}

// markLate notes what becomes of late rows.
func (g *simGenerator) markLate(late, strays string) {
	recompute := strings.Contains(late, "RECOMPUTE")
	if recompute {
		g.mark("recompute")
	}
	if strays != "" {
		g.mark("else into")
	}
	if recompute && strays != "" {
		g.mark("recompute else into")
	}
}

// named puts the sources into a query. Those that come last go first, as $v1 begins $v10.
func (g *simGenerator) named(body string, name func(simSource) string) string {
	for _, s := range slices.Backward(g.sources) {
		g.fixed[s.name] = g.fixed[s.name] || strings.Contains(body, "$"+s.name)
		body = strings.ReplaceAll(body, "$"+s.name+" AS", name(s)+" AS")
		as := ""
		if !s.stream && name(s) != s.name {
			as = " AS " + s.name
		}
		body = strings.ReplaceAll(body, "TABLE $"+s.name, "TABLE "+name(s))
		body = strings.ReplaceAll(body, "$"+s.name, name(s)+as)
	}
	return body
}

// event is something that happens.
func (g *simGenerator) event() {
	switch g.rng.IntN(20) {
	case 0, 1:
		g.add("seal", g.streamSource().name, "")
	case 2:
		g.add("compact", "-", "")
	case 3:
		g.add("restart", "-", "")
	case 4, 5, 6:
		if g.orderly {
			return // which rows a crash leaves may differ
		}
		g.add("crash", fmt.Sprint(g.rng.IntN(25)), pick(g.rng, "none", "all", fmt.Sprintf("some:%d", g.rng.IntN(1000))))
		g.insert()
	case 7:
		switch g.rng.IntN(5) {
		case 0, 1:
			g.view()
		case 2, 3:
			g.replace()
		default:
			g.alter()
		}
	case 8, 9:
		if names := g.followers(); len(names) > 0 {
			name := pick(g.rng, names...)
			g.add("read", name, fmt.Sprint(1+g.rng.IntN(3)))
			g.add("resume", name, "")
		}
	case 10, 11:
		g.add("check", "-", "")
	default:
		if g.chance(15) {
			g.events()
		} else {
			g.insert()
		}
		if g.chance(70) {
			g.add("wait", fmt.Sprintf("%dms", pick(g.rng, 10, 1000, 5000, 20_000)), "")
		}
	}
}

func (g *simGenerator) followers() []string {
	var out []string
	for _, s := range g.script {
		if s.verb == "follow" {
			out = append(out, s.name)
		}
	}
	return out
}
