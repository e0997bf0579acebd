package views

import (
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// liveModel holds live rows to a plain multiset of (time, number).
type liveModel struct {
	t     *rapid.T
	live  *liveRows
	space *spill.Space
	held  map[[2]int64]int
	// seen are snapshots that were taken, with what they held.
	seen []seenRows
}

type seenRows struct {
	chunks []*chunk
	want   []string
}

func rowsOfPairs(pairs [][2]int64) rows {
	times, numbers := make([]int64, len(pairs)), make([]int64, len(pairs))
	for i, p := range pairs {
		times[i], numbers[i] = p[0], p[1]
	}
	return rows{columns: []arrow.Array{event.NewTimestamps(times, nil), event.NewInt64s(numbers, nil)}, count: len(pairs)}
}

func textsOf(t require.TestingT, chunks []*chunk) []string {
	var out []string
	for _, c := range chunks {
		left, err := c.loadLeft()
		require.NoError(t, err)
		for i := range left.count {
			out = append(out, fmt.Sprint(int64(left.columns[0].(*array.Timestamp).Value(i)), left.columns[1].(*array.Int64).Value(i)))
		}
	}
	slices.Sort(out)
	return out
}

func (m *liveModel) want() []string {
	var out []string
	for p, n := range m.held {
		for range n {
			out = append(out, fmt.Sprint(p[0], p[1]))
		}
	}
	slices.Sort(out)
	return out
}

func (m *liveModel) insert(t *rapid.T) {
	count := rapid.SampledFrom([]int{1, 5, 40, 200}).Draw(t, "count")
	from, spread := rapid.Int64Range(0, 50).Draw(t, "from"), rapid.Int64Range(1, 300).Draw(t, "spread")
	pairs := make([][2]int64, count)
	for i := range pairs {
		pairs[i] = [2]int64{from + int64(i)%7, int64(i) % spread}
		m.held[pairs[i]]++
	}
	m.live.insert(rowsOfPairs(pairs))
}

func (m *liveModel) remove(t *rapid.T) {
	every := rapid.IntRange(1, 5).Draw(t, "every")
	var gone [][2]int64
	for p := range m.held {
		if int(p[0]+p[1])%every == 0 {
			gone = append(gone, p)
		}
	}
	gone = append(gone, [2]int64{1000, 1000})
	r := rowsOfPairs(gone)
	for i, p := range gone {
		require.Equal(t, m.held[p] > 0, m.live.remove(r.columns, i))
		if m.held[p]--; m.held[p] <= 0 {
			delete(m.held, p)
		}
	}
}

func (m *liveModel) settle(t *rapid.T) {
	until := rapid.Int64Range(0, 60).Draw(t, "until")
	settled, err := m.live.settle(until)
	require.NoError(t, err)
	var want int
	for p, n := range m.held {
		if p[0] <= until {
			want += n
			delete(m.held, p)
		}
	}
	require.Equal(t, want, settled.count)
}

func (m *liveModel) publish(t *rapid.T) {
	chunks, err := m.live.publish()
	require.NoError(t, err)
	want := m.want()
	require.Equal(t, want, textsOf(t, chunks))
	m.seen = append(m.seen, seenRows{chunks, want})
}

func (m *liveModel) cool(t *rapid.T) {
	before := m.live.bytes()
	require.NoError(t, m.live.cool(m.space, rapid.Int64Range(1, 1<<14).Draw(t, "bytes")))
	require.LessOrEqual(t, m.live.bytes(), before)
}

// check holds everything to the model, and what was published before to what it was then.
func (m *liveModel) check(t *rapid.T) {
	total := 0
	for _, n := range m.held {
		total += n
	}
	require.Equal(t, total, m.live.alive)
	for _, seen := range m.seen[max(0, len(m.seen)-3):] {
		require.Equal(t, seen.want, textsOf(t, seen.chunks))
	}
}

func TestLiveRows(t *testing.T) {
	t.Parallel()
	space, err := spill.Open(vfs.NewMem(), "spill", 1<<40)
	require.NoError(t, err)
	cooled := false
	rapid.Check(t, func(t *rapid.T) {
		m := &liveModel{t: t, live: newLiveRows(1, 0), space: space, held: map[[2]int64]int{}}
		m.live.size = 64
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "insert": m.insert, "remove": m.remove, "settle": m.settle, "publish": m.publish, "cool": m.cool,
		})
		cooled = cooled || m.live.stored > 0
	})
	require.True(t, cooled, "rows were on disk")
}
