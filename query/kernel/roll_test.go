package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// rolling is a Roller beside the rows that the frame of each key holds.
type rolling struct {
	f      *plan.Function
	args   []arrow.Array
	roller Roller
	frames [][]int32
}

// moves draws moves of the frames and gives what each result is to be.
func (r *rolling) moves(t *rapid.T, rng *rand.Rand, running bool) (m Moves, want []arrow.Array) {
	rows := r.args[0].Len()
	m.Count = len(r.frames)
	results := rapid.IntRange(0, 8).Draw(t, "results")
	for _, place := range rng.Perm(results) {
		key := rng.IntN(len(r.frames))
		for range rng.IntN(4) {
			row := rng.Int32N(int32(rows))
			m.Added = append(m.Added, row)
			r.frames[key] = append(r.frames[key], row)
		}
		if !running {
			gone := rng.IntN(len(r.frames[key])/2 + 1)
			m.Removed = append(m.Removed, r.frames[key][:gone]...)
			r.frames[key] = r.frames[key][gone:]
		}
		m.Keys, m.Place = append(m.Keys, uint32(key)), append(m.Place, int32(place))
		m.AddedTo, m.RemovedTo = append(m.AddedTo, int32(len(m.Added))), append(m.RemovedTo, int32(len(m.Removed)))
		want = append(want, r.over(t, r.frames[key]))
	}
	return m, want
}

// move moves the frames and holds the results to what they are to be.
func (r *rolling) move(t *rapid.T, rng *rand.Rand, running bool) {
	m, want := r.moves(t, rng, running)
	got, err := r.roller.Roll(m, operandsOf(r.args, Decode)[:len(r.f.Args)], r.args[0].Len())
	require.NoError(t, err)
	require.Equal(t, len(want), got.Len())
	for i, w := range want {
		at := int64(m.Place[i])
		require.True(t, array.Equal(w, array.NewSlice(got, at, at+1)), "result %d: %s of %s", i, w, got)
	}
}

// over is the aggregate of rows.
func (r *rolling) over(t *rapid.T, rows []int32) arrow.Array {
	a, _ := NewAccumulator(r.f)
	operands := operandsOf(r.args, func(c arrow.Array) arrow.Array { return Take(c, rows) })
	require.NoError(t, a.Update(Groups{Count: 1}, operands[:len(r.f.Args)], len(rows)))
	out, err := a.Result(1)
	require.NoError(t, err)
	return Decode(out)
}

// TestRollersAgreeWithTheirRows moves frames of several keys at random, clears some, and takes running ones through a snapshot: each
// result is the aggregate of the rows that are in the key's frame then.
func TestRollersAgreeWithTheirRows(t *testing.T) {
	t.Parallel()
	tried := 0
	for signature := range accumulators {
		f := withNumerics(aggregateBySignature(signature))
		if _, ok := NewRoller(f); !ok {
			continue
		}
		tried++
		for _, running := range []bool{false, true} {
			t.Run(signature, func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) { checkRoller(rt, f, running) })
			})
		}
	}
	require.Greater(t, tried, 20)
}

func checkRoller(t *rapid.T, f *plan.Function, running bool) {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	fresh := func() Roller {
		if running {
			r, _ := NewRunningRoller(f)
			return r
		}
		r, _ := NewRoller(f)
		return r
	}
	args := aggregateArguments(rng, f, rapid.IntRange(1, 40).Draw(t, "rows"))
	if len(args) == 0 {
		args = []arrow.Array{array.NewNull(10)}
	}
	r := &rolling{f: f, args: args, roller: fresh(), frames: make([][]int32, rapid.IntRange(1, 4).Draw(t, "keys"))}
	for range rapid.IntRange(1, 5).Draw(t, "rounds") {
		r.move(t, rng, running)
		switch rng.IntN(6) {
		case 4: // a fork moves on its own, and so does what it was made of
			fork := &rolling{f: f, args: args, roller: r.roller.Fork(groupNumbers(len(r.frames)))}
			for _, frame := range r.frames {
				fork.frames = append(fork.frames, slices.Clone(frame))
			}
			fork.move(t, rng, running)
		case 0:
			key := rng.IntN(len(r.frames))
			r.roller.Clear([]uint32{uint32(key)})
			r.frames[key] = nil
		case 1:
			if from, ok := r.roller.(RunningRoller); ok && running {
				next := fresh().(RunningRoller)
				state, err := from.State(groupNumbers(len(r.frames)))
				require.NoError(t, err)
				require.NoError(t, next.Restore(throughFile(t, state)))
				r.roller = next
			}
		case 2: // a key goes and comes back
			if from, ok := r.roller.(RunningRoller); ok && running {
				keys := []uint32{uint32(rng.IntN(len(r.frames)))}
				state, err := from.State(keys)
				require.NoError(t, err)
				state = throughFile(t, state)
				from.Clear(keys)
				require.NoError(t, from.Adopt(state, keys, len(r.frames)))
			}
		}
	}
}
