package continuous

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

var (
	bigint    = event.Type{Kind: event.BigInt}
	double    = event.Type{Kind: event.Double}
	timestamp = event.Type{Kind: event.TimestampTZ}
	interval  = event.Type{Kind: event.Interval}
)

// tradesSchema is of streams of trades: what, how much, when.
var tradesSchema = &event.Schema{Version: 1, TimeColumn: 3, NextID: 4, Columns: []event.Column{
	{ID: 1, Name: "symbol", Type: bigint, Since: 1}, {ID: 2, Name: "amount", Type: double, Since: 1},
	{ID: 3, Name: "ts", Type: timestamp, NotNull: true, Since: 1},
}}

// trades scans a stream of trades: symbol, amount, ts, and the row's own watermark.
func trades(stream string) *plan.Scan {
	return &plan.Scan{Stream: stream, Schema: tradesSchema, Fields: []event.FieldID{1, 2, 3, event.FieldWatermark}}
}

func column(n plan.Node, i int) plan.Expr {
	c := n.Columns()[i]
	return &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type}
}

// inTime leaves out rows whose column is not after, or with `>=` not before, their watermark.
func inTime(n plan.Node, op string, at int) plan.Node {
	return &plan.Filter{Input: n, Predicate: call("or", call("is_null", column(n, 3)), call(op, column(n, at), column(n, 3)))}
}

func width(d time.Duration) *plan.Literal {
	v := []arrow.MonthDayNanoInterval{{Nanoseconds: int64(d)}}
	return &plan.Literal{Value: event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, v, nil), Typ: interval}
}

func aggregate(name string, args ...plan.Expr) plan.Aggregation {
	for _, f := range plan.Functions[name] {
		if len(f.Args) == len(args) && f.Aggregate && (len(args) == 0 || f.Args[0].Equal(args[0].Type())) {
			return plan.Aggregation{Fn: f, Args: args}
		}
	}
	panic("no aggregate " + name)
}

// overWindows sums trades by window and symbol.
func overWindows(kind plan.AssignKind, step, size time.Duration) plan.Node {
	s := trades("trades")
	n := &plan.Assign{Input: s, Kind: kind, Time: column(s, 2), Size: width(size), Names: [2]string{"window_start", "window_end"}}
	if kind != plan.Tumble {
		n.Step = width(step)
	}
	f := inTime(n, ">", 5)
	return &plan.Aggregate{
		Input: f, Groups: []plan.Expr{column(f, 4), column(f, 5), column(f, 0)},
		Aggregates: []plan.Aggregation{aggregate("count"), aggregate("sum", column(f, 1)), aggregate("max", column(f, 1))},
		Names:      []string{"window_start", "window_end", "symbol", "n", "total", "most"},
	}
}

func rolling(name string, size time.Duration) plan.Node {
	f := inTime(trades("trades"), ">=", 2)
	of := aggregate(name, column(f, 1))
	return &plan.Window{
		Input: f, Partition: []plan.Expr{column(f, 0)}, Order: []plan.SortKey{{Expr: column(f, 2)}}, Names: []string{name},
		Calls: []plan.WindowCall{{Fn: of.Fn, Args: of.Args, Frame: plan.Frame{
			Start: plan.FrameBound{Kind: plan.Preceding, Offset: width(size)}, End: plan.FrameBound{Kind: plan.CurrentRow},
		}}},
	}
}

// overFrames groups what frames give, final rows and provisional ones.
func overFrames(frames plan.Node) plan.Node {
	return &plan.Aggregate{
		Input: frames, Groups: []plan.Expr{column(frames, 0)}, Names: []string{"symbol", "n", "total"},
		Aggregates: []plan.Aggregation{aggregate("count"), aggregate("sum", column(frames, 4))},
	}
}

// ranked numbers the trades of each symbol by time.
func ranked(name string) plan.Node {
	f := inTime(trades("trades"), ">=", 2)
	return &plan.Window{
		Input: f, Partition: []plan.Expr{column(f, 0)}, Order: []plan.SortKey{{Expr: column(f, 2)}}, Names: []string{name},
		Calls: []plan.WindowCall{{Fn: plan.Functions[name][0]}},
	}
}

// overGroups groups what a grouping gives, whose rows are replaced as trades come.
func overGroups() plan.Node {
	s := trades("trades")
	counts := &plan.Aggregate{
		Input: s, Groups: []plan.Expr{column(s, 0), column(s, 1)}, Aggregates: []plan.Aggregation{aggregate("count")},
		Names: []string{"symbol", "amount", "n"},
	}
	return &plan.Aggregate{
		Input: counts, Groups: []plan.Expr{column(counts, 0)},
		Aggregates: []plan.Aggregation{aggregate("count"), aggregate("avg", column(counts, 2)), aggregate("max", column(counts, 2))},
		Names:      []string{"symbol", "amounts", "mean", "most"},
	}
}

func joinNear(size time.Duration) plan.Node {
	left, right := trades("trades"), trades("quotes")
	j := &plan.Join{Left: left, Right: right}
	l, r := column(j, 2), column(j, 6)
	j.On = []plan.Expr{
		call("=", column(j, 0), column(j, 4)), call(">=", r, l), call("<=", r, call("+", l, width(size))),
	}
	return j
}

