package segments

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// memoryJournal keeps records in memory and can be replayed into another manifest.
type memoryJournal struct {
	mu      sync.Mutex
	state   journal.State
	records []journal.Record
	fail    error
}

func (j *memoryJournal) Update(decide func() ([]journal.Record, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	records, err := decide()
	if err = errors.Join(err, j.fail); err != nil {
		return err
	}
	for _, r := range records {
		j.records = append(j.records, r)
		if err := j.state.Apply(r); err != nil {
			return err
		}
	}
	return nil
}

// fixture is a store with what it stands on.
type fixture struct {
	t       testing.TB
	fs      *vfs.Mem
	journal *memoryJournal
	store   *Store
	options Options
}

func newFixture(t testing.TB, options Options) *fixture {
	t.Helper()
	f := &fixture{t: t, fs: vfs.NewMem(), journal: &memoryJournal{}, options: options}
	require.NoError(t, f.reopen())
	t.Cleanup(func() { require.NoError(t, f.store.Close()) })
	return f
}

// reopen starts again from the journal's records.
func (f *fixture) reopen() error {
	if f.store != nil {
		require.NoError(f.t, f.store.Close())
	}
	m := manifest.New()
	for _, r := range f.journal.records {
		require.NoError(f.t, m.Apply(r))
	}
	f.journal.state = m
	store, err := Open(f.fs, f.journal, m, f.options)
	if err == nil {
		f.store = store
	}
	return err
}

// clicks is a stream with a time, a count and a text.
func clicks() *catalog.Stream {
	return &catalog.Stream{Name: "clicks", Partitions: 2, Schema: &event.Schema{Version: 1, TimeColumn: 1, NextID: 4,
		Columns: []event.Column{
			{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true, Since: 1},
			{ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
			{ID: 3, Name: "page", Type: event.Type{Kind: event.Text}, Since: 1},
		}}}
}

// row is a row of clicks; n < 0 is NULL.
type row struct {
	ts, n     int64
	page      string
	partition event.Partition
	offset    event.Offset
}

// batchOf makes a batch of one partition from rows in offset order.
func batchOf(schema *event.Schema, rows []row) *event.Batch {
	n := len(rows)
	ts, counts, partitions, offsets := make([]int64, n), make([]int64, n), make([]int64, n), make([]int64, n)
	valid := event.NewBitmap(n)
	text, data := make([]int32, 1, n+1), []byte{}
	for i, r := range rows {
		ts[i], counts[i], partitions[i], offsets[i] = r.ts, r.n, int64(r.partition), int64(r.offset)
		if r.n >= 0 {
			valid.Set(i)
		}
		data = append(data, r.page...)
		text = append(text, int32(len(data)))
	}
	columns := []arrow.Array{
		event.NewTimestamps(ts, nil), event.NewInt64s(counts, valid), event.NewStrings(text, data, nil), event.NewInt64s(partitions, nil),
		event.NewInt64s(offsets, nil), event.NewTimestamps(ts, nil), event.NewNulls(event.Type{Kind: event.TimestampTZ}, n),
	}
	return &event.Batch{
		Schema: schema, Record: array.NewRecordBatch(schema.Arrow(), columns, int64(n)), Partition: rows[0].partition,
		First: rows[0].offset, Last: rows[n-1].offset,
	}
}

// disordered makes n rows for a partition from an offset on, about in order of time.
func disordered(rng *rand.Rand, p event.Partition, first event.Offset, n int) []row {
	rows := make([]row, n)
	for i := range rows {
		offset := first + event.Offset(i)
		rows[i] = row{
			ts: int64(offset)*100 + rng.Int64N(1000), n: rng.Int64N(50) - 1, page: fmt.Sprint("/", rng.IntN(9)),
			partition: p, offset: offset,
		}
	}
	return rows
}

func (f *fixture) add(stream *catalog.Stream, to event.Vector, batches ...*event.Batch) *manifest.Segment {
	f.t.Helper()
	segment, err := f.store.Add(context.Background(), stream, batches, manifest.Sealed{Next: to})
	require.NoError(f.t, err)
	return segment
}

// scan reads columns as text, a line for each row, segment by segment.
func (f *fixture) scan(stream string, request ScanRequest) (lines []string, pruned int, err error) {
	f.t.Helper()
	view := f.store.View(stream)
	defer func() { require.NoError(f.t, view.Close()) }()
	morsels, cut, err := view.Scan(context.Background(), request)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range morsels {
		columns, _, err := m.Read(context.Background(), nil, nil)
		if err != nil {
			return nil, 0, err
		}
		for i := range m.Rows() {
			var line []string
			for c, values := range columns {
				column, _ := request.Schema.ByID(request.Columns[c])
				require.Equal(f.t, m.Rows(), values.Len())
				line = append(line, render(values, column.Type, i))
			}
			lines = append(lines, strings.Join(line, " "))
		}
	}
	return lines, cut.Segments, nil
}

func render(values arrow.Array, t event.Type, i int) string {
	if values.IsNull(i) {
		return "NULL"
	}
	switch t.Kind {
	case event.BigInt:
		return fmt.Sprint(values.(*array.Int64).Value(i))
	case event.TimestampTZ:
		return fmt.Sprint(int64(values.(*array.Timestamp).Value(i)))
	case event.Double:
		return fmt.Sprint(values.(*array.Float64).Value(i))
	default:
		return event.StringAt(values, i)
	}
}

func everything(schema *event.Schema) ScanRequest {
	request := ScanRequest{Schema: schema}
	for _, c := range schema.All() {
		if c.ID != event.FieldIngestedAt && c.ID != event.FieldWatermark {
			request.Columns = append(request.Columns, c.ID)
		}
	}
	return request
}

func (r row) line() string {
	n := fmt.Sprint(r.n)
	if r.n < 0 {
		n = "NULL"
	}
	return fmt.Sprintf("%d %s %s %d %d", r.ts, n, r.page, r.partition, r.offset)
}

func byTime(a, b row) int {
	if a.ts != b.ts {
		return int(a.ts - b.ts)
	}
	if a.partition != b.partition {
		return int(a.partition - b.partition)
	}
	return int(a.offset - b.offset)
}

func TestAddSortsByTimeAndSurvivesRestart(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 300, PageRows: 100}), clicks()
	rng := rand.New(rand.NewPCG(1, 2))
	a, b, c := disordered(rng, 0, 0, 400), disordered(rng, 1, 0, 350), disordered(rng, 0, 400, 50)
	segment := f.add(stream, event.Vector{450, 350}, batchOf(stream.Schema, c), batchOf(stream.Schema, b), batchOf(stream.Schema, a))

	all := slices.Concat(a, b, c)
	slices.SortFunc(all, byTime)
	var want []string
	for _, r := range all {
		want = append(want, r.line())
	}
	require.Equal(t, int64(800), segment.Rows)
	require.Equal(t, [2]int64{all[0].ts, all[799].ts}, [2]int64{segment.MinTime, segment.MaxTime})
	for range 2 {
		got, pruned, err := f.scan("clicks", everything(stream.Schema))
		require.NoError(t, err)
		require.Zero(t, pruned)
		require.Equal(t, want, got)
		require.Equal(t, event.Vector{450, 350}, f.store.View("clicks").Sealed().Next)
		require.NoError(t, f.reopen())
	}
}

