package exec_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// benchSource serves one stream of morsels as large as real ones, all in memory.
type benchSource struct{ morsels []query.Morsel }

func (s *benchSource) Open(context.Context, []string) (query.Snapshot, error) { return s, nil }
func (s *benchSource) Close() error                                           { return nil }

func (s *benchSource) Scan(_ context.Context, request query.ScanRequest) (query.Scan, error) {
	out := query.Scan{}
	for _, m := range s.morsels {
		whole := m.(*morsel)
		cut := &morsel{rows: whole.rows}
		for _, id := range request.Columns {
			cut.columns = append(cut.columns, whole.columns[id-1])
		}
		out.Morsels = append(out.Morsels, cut)
	}
	return out, nil
}

const benchRows = 1 << 20

// newBenchSource makes time (sorted), region (a dictionary of 20), user (500,000 values), amount.
func newBenchSource() (*benchSource, *event.Schema) {
	schema := &event.Schema{Version: 1, TimeColumn: 1}
	for i, c := range []event.Column{
		{Name: "ts", Type: timestamptz}, {Name: "region", Type: text}, {Name: "user", Type: bigint}, {Name: "amount", Type: double},
	} {
		c.ID = event.FieldID(i + 1)
		schema.Columns = append(schema.Columns, c)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	offsets, data := []int32{0}, []byte(nil)
	for i := range 20 {
		data = fmt.Appendf(data, "region-%d", i)
		offsets = append(offsets, int32(len(data)))
	}
	regions := event.NewStrings(offsets, data, nil)
	src := &benchSource{}
	const each = 128 << 10
	now := int64(1_790_000_000_000_000)
	for range benchRows / each {
		ts, user, amount, codes := make([]int64, each), make([]int64, each), make([]float64, each), make([]int32, each)
		for i := range each {
			now += 1000
			ts[i], user[i], amount[i], codes[i] = now, rng.Int64N(500_000)*7919, rng.Float64()*100, rng.Int32N(20)
		}
		src.morsels = append(src.morsels, &morsel{rows: each, columns: []arrow.Array{
			event.NewTimestamps(ts, nil), event.NewDictionary(codes, regions, nil), event.NewInt64s(user, nil), event.NewFloat64s(amount, nil),
		}})
	}
	return src, schema
}

func BenchmarkQueries(b *testing.B) {
	src, schema := newBenchSource()
	scanOf := func(fields ...event.FieldID) *plan.Scan {
		return &plan.Scan{Stream: "t", Schema: schema, Fields: fields}
	}
	filtered := scanOf(4)
	filtered.Filter = []plan.Expr{call("<", col(filtered, "amount"), lit(50.0))}
	regions, users, amounts, times := scanOf(2, 4), scanOf(3, 4), scanOf(4), scanOf(1, 2, 4)
	bucket := call("time_bucket", lit(arrow.MonthDayNanoInterval{Nanoseconds: 60e9}), col(times, "ts"))
	for _, q := range []struct {
		name string
		root plan.Node
	}{
		{"sum", aggregate(amounts, nil, agg("sum", col(amounts, "amount")))},
		{"filter-count", aggregate(filtered, nil, agg("count"))},
		{"group-dictionary", aggregate(regions, []plan.Expr{col(regions, "region")}, agg("count"), agg("sum", col(regions, "amount")))},
		{"group-bucket-dictionary", aggregate(times, []plan.Expr{bucket, col(times, "region")}, agg("sum", col(times, "amount")))},
		{"group-bigint", aggregate(users, []plan.Expr{col(users, "user")}, agg("count"), agg("sum", col(users, "amount")))},
		{"top-10", &plan.Sort{Input: amounts, Keys: []plan.SortKey{desc(col(amounts, "amount"))}, Limit: 10}},
		{"sort", sorted(amounts, asc(col(amounts, "amount")))},
	} {
		b.Run(q.name, func(b *testing.B) {
			engine := exec.New(src, nil, exec.Options{Workers: 1})
			b.ReportAllocs()
			for range b.N {
				if err := consumeAll(engine, q.root); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

func consumeAll(engine *exec.Engine, root plan.Node) error {
	result, err := engine.Run(context.Background(), root)
	if err != nil {
		return err
	}
	if err := drainResult(result); err != nil {
		return err
	}
	return result.Close()
}
