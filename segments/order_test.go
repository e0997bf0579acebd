package segments

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

func TestRowsOfOneTimeAreSortedAsTheStreamSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f, stream := newFixture(t, Options{RowGroupRows: 40, PageRows: 8}), clicks()
		stream.SortBy = []string{"page", "n"}
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		next := event.Vector{0, 0}
		for range rapid.IntRange(1, 5).Draw(rt, "segments") {
			p := event.Partition(rng.IntN(2))
			rows := disordered(rng, p, next[p], rapid.IntRange(1, 120).Draw(rt, "rows"))
			next = next.With(p, next[p]+event.Offset(len(rows)))
			for i := range rows {
				rows[i].ts = rows[i].ts / 4000 * 4000
			}
			requireSorted(rt, f, []*manifest.Segment{f.add(stream, next, batchOf(stream.Schema, rows))})
		}
		want := f.sortedLines("clicks", stream.Schema)
		made := f.merge("clicks", Merge{Inputs: f.store.View("clicks").Segments(), SortBy: stream.SortColumns()})
		requireSorted(rt, f, made)
		require.Equal(rt, want, f.sortedLines("clicks", stream.Schema))
		reader, err := f.store.reader(made[0])
		require.NoError(rt, err)
		require.Equal(rt, []event.FieldID{3, 2}, reader.Meta().SortBy)
	})
}

func TestOrderThatAnInputLacksIsNotClaimed(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 1, page: "b"}, {ts: 1, page: "a", offset: 1}}))
	stream.SortBy = []string{"page"}
	f.add(stream, event.Vector{4}, batchOf(stream.Schema, []row{{ts: 1, page: "d", offset: 2}, {ts: 1, page: "c", offset: 3}}))
	made := f.merge("clicks", Merge{Inputs: f.store.View("clicks").Segments(), SortBy: stream.SortColumns()})
	reader, err := f.store.reader(made[0])
	require.NoError(t, err)
	require.Empty(t, reader.Meta().SortBy)
	require.Len(t, f.sortedLines("clicks", stream.Schema), 4)
}

// TestSortingIsDeclared reads a file with another implementation of the format.
func TestSortingIsDeclared(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	stream.SortBy = []string{"page"}
	segment := f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{ts: 1, page: "b"}}))
	file, err := f.fs.Open(segment.File)
	require.NoError(t, err)
	data, err := io.ReadAll(io.NewSectionReader(file, 0, segment.Bytes))
	require.NoError(t, err)
	require.NoError(t, file.Close())
	read, err := pq.OpenFile(bytes.NewReader(data), segment.Bytes)
	require.NoError(t, err)
	sorting := read.Metadata().RowGroups[0].SortingColumns
	require.Len(t, sorting, 2)
	require.Equal(t, [2]int32{0, 2}, [2]int32{sorting[0].ColumnIdx, sorting[1].ColumnIdx})
}

func TestCompareValuesPutsNullsLast(t *testing.T) {
	t.Parallel()
	valid := event.NewBitmap(4)
	for i := range 3 {
		valid.Set(i)
	}
	values := event.NewFloat64s([]float64{1, 2, math.NaN(), 0}, valid)
	for i := range 4 {
		for j := range 4 {
			require.Equal(t, min(1, max(-1, i-j)), compareValues(values, i, values, j), fmt.Sprint(i, j))
		}
	}
}