func TestAddWithoutRowsMovesTheSealedVector(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	require.Nil(t, f.add(clicks(), event.Vector{5}))
	require.Empty(t, f.store.View("clicks").Segments())
	require.Equal(t, event.Vector{5}, f.store.View("clicks").Sealed().Next)
}

func TestAddRefusesRowsOutsideItsRange(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	batch := batchOf(stream.Schema, []row{{offset: 3}, {offset: 4}})
	_, err := f.store.Add(context.Background(), stream, []*event.Batch{batch}, manifest.Sealed{Next: event.Vector{4}})
	require.ErrorContains(t, err, "not between")
	f.add(stream, event.Vector{5}, batch)
	_, err = f.store.Add(context.Background(), stream, []*event.Batch{batch}, manifest.Sealed{Next: event.Vector{6}})
	require.ErrorContains(t, err, "not between")
}

func TestUnknownCommitKeepsTheFileAndRestartMovesIt(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	f.journal.fail = errors.New("disk on fire")
	batch := batchOf(stream.Schema, []row{{}})
	_, err := f.store.Add(context.Background(), stream, []*event.Batch{batch}, manifest.Sealed{Next: event.Vector{1}})
	require.ErrorContains(t, err, "disk on fire")
	f.journal.fail = nil
	for range 2 { // the same id twice: neither file is lost
		_, err = f.fs.Stat(fileName("clicks", 1))
		require.NoError(t, err)
		require.NoError(t, f.reopen())
		_, err = f.fs.Stat(fileName("clicks", 1))
		require.ErrorIs(t, err, fs.ErrNotExist)
		file, err := f.fs.Create(fileName("clicks", 1))
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	names, err := f.fs.ReadDir(trashDir)
	require.NoError(t, err)
	require.Equal(t, []string{"clicks-000000000001.1.parquet", "clicks-000000000001.2.parquet"}, names)
}

func TestDamagedSegmentsLeaveTheOthersReadable(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	whole := f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{ts: 1}}))
	short := f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 1000, offset: 1}}))
	missing := f.add(stream, event.Vector{3}, batchOf(stream.Schema, []row{{ts: 2000, offset: 2}}))
	file, err := f.fs.OpenAppend(short.File)
	require.NoError(t, err)
	require.NoError(t, file.Truncate(short.Bytes-1))
	require.NoError(t, file.Close())
	require.NoError(t, f.fs.Remove(missing.File))
	require.NoError(t, f.reopen())

	require.Len(t, f.store.Damage(), 1, "a start looks at names only")
	require.Contains(t, f.store.Damage()[0], missing.File)
	for name, at := range map[string]int64{short.File: 1000, missing.File: 2000} {
		request := everything(stream.Schema)
		request.Ranges = []prune.Range{{Field: 1, Low: event.NewTimestamps([]int64{at}, nil), High: event.NewTimestamps([]int64{at}, nil)}}
		_, _, err = f.scan("clicks", request)
		requireCode(t, event.CodeCorrupt, err)
		require.ErrorContains(t, err, name)
	}
	require.Len(t, f.store.Damage(), 2)
	require.True(t, f.store.IsDamaged(short.ID))
	request := everything(stream.Schema)
	request.Ranges = []prune.Range{{Field: 1, High: event.NewTimestamps([]int64{whole.MaxTime}, nil)}}
	got, _, err := f.scan("clicks", request)
	require.NoError(t, err)
	require.Len(t, got, 1)
}

