package exec_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestProfileAddsUp holds what nodes say to what the whole says: rows read, memory, and rows given.
func TestProfileAddsUp(t *testing.T) {
	t.Parallel()
	data := newTable(newRand(t, 31), 5000)
	for _, workers := range []int{1, 4} {
		source := &source{tables: map[string]*table{"t": data}, rng: rand.New(rand.NewPCG(1, 2))}
		engine := exec.New(source, nil, exec.Options{Workers: workers, BatchRows: 300})
		in := scan(data)
		grouped := aggregate(in, []plan.Expr{col(in, "user")}, agg("count"))
		root := sorted(grouped, asc(col(grouped, "user")))
		result, err := engine.Profile(t.Context(), root)
		require.NoError(t, err)
		rows := int64(0)
		for err == nil {
			var batch *exec.Batch
			if batch, err = result.Next(); err == nil {
				rows += int64(batch.Rows)
			}
		}
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, result.Close())

		nodes := map[plan.Node]exec.NodeStats{}
		for _, n := range []plan.Node{root, grouped, in} {
			stats, ok := result.NodeStats(n)
			require.True(t, ok)
			require.EqualValues(t, 1, stats.Builds)
			require.LessOrEqual(t, stats.Workers, int64(workers))
			require.LessOrEqual(t, stats.PeakMemoryBytes, result.Stats().PeakMemoryBytes)
			nodes[n] = stats
		}
		require.EqualValues(t, 5000, nodes[in].Rows)
		require.EqualValues(t, 5000, nodes[in].Scan.RowsScanned)
		require.Equal(t, int64(5000), result.Stats().RowsScanned)
		require.Equal(t, result.Stats().BytesScanned, nodes[in].Scan.BytesScanned)
		require.Zero(t, nodes[grouped].Scan.RowsScanned)
		require.Zero(t, nodes[in].PeakMemoryBytes)
		require.Positive(t, nodes[grouped].PeakMemoryBytes)
		require.Equal(t, rows, nodes[grouped].Rows)
		require.Equal(t, rows, nodes[root].Rows)
		require.LessOrEqual(t, nodes[in].Elapsed, nodes[grouped].Elapsed)
		require.LessOrEqual(t, nodes[grouped].Elapsed, nodes[root].Elapsed)

		_, ok := result.NodeStats(scan(data))
		require.False(t, ok, "a node of another plan")
	}
}

// TestRunHasNoProfile keeps the counting away from queries that nobody analyzes.
func TestRunHasNoProfile(t *testing.T) {
	t.Parallel()
	data := newTable(newRand(t, 32), 10)
	engine := exec.New(&source{tables: map[string]*table{"t": data}, rng: rand.New(rand.NewPCG(1, 2))}, nil, exec.Options{})
	in := scan(data)
	result, err := engine.Run(t.Context(), in)
	require.NoError(t, err)
	defer func() { require.NoError(t, result.Close()) }()
	_, ok := result.NodeStats(in)
	require.False(t, ok)
}

// TestProfiledMemoryLimit: a share's limit is that of the whole.
func TestProfiledMemoryLimit(t *testing.T) {
	t.Parallel()
	data := newTable(newRand(t, 33), 5000)
	engine := exec.New(&source{tables: map[string]*table{"t": data}, rng: rand.New(rand.NewPCG(1, 2))}, nil, exec.Options{MemoryBytes: 1 << 10})
	in := scan(data)
	result, err := engine.Profile(t.Context(), sorted(in, asc(col(in, "amount"))))
	require.NoError(t, err)
	for err == nil {
		_, err = result.Next()
	}
	requireCode(t, err, "memory_limit")
	require.False(t, errors.Is(err, io.EOF))
	require.NoError(t, result.Close())
}
