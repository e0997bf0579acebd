package continuous

import (
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// BenchmarkAhead is what new rows cost in a partition with many that the watermark has not passed, where all rows so far are asked for: a step has
// some new ones, a millisecond apart, behind the others. It reports nanoseconds for each step: ns/step.
func BenchmarkAhead(b *testing.B) {
	frames := map[string]plan.Node{
		"sum of 100ms": rolling("sum", 100*time.Millisecond), "sum of 1h": rolling("sum", time.Hour), "max of 100 rows": ofRows("max", 100),
		"deviation of 100ms": rolling("stddev_samp", 100*time.Millisecond),
	}
	for _, name := range []string{"sum of 100ms", "sum of 1h", "max of 100 rows", "deviation of 100ms"} {
		for _, open := range []int{100, 1_000, 10_000} {
			for _, fresh := range []int{1, 100} {
				b.Run(fmt.Sprintf("%s/open=%d/new=%d", name, open, fresh), func(b *testing.B) {
					p := compileTrades(b, overFrames(frames[name]), Options{MemoryBytes: 1 << 30})
					const steps = 20
					total := time.Duration(0)
					for b.Loop() {
						b.StopTimer()
						m := p.Start()
						_, err := m.Step(b.Context(), aheadStep(p, 0, open))
						require.NoError(b, err)
						b.StartTimer()
						began := time.Now()
						for i := range steps {
							_, err := m.Step(b.Context(), aheadStep(p, open+i*fresh, fresh))
							require.NoError(b, err)
						}
						total += time.Since(began)
					}
					b.ReportMetric(float64(total.Nanoseconds())/float64(b.N)/steps, "ns/step")
				})
			}
		}
	}
}

// aheadStep is rows of one symbol from a number on, a millisecond apart, that no watermark has passed.
func aheadStep(p *Program, from, rows int) Step {
	symbols, amounts, at := make([]int64, rows), make([]float64, rows), make([]int64, rows)
	for i := range rows {
		amounts[i], at[i] = float64((from+i)%97), 1_790_000_000_000_000+int64(from+i)*1000
	}
	in := InputStep{Closed: NoWatermark, Rows: Delta{Rows: rows, Columns: []arrow.Array{
		event.NewInt64s(symbols, nil), event.NewFloat64s(amounts, nil), event.NewTimestamps(at, nil), event.NewNulls(timestamp, rows),
	}}}
	return Step{Inputs: map[string]InputStep{"trades": widened(in, p.Inputs()[0].Fields, int64(from))}}
}

// ofRows computes an aggregate over so many trades before each.
func ofRows(name string, rows int64) plan.Node {
	w := rolling(name, time.Second).(*plan.Window)
	w.Calls[0].Frame.Unit, w.Calls[0].Frame.Start.Offset = plan.FrameRows, countLiteral(rows)
	return w
}