func requireCode(t testing.TB, code event.Code, err error) {
	t.Helper()
	var failure *event.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, code, failure.Code, "%v", err)
}

func TestEveryFlippedByteIsAnError(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{PageRows: 20, RowGroupRows: 60}), clicks()
	segment := f.add(stream, event.Vector{100}, batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(3, 4)), 0, 0, 100)))
	for at := int64(0); at < segment.Bytes; at += 7 {
		restore := f.flip(segment.File, at)
		require.NoError(t, f.reopen()) // with empty caches
		_, _, err := f.scan("clicks", everything(stream.Schema))
		requireCode(t, event.CodeCorrupt, err)
		require.ErrorContains(t, err, segment.File)
		restore()
	}
	require.NoError(t, f.reopen())
	got, _, err := f.scan("clicks", everything(stream.Schema))
	require.NoError(t, err)
	require.Len(t, got, 100)
}

func TestDamageElsewhereLeavesAnswersRight(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{PageRows: 5000}), clicks()
	rng := rand.New(rand.NewPCG(3, 5))
	segment := f.add(stream, event.Vector{60_000}, batchOf(stream.Schema, disordered(rng, 0, 0, 60_000)))
	require.Greater(t, len(segment.Blocks), 3, "the file must have blocks that a scan of one column leaves alone")
	request := ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{2}}
	want, _, err := f.scan("clicks", request)
	require.NoError(t, err)
	unharmed := 0
	for range 40 {
		restore := f.flip(segment.File, rng.Int64N(segment.Bytes))
		require.NoError(t, f.reopen())
		got, _, err := f.scan("clicks", request)
		if err != nil {
			requireCode(t, event.CodeCorrupt, err)
		} else {
			require.Equal(t, want, got)
			unharmed++
		}
		restore()
	}
	require.Positive(t, unharmed)
}

