package continuous

import (
	"bytes"
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/racing"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func compileTrades(t testing.TB, n plan.Node, options Options) *Program {
	t.Helper()
	p, err := Compile(n, map[string]InputInfo{"trades": {Time: 3}, "quotes": {Time: 3}}, options)
	require.NoError(t, err)
	return p
}

func requireCode(t *testing.T, err error, code event.Code) {
	t.Helper()
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
}

// feed gives a machine steps of trades.
func feed(t *testing.T, m *Machine, steps []Step) (rows int) {
	t.Helper()
	for i, s := range steps {
		for _, in := range m.program.Inputs() {
			s.Inputs[in.Name] = widened(s.Inputs[in.Name], in.Fields, int64(i*1000))
		}
		changes, err := m.Step(context.Background(), s)
		require.NoError(t, err)
		rows += changes.Rows
	}
	return rows
}

// TestStateIsForgotten feeds windows, frames and joins for a long time: what they hold does not grow.
func TestStateIsForgotten(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]plan.Node{
		"tumble": overWindows(plan.Tumble, 0, 2*time.Second), "hop": overWindows(plan.Hop, time.Second, 5*time.Second),
		"cumulate": overWindows(plan.Cumulate, time.Second, 5*time.Second), "rolling": rolling("sum", time.Second),
		"join": joinNear(200 * time.Millisecond),
	} {
		for _, emit := range []Emit{OnUpdate, OnWindowClose} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				m := compileTrades(t, n, Options{Emit: emit}).Start()
				steps := tradeSteps([]string{"trades", "quotes"}, 200, 50, 20)
				for _, s := range steps {
					for stream := range s.Inputs {
						if len(m.program.Inputs()) == 1 && stream != "trades" {
							delete(s.Inputs, stream)
						}
					}
				}
				require.Positive(t, feed(t, m, steps[:100]))
				early := m.Bytes()
				require.Positive(t, feed(t, m, steps[100:]))
				require.Less(t, m.Bytes(), 2*early)
			})
		}
	}
}

// TestSnapshotsThatCannotBeRead cuts a snapshot everywhere, changes every byte of its beginning, and gives it to another program: an
// error each time, never a panic and never another state in silence where the program itself can tell. Under the race detector it takes every
// seventh place.
func TestSnapshotsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	p := compileTrades(t, overWindows(plan.Hop, time.Second, 5*time.Second), Options{Emit: OnWindowClose})
	m := p.Start()
	feed(t, m, tradeSteps([]string{"trades"}, 3, 20, 5))
	var out bytes.Buffer
	require.NoError(t, m.Snapshot(&out))
	whole, step := out.Bytes(), 1
	if racing.Less() {
		step = 7
	}
	for n := 0; n < len(whole); n += step {
		_, err := p.Restore(bytes.NewReader(whole[:n]))
		require.Error(t, err, "cut after %d bytes", n)
	}
	for i := 0; i < len(whole); i += step {
		broken := bytes.Clone(whole)
		broken[i] ^= 0x55
		_, err := p.Restore(bytes.NewReader(broken)) // the frame around a snapshot finds damage; this must only not crash
		if i < 64 {
			requireCode(t, err, event.CodeCorrupt)
		}
	}
	other := compileTrades(t, overWindows(plan.Tumble, 0, time.Second), Options{})
	_, err := other.Restore(bytes.NewReader(whole))
	requireCode(t, err, event.CodeCorrupt)
}

func TestWatermarksDoNotFall(t *testing.T) {
	t.Parallel()
	m := compileTrades(t, rolling("sum", time.Second), Options{}).Start()
	_, err := m.Step(context.Background(), Step{Inputs: map[string]InputStep{"trades": {Closed: 10}}})
	require.NoError(t, err)
	_, err = m.Step(context.Background(), Step{Inputs: map[string]InputStep{"trades": {Closed: 9}}})
	requireCode(t, err, event.CodeInternal)
}

func TestBehindSaturates(t *testing.T) {
	t.Parallel()
	require.Equal(t, int64(7), behind(10, 3))
	require.Equal(t, int64(13), behind(10, -3))
	require.Equal(t, int64(NoWatermark), behind(NoWatermark, 3))
	require.Equal(t, int64(NoWatermark+1), behind(NoWatermark+2, 3))
	require.Equal(t, int64(math.MaxInt64), behind(math.MaxInt64, 3))
}
