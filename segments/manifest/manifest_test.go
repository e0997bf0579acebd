package manifest

import (
	"encoding/json"
	"errors"
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// memoryJournal keeps what it is given and applies it.
type memoryJournal struct {
	mu      sync.Mutex
	state   journal.State
	records []journal.Record
}

func (j *memoryJournal) Update(decide func() ([]journal.Record, error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	records, err := decide()
	if err != nil {
		return err
	}
	for _, r := range records {
		if err := j.state.Apply(r); err != nil {
			return err
		}
	}
	j.records = append(j.records, records...)
	return nil
}

func replayed(t require.TestingT, records []journal.Record) *Manifest {
	m := New()
	for _, r := range records {
		require.NoError(t, m.Apply(r))
	}
	return m
}

func requireSame(t require.TestingT, want, got *Manifest) {
	require.Equal(t, want.Streams(), got.Streams())
	for _, stream := range want.Streams() {
		require.Equal(t, want.View(stream), got.View(stream))
	}
}

func drawSegment(t *rapid.T, id uint64, stream string) *Segment {
	column := func(kind event.Kind, low, high prune.Bound) Column {
		return Column{ID: event.FieldID(kind), Stats: prune.Stats{
			Type: event.Type{Kind: kind}, Rows: 9, Nulls: rapid.Int64Range(0, 8).Draw(t, "nulls"), Bounded: true, Min: low, Max: high}}
	}
	ints := rapid.Int64()
	floats := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{math.Inf(-1), math.Inf(1), math.MaxFloat64}))
	return &Segment{
		ID: id, Stream: stream, File: "segments/x", Rows: 9, Bytes: 70_000, MinTime: ints.Draw(t, "time"), MaxTime: math.MaxInt64,
		SchemaVersion: 2, Blocks: []uint32{rapid.Uint32().Draw(t, "sum"), math.MaxUint32},
		Columns: []Column{
			column(event.BigInt, prune.Bound{Int: ints.Draw(t, "low")}, prune.Bound{Int: math.MaxInt64}),
			column(event.Double, prune.Bound{Float: floats.Draw(t, "low")}, prune.Bound{Float: floats.Draw(t, "high")}),
			column(event.Text, prune.Bound{}, prune.Bound{Text: rapid.String().Draw(t, "text")}),
			{ID: 99, Stats: prune.Stats{Type: event.Type{Kind: event.JSONB}, Rows: 9}},
		},
	}
}

func TestReplayGivesTheLiveManifest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		live := New()
		j := &memoryJournal{state: live}
		for range rapid.IntRange(0, 12).Draw(t, "edits") {
			stream := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "stream")
			now := live.View(stream)
			edit := Edit{Stream: stream, ExpectedNext: now.Sealed.Next, Sealed: Sealed{
				Next:         now.Sealed.Next.With(event.Partition(rapid.IntRange(0, 2).Draw(t, "partition")), 1_000_000),
				MaxEventTime: []int64{5, NoTime}, Watermark: []int64{NoTime, rapid.Int64().Draw(t, "watermark")},
			}}
			for range rapid.IntRange(0, 2).Draw(t, "add") {
				edit.Add = append(edit.Add, drawSegment(t, live.NextID(), stream))
			}
			for _, s := range now.Segments {
				if rapid.Bool().Draw(t, "remove") {
					edit.Remove = append(edit.Remove, s.ID)
				}
			}
			require.NoError(t, live.Commit(j, edit))
		}
		requireSame(t, live, replayed(t, j.records))
		snapshot, err := live.Snapshot()
		require.NoError(t, err)
		again := replayed(t, snapshot)
		requireSame(t, live, again)
		require.Equal(t, live.NextID(), again.NextID(), "ids of removed segments are not given again")
	})
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	m := New()
	j := &memoryJournal{state: m}
	segment := &Segment{ID: m.NextID(), Stream: "a"}
	first := Edit{Stream: "a", Add: []*Segment{segment}, Sealed: Sealed{Next: event.Vector{10}}}
	require.NoError(t, m.Commit(j, first))
	before := m.View("a")
	for name, edit := range map[string]Edit{
		"the same again":    first,
		"from another past": {Stream: "a", ExpectedNext: event.Vector{9}, Sealed: Sealed{Next: event.Vector{20}}},
		"removed already":   {Stream: "a", ExpectedNext: event.Vector{10}, Remove: []uint64{77}, Sealed: Sealed{Next: event.Vector{10}}},
		"id taken":          {Stream: "a", ExpectedNext: event.Vector{10}, Add: []*Segment{segment}, Sealed: Sealed{Next: event.Vector{11}}},
	} {
		require.ErrorIs(t, m.Commit(j, edit), ErrConflict, name)
	}
	back := Edit{Stream: "a", ExpectedNext: event.Vector{10}, Sealed: Sealed{Next: event.Vector{9}}}
	require.Error(t, m.Commit(j, back))
	require.Same(t, before, m.View("a"))
	require.Len(t, j.records, 1)
}

