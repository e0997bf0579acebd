package segments

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

func TestPruningKeepsEveryMatch(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 50, PageRows: 10}), clicks()
	var rows []row
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range 4 {
		part := disordered(rng, 0, event.Offset(i*120), 120)
		f.add(stream, event.Vector{event.Offset(i*120 + 120)}, batchOf(stream.Schema, part))
		rows = append(rows, part...)
	}
	rapid.Check(t, func(t *rapid.T) {
		low, high := rapid.Int64Range(-100, 50_000).Draw(t, "low"), rapid.Int64Range(-100, 50_000).Draw(t, "high")
		least := rapid.Int64Range(0, 60).Draw(t, "n")
		request := everything(stream.Schema)
		request.Ranges = []prune.Range{
			{Field: 1, Low: event.NewTimestamps([]int64{low}, nil), High: event.NewTimestamps([]int64{high}, nil)},
			{Field: 2, Low: one(least)},
			{Field: 3, High: event.NewStrings([]int32{0, 2}, []byte("/7"), nil)},
		}
		got, pruned, err := f.scan("clicks", request)
		require.NoError(t, err)
		for _, r := range rows {
			if r.ts >= low && r.ts <= high && r.n >= least && r.page <= "/7" {
				require.True(t, slices.Contains(got, r.line()), "%s was left out", r.line())
			}
		}
		if low > high {
			require.Equal(t, 4, pruned+distinctSegments(f, request))
		}
	})
}

func distinctSegments(f *fixture, request ScanRequest) int {
	view := f.store.View("clicks")
	defer func() { require.NoError(f.t, view.Close()) }()
	morsels, _, err := view.Scan(context.Background(), request)
	require.NoError(f.t, err)
	seen := map[string]bool{}
	for _, m := range morsels {
		seen[m.reader.Meta().From.String()] = true
	}
	return len(seen)
}

func TestNarrowRangeReadsFewRows(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 1000, PageRows: 100}), clicks()
	for i := range 5 {
		first := event.Offset(i * 2000)
		f.add(stream, event.Vector{first + 2000}, batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(7, 8)), 0, first, 2000)))
	}
	request := everything(stream.Schema)
	request.Ranges = []prune.Range{
		{Field: 1, Low: event.NewTimestamps([]int64{450_000}, nil), High: event.NewTimestamps([]int64{460_000}, nil)},
	}
	got, pruned, err := f.scan("clicks", request)
	require.NoError(t, err)
	require.Equal(t, 4, pruned)
	require.LessOrEqual(t, len(got), 300)
	require.GreaterOrEqual(t, len(got), 80)
}

func TestMorselsAreBounded(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 200_000, PageRows: 20_000}), clicks()
	f.add(stream, event.Vector{300_000}, batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(9, 9)), 0, 0, 300_000)))
	view := f.store.View("clicks")
	defer func() { require.NoError(t, view.Close()) }()
	morsels, _, err := view.Scan(context.Background(), ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{1}})
	require.NoError(t, err)
	sizes := []int{}
	for _, m := range morsels {
		sizes = append(sizes, m.Rows())
	}
	require.Equal(t, []int{60_000, 60_000, 60_000, 20_000, 60_000, 40_000}, sizes)
}

// widened is clicks one version on: n has become DOUBLE PRECISION, page JSONB, and there is a new column.
func widened() *event.Schema {
	schema := *clicks().Schema
	schema.Version, schema.NextID = 2, 7
	schema.Columns = slices.Clone(schema.Columns)
	schema.Columns[1] = event.Column{ID: 4, Name: "n", Type: event.Type{Kind: event.Double}, Since: 1,
		Former: []event.FormerColumn{{ID: 2, Type: event.Type{Kind: event.BigInt}}}}
	schema.Columns[2] = event.Column{ID: 5, Name: "page", Type: event.Type{Kind: event.JSONB}, Since: 1,
		Former: []event.FormerColumn{{ID: 3, Type: event.Type{Kind: event.Text}}}}
	schema.Columns = append(schema.Columns, event.Column{ID: 6, Name: "extra", Type: event.Type{Kind: event.Text}, Since: 2})
	return &schema
}

func TestOldSegmentsAreReadUnderALaterSchema(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 10, n: 5, page: "/a"}, {ts: 20, n: -1, page: "/b", offset: 1}}))
	request := everything(widened())
	got, _, err := f.scan("clicks", request)
	require.NoError(t, err)
	require.Equal(t, []string{`10 5 "/a" NULL 0 0`, `20 NULL "/b" NULL 0 1`}, got)

	for _, test := range []struct {
		name   string
		ranges prune.Range
		pruned int
	}{
		{"double bound over whole numbers that lie below", prune.Range{Field: 4, Low: event.NewFloat64s([]float64{5.5}, nil)}, 1},
		{"double bound that one reaches", prune.Range{Field: 4, Low: event.NewFloat64s([]float64{4.5}, nil)}, 0},
		{"JSON has no order here", prune.Range{Field: 5, Low: event.NewStrings([]int32{0, 1}, []byte("z"), nil)}, 0},
		{"a column that is not stored is NULL", prune.Range{Field: 6}, 1},
	} {
		request.Ranges = []prune.Range{test.ranges}
		_, pruned, err := f.scan("clicks", request)
		require.NoError(t, err)
		require.Equal(t, test.pruned, pruned, test.name)
	}
}