func TestOnARealDisk(t *testing.T) {
	t.Parallel()
	disk, err := vfs.NewReal(t.TempDir())
	require.NoError(t, err)
	s, err := openStack(disk)
	require.NoError(t, err)
	acknowledged := 0
	require.NoError(t, sealThree(s, func(n int) { acknowledged = n }))
	require.NoError(t, s.close())
	checkStack(t, disk, acknowledged)
}

// flip changes a byte of a file and returns what undoes it.
func (f *fixture) flip(name string, at int64) (restore func()) {
	f.t.Helper()
	file, err := f.fs.Open(name)
	require.NoError(f.t, err)
	size, err := file.Size()
	require.NoError(f.t, err)
	data := make([]byte, size)
	_, err = file.ReadAt(data, 0)
	require.NoError(f.t, err)
	require.NoError(f.t, file.Close())
	write := func() {
		require.NoError(f.t, f.fs.Remove(name))
		file, err := f.fs.Create(name)
		require.NoError(f.t, err)
		_, err = file.Write(data)
		require.NoError(f.t, err)
		require.NoError(f.t, file.Close())
	}
	data[at] ^= 0x40
	write()
	return func() { data[at] ^= 0x40; write() }
}

func TestExtent(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	_, _, ok := f.store.Extent("clicks", 2)
	require.False(t, ok)
	f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{n: 7}, {n: -1, offset: 1}}))
	f.add(stream, event.Vector{4}, batchOf(stream.Schema, []row{{n: 3, offset: 2}, {n: 12, offset: 3}}))
	low, high, ok := f.store.Extent("clicks", 2)
	require.Equal(t, [3]any{int64(3), int64(12), true}, [3]any{low, high, ok})
}

func TestClosedStoreAndView(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{}}))
	view := f.store.View("clicks")
	morsels, _, err := view.Scan(context.Background(), everything(stream.Schema))
	require.NoError(t, err)
	require.NoError(t, view.Close())
	require.NoError(t, view.Close())
	_, _, err = morsels[0].Read(context.Background(), nil, nil)
	requireCode(t, event.CodeClosed, err)
	require.NoError(t, f.store.Close())
	_, _, err = f.scan("clicks", everything(stream.Schema))
	requireCode(t, event.CodeClosed, err)
	_, err = f.store.Add(context.Background(), stream, nil, manifest.Sealed{})
	requireCode(t, event.CodeClosed, err)
}

func TestReadersWhileSealing(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{PageRows: 50, CacheBytes: 200 << 10}), clicks()
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for {
				sealed := f.store.View("clicks").Sealed().Next.At(0)
				got, _, err := f.scan("clicks", everything(stream.Schema))
				assert.NoError(t, err)
				assert.GreaterOrEqual(t, len(got), int(sealed), "a later view never has less")
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(21, 22))
	for i := range 10 {
		first := event.Offset(i * 200)
		f.add(stream, event.Vector{first + 200}, batchOf(stream.Schema, disordered(rng, 0, first, 200)))
	}
	close(done)
	group.Wait()
}

func TestOptionsValidateReportsEveryFault(t *testing.T) {
	t.Parallel()
	err := Options{RowGroupRows: -1, PageRows: -1, CacheBytes: -1}.Validate()
	require.ErrorContains(t, err, "row group rows")
	require.ErrorContains(t, err, "page rows")
	require.ErrorContains(t, err, "cache bytes")
}

func one(v int64) arrow.Array { return event.NewInt64s([]int64{v}, nil) }