func TestTrailingZerosOfVectorsDoNotMatter(t *testing.T) {
	t.Parallel()
	m := New()
	j := &memoryJournal{state: m}
	require.NoError(t, m.Commit(j, Edit{Stream: "a", ExpectedNext: event.Vector{0, 0}, Sealed: Sealed{Next: event.Vector{3, 0, 0}}}))
	require.NoError(t, m.Commit(j, Edit{Stream: "a", ExpectedNext: event.Vector{3}, Sealed: Sealed{Next: event.Vector{4}}}))
}

func TestConcurrentCommitsOneWins(t *testing.T) {
	t.Parallel()
	m := New()
	j := &memoryJournal{state: m}
	results := make([]error, 8)
	var group sync.WaitGroup
	for i := range results {
		group.Go(func() {
			results[i] = m.Commit(j, Edit{Stream: "a", Add: []*Segment{{ID: m.NextID(), Stream: "a"}}, Sealed: Sealed{Next: event.Vector{1}}})
		})
	}
	group.Wait()
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else {
			require.ErrorIs(t, err, ErrConflict)
		}
	}
	require.Equal(t, 1, won)
	require.Len(t, m.View("a").Segments, 1)
}

// The stored form must stay readable for ever.
func TestRecordFormat(t *testing.T) {
	t.Parallel()
	const stored = `{"v":1,"stream":"clicks","add":[{"id":7,"stream":"clicks","file":"segments/clicks/000000000007.parquet","rows":3,` +
		`"bytes":4096,"from":[0],"to":[3],"min_time":10,"max_time":30,"schema_version":1,"columns":[` +
		`{"id":1,"type":"BIGINT","rows":3,"nulls":1,"min":"-9223372036854775808","max":"9007199254740993"},` +
		`{"id":2,"type":"DOUBLE PRECISION","rows":3,"min":"-0","max":"+Inf"},{"id":3,"type":"JSONB","rows":3}],"blocks":[4294967295]}],` +
		`"sealed":{"next":[3],"max_event_time":[30],"watermark":[-9223372036854775808]}}`
	m := replayed(t, []journal.Record{{Kind: journal.KindSegment, Body: []byte(stored)}})
	segment := m.View("clicks").Segments[0]
	stats, ok := segment.Stats(1)
	require.True(t, ok)
	require.Equal(t, [2]int64{math.MinInt64, 9007199254740993}, [2]int64{stats.Min.Int, stats.Max.Int})
	snapshot, err := m.Snapshot()
	require.NoError(t, err)
	require.Len(t, snapshot, 2)
	require.JSONEq(t, `{"v":1,"last_id":7}`, string(snapshot[0].Body))
	require.JSONEq(t, stored, string(snapshot[1].Body))
}

func FuzzApply(f *testing.F) {
	body, err := encodeEdit(Edit{Stream: "a", Add: []*Segment{{ID: 1, Columns: []Column{{ID: 1, Stats: prune.Stats{Bounded: true,
		Type: event.Type{Kind: event.Double}}}}}}, Sealed: Sealed{Next: event.Vector{1}}})
	require.NoError(f, err)
	f.Add(body.Body)
	f.Add([]byte(`{"v":1,"stream":"a","add":[null],"sealed":{}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := New()
		if err := m.Apply(journal.Record{Kind: journal.KindSegment, Body: body}); err != nil {
			var failure *event.Error
			require.True(t, errors.As(err, &failure))
			return
		}
		records, err := m.Snapshot()
		require.NoError(t, err)
		requireSame(t, m, replayed(t, records))
	})
}

func TestColumnsKeepTheirTypeAsText(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(Column{ID: 3, Stats: prune.Stats{Type: event.Type{Kind: event.Text}, Rows: 1, Bounded: true}})
	require.NoError(t, err)
	require.JSONEq(t, `{"id":3,"type":"TEXT","rows":1,"min":"","max":""}`, string(data))
}