func TestBatchesOfOlderSchemasAreSealedUnderTheNewOne(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	batch := batchOf(stream.Schema, []row{{ts: 10, n: 5, page: "/a"}})
	later := *stream
	later.Schema = widened()
	segment := f.add(&later, event.Vector{1}, batch)
	require.Equal(t, 2, segment.SchemaVersion)
	got, _, err := f.scan("clicks", everything(later.Schema))
	require.NoError(t, err)
	require.Equal(t, []string{`10 5 "/a" NULL 0 0`}, got)

	t.Run("a reader with the older schema is told, not given NULLs", func(t *testing.T) {
		t.Parallel()
		_, _, err := f.scan("clicks", everything(stream.Schema))
		requireCode(t, event.CodeTooBusy, err)
		require.ErrorIs(t, err, ErrSchemaChanged)
		got, _, err := f.scan("clicks", ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{1}})
		require.NoError(t, err, "what it asks for has not changed")
		require.Equal(t, []string{"10"}, got)
	})
}

func TestViewsDoNotSeeLaterSegments(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	before := f.store.View("clicks")
	f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{}}))
	require.Empty(t, before.Segments())
	require.Empty(t, before.Sealed().Next)
	require.Len(t, f.store.View("clicks").Segments(), 1)
}

func TestTimeOrderSortsAndKeepsTies(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		times := rapid.SliceOf(rapid.Int64Range(0, 20)).Draw(t, "times")
		rows := make([]place, 0, len(times))
		for i, v := range times {
			rows = append(rows, place{time: v, row: int32(i)})
		}
		cut := rapid.IntRange(0, len(times)).Draw(t, "cut")
		for i := range rows[cut:] {
			rows[cut+i].batch, rows[cut+i].row = 1, int32(i)
		}
		want := slices.Clone(rows)
		slices.SortStableFunc(want, func(a, b place) int { return int(a.time - b.time) })
		require.Equal(t, want, timeOrder([][]int64{times[:cut], times[cut:]}))
	})
}

// timesOf are those of the rows of one batch.
func timesOf(rows []place) [][]int64 {
	out := make([]int64, len(rows))
	for i, r := range rows {
		out[i] = r.time
	}
	return [][]int64{out}
}

// TestTimeOrderOfManyRuns is about rows that are dealt out to piles: many, spread evenly, or most of them close together and a few far away.
func TestTimeOrderOfManyRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		width := rapid.SampledFrom([]int64{1, 2, leastDealt, leastDealt + 1, 1 << 30, math.MaxInt64}).Draw(t, "width")
		least := rapid.SampledFrom([]int64{math.MinInt64, -3, 0, 1_700_000_000_000_000}).Draw(t, "least")
		apart, near := rapid.SampledFrom([]int{0, 1, 100}).Draw(t, "apart"), rapid.SampledFrom([]uint64{1, 1000, 1 << 40}).Draw(t, "near")
		rows := make([]place, rapid.SampledFrom([]int{leastDealt, leastDealt + 1, 5000}).Draw(t, "rows"))
		for i := range rows {
			far := random.Uint64N(uint64(width))
			if random.IntN(100) >= apart {
				far %= near
			}
			rows[i] = place{time: int64(uint64(least) + far), row: int32(i)}
		}
		if least > 0 && width == math.MaxInt64 { // a time may not wrap around
			return
		}
		want := slices.Clone(rows)
		slices.SortStableFunc(want, func(a, b place) int { return cmp.Compare(a.time, b.time) })
		require.Equal(t, want, timeOrder(timesOf(rows)))
	})
}

func BenchmarkAdd(b *testing.B) {
	const n = 1 << 18
	stream := clicks()
	batch := batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(1, 1)), 0, 0, n))
	for b.Loop() {
		f := newFixture(b, Options{})
		if _, err := f.store.Add(context.Background(), stream, []*event.Batch{batch}, manifest.Sealed{Next: event.Vector{n}}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}

func BenchmarkScan(b *testing.B) {
	const n = 1 << 18
	f, stream := newFixture(b, Options{}), clicks()
	f.add(stream, event.Vector{n}, batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(1, 1)), 0, 0, n)))
	view := f.store.View("clicks")
	for b.Loop() {
		morsels, _, err := view.Scan(context.Background(), ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{1, 2, 3}})
		if err != nil {
			b.Fatal(err)
		}
		for _, m := range morsels {
			if _, _, err := m.Read(context.Background(), nil, nil); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
}