// tradeSteps are steps of rows each, a millisecond apart on average, in little disorder.
func tradeSteps(streams []string, steps, rows, symbols int) []Step {
	rng := rand.New(rand.NewPCG(1, 2))
	now := int64(1_790_000_000_000_000)
	var out []Step
	const bound = 50_000
	for range steps {
		s := Step{Inputs: map[string]InputStep{}}
		for _, stream := range streams {
			ids, amounts, times, marks := make([]int64, rows), make([]float64, rows), make([]int64, rows), make([]int64, rows)
			for i := range rows {
				now += rng.Int64N(2000) / int64(len(streams))
				ids[i], amounts[i], times[i], marks[i] = rng.Int64N(int64(symbols)), float64(rng.IntN(1000))/4, now-rng.Int64N(bound), now-2*bound
			}
			s.Inputs[stream] = InputStep{Closed: now - 2*bound, Rows: Delta{Rows: rows, Columns: []arrow.Array{
				event.NewInt64s(ids, nil), event.NewFloat64s(amounts, nil), event.NewTimestamps(times, nil), event.NewTimestamps(marks, nil),
			}}}
		}
		out = append(out, s)
	}
	return out
}

// BenchmarkStep reports nanoseconds for each row that comes in: ns/row.
func BenchmarkStep(b *testing.B) {
	const rows = 1000
	for _, c := range []struct {
		name    string
		plan    plan.Node
		emit    Emit
		streams []string
	}{
		{"tumble-10s-update", overWindows(plan.Tumble, 0, 10*time.Second), OnUpdate, []string{"trades"}},
		{"tumble-10s-close", overWindows(plan.Tumble, 0, 10*time.Second), OnWindowClose, []string{"trades"}},
		{"tumble-1h-close", overWindows(plan.Tumble, 0, time.Hour), OnWindowClose, []string{"trades"}},
		{"hop-10s-by-1s-close", overWindows(plan.Hop, time.Second, 10*time.Second), OnWindowClose, []string{"trades"}},
		{"hop-1m-by-1s-close", overWindows(plan.Hop, time.Second, time.Minute), OnWindowClose, []string{"trades"}},
		{"hop-1h-by-1s-close", overWindows(plan.Hop, time.Second, time.Hour), OnWindowClose, []string{"trades"}},
		{"hop-1h-by-1h-update", overWindows(plan.Hop, time.Hour, time.Hour), OnUpdate, []string{"trades"}},
		{"hop-1h-by-1m-update", overWindows(plan.Hop, time.Minute, time.Hour), OnUpdate, []string{"trades"}},
		{"hop-1h-by-1s-update", overWindows(plan.Hop, time.Second, time.Hour), OnUpdate, []string{"trades"}},
		{"rolling-10s", rolling("sum", 10*time.Second), OnUpdate, []string{"trades"}},
		{"rolling-max-2s", rolling("max", 2*time.Second), OnUpdate, []string{"trades"}},
		{"rolling-max-2m", rolling("max", 2*time.Minute), OnUpdate, []string{"trades"}},
		{"rolling-stddev-2s", rolling("stddev_samp", 2*time.Second), OnUpdate, []string{"trades"}},
		{"rolling-10s-grouped", overFrames(rolling("sum", 10*time.Second)), OnUpdate, []string{"trades"}},
		{"rolling-max-2m-grouped", overFrames(rolling("max", 2*time.Minute)), OnUpdate, []string{"trades"}},
		{"rolling-rank", ranked("rank"), OnUpdate, []string{"trades"}},
		{"cascade", overGroups(), OnUpdate, []string{"trades"}},
		{"join-1s", joinNear(time.Second), OnUpdate, []string{"trades", "quotes"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			infos := map[string]InputInfo{}
			for _, s := range c.streams {
				infos[s] = InputInfo{Time: 3}
			}
			p, err := Compile(c.plan, infos, Options{Emit: c.emit, MemoryBytes: 1 << 30})
			require.NoError(b, err)
			steps := tradeSteps(c.streams, 200, rows, 50)
			// The key columns of the streams are asked for too.
			for i, s := range steps {
				for _, in := range p.Inputs() {
					steps[i].Inputs[in.Name] = widened(s.Inputs[in.Name], in.Fields, int64(i*rows))
				}
			}
			b.ReportAllocs()
			b.ResetTimer()
			total := 0
			for i := 0; b.Loop(); {
				m := p.Start()
				for _, s := range steps {
					_, err := m.Step(context.Background(), s)
					require.NoError(b, err)
				}
				total += len(steps) * rows * len(c.streams)
				i++
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(total), "ns/row")
		})
	}
}

// widened are the columns of fields, of those that tradeSteps makes and the two of the key.
func widened(in InputStep, fields []event.FieldID, from int64) InputStep {
	offsets, partitions := make([]int64, in.Rows.Rows), make([]int64, in.Rows.Rows)
	for i := range offsets {
		offsets[i] = from + int64(i)
	}
	known := map[event.FieldID]arrow.Array{
		1: in.Rows.Columns[0], 2: in.Rows.Columns[1], 3: in.Rows.Columns[2], event.FieldWatermark: in.Rows.Columns[3],
		event.FieldPartition: event.NewInt64s(partitions, nil), event.FieldOffset: event.NewInt64s(offsets, nil),
	}
	out := in
	out.Rows.Columns = nil
	for _, f := range fields {
		c, ok := known[f]
		if !ok {
			panic(fmt.Sprint("no column ", f))
		}
		out.Rows.Columns = append(out.Rows.Columns, c)
	}
	return out
}
