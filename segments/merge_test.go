package segments

import (
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// merge merges some of the stream's segments.
func (f *fixture) merge(stream string, m Merge) []*manifest.Segment {
	f.t.Helper()
	view := f.store.View(stream)
	defer func() { require.NoError(f.t, view.Close()) }()
	merged, err := f.store.Merge(context.Background(), view, m)
	require.NoError(f.t, err)
	return merged.Outputs
}

// sortedLines scans everything, in an order that does not depend on files.
func (f *fixture) sortedLines(stream string, schema *event.Schema) []string {
	f.t.Helper()
	lines, _, err := f.scan(stream, everything(schema))
	require.NoError(f.t, err)
	slices.Sort(lines)
	return lines
}

func TestMergesNeverChangeRows(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f, stream := newFixture(t, Options{RowGroupRows: 40, PageRows: 8}), clicks()
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		next := event.Vector{0, 0}
		for range rapid.IntRange(2, 6).Draw(rt, "segments") {
			p := event.Partition(rng.IntN(2))
			rows := disordered(rng, p, next[p], rapid.IntRange(1, 120).Draw(rt, "rows"))
			next = next.With(p, next[p]+event.Offset(len(rows)))
			for i := range rows { // many ties
				rows[i].ts = rows[i].ts / 500 * 500
			}
			f.add(stream, next, batchOf(stream.Schema, rows))
		}
		schema := clicks().Schema
		if rapid.Bool().Draw(rt, "widened") {
			schema = widened()
			later := *stream
			later.Schema = schema
			p := disordered(rng, 1, next[1], 30)
			f.add(&later, next.With(1, next[1]+30), batchOf(stream.Schema, p))
		}
		want := f.sortedLines("clicks", schema)
		for range rapid.IntRange(1, 4).Draw(rt, "merges") {
			listed := f.store.View("clicks").Segments()
			m := Merge{Archive: rapid.Bool().Draw(rt, "archive")}
			for _, s := range listed {
				if rapid.Bool().Draw(rt, "input") {
					m.Inputs = append(m.Inputs, s)
				}
			}
			if len(m.Inputs) == 0 {
				continue
			}
			for cut := rapid.Int64Range(-10, 20_000).Draw(rt, "cut"); len(m.Cuts) < 3 && rapid.Bool().Draw(rt, "more"); cut += 3000 {
				m.Cuts = append(m.Cuts, cut)
			}
			made := f.merge("clicks", m)
			require.Len(rt, f.store.View("clicks").Segments(), len(listed)-len(m.Inputs)+len(made))
			requireSorted(rt, f, made)
			require.Equal(rt, want, f.sortedLines("clicks", schema))
		}
		if rapid.Bool().Draw(rt, "restart") {
			require.NoError(rt, f.reopen())
			require.Equal(rt, want, f.sortedLines("clicks", schema))
		}
	})
}

// requireSorted holds files against the order and the times that the manifest has of them.
func requireSorted(t require.TestingT, f *fixture, made []*manifest.Segment) {
	for _, segment := range made {
		reader, err := f.store.reader(segment)
		require.NoError(t, err)
		order := newRowOrder(reader.Schema(), reader.Meta().SortBy)
		c := &mergeCursor{order: order, parts: partsOf(reader, order, 0, reader.TotalRows())}
		more, err := c.load(context.Background())
		require.NoError(t, err)
		before, first := *c, true
		for more {
			if first {
				require.Equal(t, segment.MinTime, c.times[0])
			}
			if !first {
				require.Negative(t, before.compare(c), "row %d", c.at)
			}
			before, first = *c, false
			if c.at++; c.at == len(c.times) {
				before.memory, c.memory = c.memory, event.Buffers{}
				more, err = c.load(context.Background())
				require.NoError(t, err)
			}
		}
		require.Equal(t, segment.MaxTime, before.times[before.at])
	}
}

