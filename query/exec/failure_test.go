package exec_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func timeOf(a arrow.Array) int64 { return int64(a.(*array.Timestamp).Value(0)) }

// hooked is a morsel that does something before it is read.
type hooked struct {
	query.Morsel
	before func(ctx context.Context) error
}

func (m hooked) Read(ctx context.Context, wanted []bool, memory *event.Buffers) ([]arrow.Array, int64, error) {
	if err := m.before(ctx); err != nil {
		return nil, 0, err
	}
	return m.Morsel.Read(ctx, wanted, memory)
}

// hookedSource serves a table of random rows whose morsels call before.
func hookedSource(t *testing.T, before func(context.Context) error) (*source, *table) {
	rng := newRand(t, 11)
	tab := newTable(rng, 2000)
	return &source{tables: map[string]*table{"t": tab}, rng: rng, wrap: func(m query.Morsel) query.Morsel {
		return hooked{Morsel: m, before: before}
	}}, tab
}

// shapes are plans that take batches in each of the ways there are: streamed, grouped, sorted, cut.
func shapes(tab *table) map[string]plan.Node {
	s := scan(tab)
	return map[string]plan.Node{
		"stream": s,
		"group":  aggregate(s, []plan.Expr{col(s, "user")}, agg("count")),
		"sort":   sorted(s, asc(col(s, "id"))),
		"limit":  &plan.Limit{Input: s, Count: 1900},
		"part":   aggregate(&plan.Limit{Input: s, Count: 1900}, nil, agg("count")),
		"insert": &plan.Insert{Input: s, Stream: "t", Names: []string{"id"}},
	}
}

func TestCancellationStopsTheWork(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 3} {
		var cancel context.CancelFunc
		var reads atomic.Int64
		src, tab := hookedSource(t, func(ctx context.Context) error {
			if reads.Add(1) == 2 {
				cancel()
			}
			return ctx.Err()
		})
		for name, root := range shapes(tab) {
			var ctx context.Context
			ctx, cancel = context.WithCancel(t.Context())
			reads.Store(0)
			result, err := exec.New(src, &sink{}, exec.Options{Workers: workers, BatchRows: 16}).Run(ctx, root)
			require.NoError(t, err)
			err = drainResult(result)
			requireCode(t, err, event.CodeCancelled)
			_, again := result.Next()
			require.Equal(t, err, again, name)
			require.NoError(t, result.Close())
			require.NoError(t, result.Close())
			cancel()
		}
		require.Zero(t, src.open)
	}
}

func TestDeadlineIsATimeout(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(time.Millisecond))
	defer cancel()
	for _, root := range shapes(tab) {
		result, err := exec.New(src, &sink{}, exec.Options{Workers: 2}).Run(ctx, root)
		if err == nil {
			err = drainResult(result)
			require.NoError(t, result.Close())
		}
		requireCode(t, err, event.CodeTimeout)
	}
}

func TestPanicBecomesAnInternalError(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { panic("a fault") })
	for _, workers := range []int{1, 2} {
		for _, root := range shapes(tab) {
			result, err := exec.New(src, &sink{}, exec.Options{Workers: workers}).Run(context.Background(), root)
			require.NoError(t, err)
			e := requireCode(t, drainResult(result), event.CodeInternal)
			require.ErrorContains(t, e.Cause, "a fault")
			require.NoError(t, result.Close())
		}
	}
	require.Zero(t, src.open)
}

func TestReadFailureIsPassedOn(t *testing.T) {
	t.Parallel()
	broken := event.Errorf(event.CodeCorrupt, "block 3 is damaged")
	src, tab := hookedSource(t, func(context.Context) error { return broken })
	for _, root := range shapes(tab) {
		_, _, err := answer(exec.New(src, &sink{}, exec.Options{Workers: 2}), root)
		require.ErrorIs(t, err, broken)
	}
}

