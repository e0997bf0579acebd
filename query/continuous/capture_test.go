package continuous

import (
	"bytes"
	"context"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// perSymbol groups trades by symbol for ever.
func perSymbol() plan.Node {
	s := trades("trades")
	return &plan.Aggregate{
		Input: s, Groups: []plan.Expr{column(s, 0)},
		Aggregates: []plan.Aggregation{aggregate("count"), aggregate("sum", column(s, 1)), aggregate("max", column(s, 2))},
		Names:      []string{"symbol", "n", "total", "latest"},
	}
}

// TestCapturedStateStays takes down a state, goes on with the machine, and finds the state as it was.
func TestCapturedStateStays(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]plan.Node{
		"groups": perSymbol(), "panes": overWindows(plan.Hop, 1e9, 5e9), "rolling": rolling("sum", 1e9), "retract": overGroups(), "join": joinNear(1e9),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := compileTrades(t, n, Options{MemoryBytes: 1 << 30}).Start()
			steps := tradeSteps([]string{"trades", "quotes"}, 20, 50, 20)
			for _, s := range steps {
				if len(m.program.Inputs()) == 1 {
					delete(s.Inputs, "quotes")
				}
			}
			feed(t, m, steps[:10])
			state, err := m.Capture()
			require.NoError(t, err)
			require.Positive(t, state.Bytes())
			var before, after bytes.Buffer
			require.NoError(t, state.Write(&before))
			feed(t, m, steps[10:])
			require.NoError(t, state.Write(&after))
			require.Equal(t, before.Bytes(), after.Bytes())
			restored, err := m.program.Restore(&before)
			require.NoError(t, err)
			var again bytes.Buffer
			require.NoError(t, restored.Snapshot(&again))
			require.Equal(t, after.Bytes(), again.Bytes())
		})
	}
}

// BenchmarkState says what a checkpoint of a million groups costs the view that has them, which is to take its state down, and beside it
// what it costs to write and to read.
func BenchmarkState(b *testing.B) {
	const keys = 1_000_000
	p, err := Compile(perSymbol(), map[string]InputInfo{"trades": {Time: 3}}, Options{MemoryBytes: 1 << 40})
	require.NoError(b, err)
	m := p.Start()
	for from := 0; from < keys; from += 10_000 {
		symbols, amounts, times := make([]int64, 10_000), make([]float64, 10_000), make([]int64, 10_000)
		for i := range symbols {
			symbols[i], amounts[i], times[i] = int64(from+i), float64(i), int64(i)
		}
		rows := Delta{Rows: len(symbols)}
		for _, f := range p.Inputs()[0].Fields {
			switch f {
			case 1:
				rows.Columns = append(rows.Columns, event.NewInt64s(symbols, nil))
			case 2:
				rows.Columns = append(rows.Columns, event.NewFloat64s(amounts, nil))
			default:
				rows.Columns = append(rows.Columns, event.NewTimestamps(times, nil))
			}
		}
		_, err := m.Step(context.Background(), Step{Inputs: map[string]InputStep{"trades": {Rows: rows}}})
		require.NoError(b, err)
	}
	state, err := m.Capture()
	require.NoError(b, err)
	var written bytes.Buffer
	require.NoError(b, state.Write(&written))
	perKey := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/keys, "ns/key")
		b.ReportMetric(float64(m.Bytes())/keys, "bytes/key")
	}
	b.Run("capture", func(b *testing.B) {
		for b.Loop() {
			_, err := m.Capture()
			require.NoError(b, err)
		}
		perKey(b)
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			require.NoError(b, state.Write(io.Discard))
		}
		perKey(b)
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			_, err := p.Restore(bytes.NewReader(written.Bytes()))
			require.NoError(b, err)
		}
		perKey(b)
	})
}