func TestPinnedSegmentsStayReadable(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{OpenFiles: 1, CacheBytes: 64}), clicks()
	rng := rand.New(rand.NewPCG(31, 32))
	for i := range 3 {
		first := event.Offset(i * 50)
		f.add(stream, event.Vector{first + 50}, batchOf(stream.Schema, disordered(rng, 0, first, 50)))
	}
	pinned := f.store.View("clicks")
	inputs := pinned.Segments()
	made := f.merge("clicks", Merge{Inputs: inputs})
	require.Len(t, made, 1)
	require.NoError(t, f.store.EmptyTrash())
	for _, in := range inputs {
		_, err := f.fs.Stat(in.File)
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	morsels, _, err := pinned.Scan(context.Background(), everything(stream.Schema))
	require.NoError(t, err)
	rows := 0
	for _, m := range morsels {
		_, _, err := m.Read(context.Background(), nil, nil)
		require.NoError(t, err, "from where the files were moved to")
		rows += m.Rows()
	}
	require.Equal(t, 150, rows)

	require.NoError(t, pinned.Close())
	later := f.store.View("clicks") // pins the new segment only
	require.NoError(t, f.store.EmptyTrash())
	names, err := f.fs.ReadDir(DroppedDir)
	require.NoError(t, err)
	require.Empty(t, names)
	require.NoError(t, later.Close())
	require.Len(t, f.sortedLines("clicks", stream.Schema), 150)
	require.Empty(t, f.store.Damage())
}

func TestMergeConflictsWithWhatTookAnInputAway(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	a := f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{ts: 1}}))
	b := f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 2, offset: 1}}))
	view := f.store.View("clicks")
	f.merge("clicks", Merge{Inputs: []*manifest.Segment{a}})
	_, err := f.store.Merge(context.Background(), view, Merge{Inputs: []*manifest.Segment{a, b}})
	require.ErrorIs(t, err, manifest.ErrConflict)
	require.NoError(t, view.Close())
	require.Len(t, f.sortedLines("clicks", stream.Schema), 2)
	names, err := f.fs.ReadDir("segments/clicks")
	require.NoError(t, err)
	require.Len(t, names, 2, "the files of the merge that lost are gone")
}

func TestSealsGoOnDuringAMerge(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	a := f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{ts: 1}}))
	b := f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 2, offset: 1}}))
	sealed := false
	f.merge("clicks", Merge{Inputs: []*manifest.Segment{a, b}, Pause: func(context.Context) error {
		if !sealed {
			sealed = true
			f.add(stream, event.Vector{3}, batchOf(stream.Schema, []row{{ts: 3, offset: 2}}))
		}
		return nil
	}})
	require.True(t, sealed)
	require.Len(t, f.sortedLines("clicks", stream.Schema), 3)
	require.Equal(t, event.Vector{3}, f.store.View("clicks").Sealed().Next)
}

func TestMergeThatIsGivenUpLeavesNothing(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 20, PageRows: 10}), clicks()
	segment := f.add(stream, event.Vector{90}, batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(1, 2)), 0, 0, 90)))
	for stop := 1; stop < 20; stop++ {
		ctx, cancel := context.WithCancel(context.Background())
		calls := 0
		view := f.store.View("clicks")
		_, err := f.store.Merge(ctx, view, Merge{Inputs: []*manifest.Segment{segment}, Pause: func(ctx context.Context) error {
			if calls++; calls == stop {
				cancel()
			}
			return ctx.Err()
		}})
		cancel()
		require.ErrorIs(t, err, context.Canceled)
		require.NoError(t, view.Close())
		names, err := f.fs.ReadDir(tmpDir)
		require.NoError(t, err)
		require.Empty(t, names)
		require.Equal(t, []*manifest.Segment{segment}, f.store.View("clicks").Segments())
	}
}

// longTexts are rows whose text is long.
func longTexts(n, bytes int) []row {
	rows := make([]row, n)
	for i := range rows {
		rows[i] = row{ts: int64(i), page: fmt.Sprint(i) + strings.Repeat("x", bytes), offset: event.Offset(i)}
	}
	return rows
}

func TestLongTextCutsPagesOfAMerge(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	const n, bytes = 300, 100_000
	segment := f.add(stream, event.Vector{n}, batchOf(stream.Schema, longTexts(n, bytes)))
	want := f.sortedLines("clicks", stream.Schema)
	made := f.merge("clicks", Merge{Inputs: []*manifest.Segment{segment}})
	require.Equal(t, want, f.sortedLines("clicks", stream.Schema))
	reader, err := f.store.reader(made[0])
	require.NoError(t, err)
	require.Greater(t, len(reader.PageEnds(0)), 3)
}