func TestLimitStopsTheScan(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 4} {
		src, tab := hookedSource(t, func(context.Context) error { return nil })
		root := &plan.Limit{Input: scan(tab), Count: 1}
		rows, stats, err := answer(exec.New(src, nil, exec.Options{Workers: workers, BatchRows: 1}), root)
		require.NoError(t, err)
		require.Len(t, rows, 1)
		require.Less(t, stats.RowsScanned, int64(tab.rows))
	}
}

func TestClosingEarlyStopsTheWorkers(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { return nil })
	for _, root := range shapes(tab) {
		result, err := exec.New(src, &sink{}, exec.Options{Workers: 4, BatchRows: 1}).Run(context.Background(), root)
		require.NoError(t, err)
		_, err = result.Next()
		require.NoError(t, err)
		require.NoError(t, result.Close())
		_, err = result.Next()
		requireCode(t, err, event.CodeClosed)
	}
	require.Zero(t, src.open)
}

// TestEveryTurnIsGivenBack ends queries of all shapes in all ways while their workers take turns.
func TestEveryTurnIsGivenBack(t *testing.T) {
	t.Parallel()
	broken := event.Errorf(event.CodeCorrupt, "block 3 is damaged")
	var reads atomic.Int64
	src, tab := hookedSource(t, func(context.Context) error {
		if reads.Add(1)%7 == 6 {
			return broken
		}
		return nil
	})
	engine := exec.New(src, &sink{}, exec.Options{Workers: 3, BatchRows: 256})
	missing, stop := engine.TakeTurns()
	defer stop()
	for _, batches := range []int{0, 1, 2, 1 << 20} {
		for name, root := range shapes(tab) {
			ctx, cancel := context.WithCancel(t.Context())
			result, err := engine.Run(ctx, root)
			require.NoError(t, err)
			for range batches {
				if _, err := result.Next(); err != nil {
					break
				}
			}
			if batches == 2 {
				cancel()
			}
			require.NoError(t, result.Close())
			cancel()
			require.Zero(t, missing(), "%s after %d batches", name, batches)
		}
	}
}

func TestMemoryLimitNamesTheOperator(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { return nil })
	s := scan(tab)
	var rows [][]plan.Expr
	for i := range 2000 {
		rows = append(rows, []plan.Expr{lit(i)})
	}
	for operator, root := range map[string]plan.Node{
		"GROUP BY": aggregate(s, []plan.Expr{col(s, "id")}, agg("count")),
		"ORDER BY": sorted(s, asc(col(s, "id"))),
		"VALUES":   &plan.Values{Cols: []plan.Column{{Name: "x", Type: bigint}}, Rows: rows},
	} {
		_, _, err := answer(exec.New(src, nil, exec.Options{Workers: 2, MemoryBytes: 10_000}), root)
		e := requireCode(t, err, event.CodeMemoryLimit)
		require.Contains(t, e.Detail, operator)
		require.Contains(t, e.Detail, "9.8 KiB")
	}
	require.Zero(t, src.open)
}

func TestErrorOnlyWhereEarlierConditionsHold(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { return nil })
	s := scan(tab)
	id := col(s, "id")
	inverse := call(">", call("/", lit(100), id), lit(1))
	_, _, err := answer(exec.New(src, nil, exec.Options{}), where(s, inverse))
	requireCode(t, err, event.CodeInvalidValue)
	rows, _, err := answer(exec.New(src, nil, exec.Options{}), where(s, call("<>", id, lit(0)), inverse))
	require.NoError(t, err)
	require.Len(t, rows, 50)
}

func TestUnknownStreamFailsAtOnce(t *testing.T) {
	t.Parallel()
	src, tab := hookedSource(t, func(context.Context) error { return nil })
	s := scan(tab)
	s.Stream = "missing"
	_, err := exec.New(src, nil, exec.Options{}).Run(context.Background(), s)
	requireCode(t, err, event.CodeNotFound)
}

func drainResult(r *exec.Result) error {
	for {
		if _, err := r.Next(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
