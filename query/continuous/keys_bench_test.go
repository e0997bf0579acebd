//go:build unix

package continuous

import (
	"bytes"
	"context"
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// byKey groups trades by symbol.
func byKey() plan.Node {
	s := trades("trades")
	return &plan.Aggregate{
		Input: s, Groups: []plan.Expr{column(s, 0)}, Names: []string{"symbol", "n", "total", "most"},
		Aggregates: []plan.Aggregation{aggregate("count"), aggregate("sum", column(s, 1)), aggregate("max", column(s, 1))},
	}
}

// latestByKey is the last trade of each symbol.
func latestByKey() plan.Node {
	s := trades("trades")
	return &plan.FirstRows{Input: s, By: []plan.Expr{column(s, 0)}, Keys: []plan.SortKey{{Expr: column(s, 2), Descending: true}}}
}

// BenchmarkManyKeys gives views a million keys, two trades each on average, and reports what a key costs: the bytes that the machine says it
// holds, those of a snapshot, and the nanoseconds of CPU time of the steps, of taking the state down, which is what a view waits for at a
// checkpoint, of writing it, which goes on beside, and of starting from it.
func BenchmarkManyKeys(b *testing.B) {
	const keys, rows = 1_000_000, 20_000
	for _, c := range []struct {
		name string
		plan plan.Node
	}{
		{"group", byKey()}, {"rolling-1h", rolling("sum", time.Hour)}, {"latest", latestByKey()},
	} {
		b.Run(c.name, func(b *testing.B) {
			p, err := Compile(c.plan, map[string]InputInfo{"trades": {Time: 3}}, Options{MemoryBytes: 8 << 30})
			require.NoError(b, err)
			steps := tradeSteps([]string{"trades"}, 2*keys/rows, rows, keys)
			for i, s := range steps {
				steps[i].Inputs["trades"] = widened(s.Inputs["trades"], p.Inputs()[0].Fields, int64(i*rows))
			}
			perKey := func(since time.Duration) float64 { return float64((cpuTime(b) - since).Nanoseconds()) / keys }
			for b.Loop() {
				began, m := cpuTime(b), p.Start()
				for _, s := range steps {
					_, err := m.Step(context.Background(), s)
					require.NoError(b, err)
				}
				b.ReportMetric(perKey(began), "steps-cpu-ns/key")
				b.ReportMetric(float64(m.Bytes())/keys, "held-B/key")
				var out bytes.Buffer
				began = cpuTime(b)
				state, err := m.Capture()
				require.NoError(b, err)
				b.ReportMetric(perKey(began), "capture-cpu-ns/key")
				began = cpuTime(b)
				require.NoError(b, errors.Join(state.Write(&out), state.Close()))
				b.ReportMetric(perKey(began), "snapshot-cpu-ns/key")
				b.ReportMetric(float64(out.Len())/keys, "snapshot-B/key")
				began = cpuTime(b)
				_, err = p.Restore(bytes.NewReader(out.Bytes()))
				require.NoError(b, err)
				b.ReportMetric(perKey(began), "restore-cpu-ns/key")
			}
		})
	}
}

// cpuTime is what this process has used of processors.
func cpuTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
