package segments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/racing"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// weighed is a store on a real disk that looks, while files are written, at how much memory is in use.
type weighed struct {
	t      *testing.T
	store  *Store
	mu     sync.Mutex
	writes int
	// most is the greatest heap that was seen since the last look at it, in bytes, of what is reachable; least is that without a file being made.
	most, least uint64
	held        int64
}

func newWeighed(t *testing.T) *weighed {
	t.Helper()
	w := &weighed{t: t}
	disk, err := vfs.NewReal(t.TempDir())
	require.NoError(t, err)
	files := vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		if op == vfs.OpWrite && strings.HasPrefix(name, tmpDir) {
			w.look()
		}
		return nil
	})
	m := manifest.New()
	w.store, err = Open(files, &memoryJournal{state: m}, m, Options{WriteBytes: LeastWriteBytes, CacheBytes: 1 << 20})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	return w
}

// look weighs every few writes: it takes as long as they do.
func (w *weighed) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writes++; w.writes%6 == 1 {
		w.most = max(w.most, reachable())
		held, limit := w.store.WriteMemory()
		require.LessOrEqual(w.t, held, limit)
		w.held = max(w.held, held)
	}
}

func reachable() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// requireBounded runs what makes files, and holds the memory that it took to the bound.
func (w *weighed) requireBounded(what string, run func()) {
	w.t.Helper()
	w.writes, w.most, w.held = 0, 0, 0
	w.least = reachable()
	run()
	held, _ := w.store.WriteMemory()
	require.Zero(w.t, held, what)
	require.Positive(w.t, w.writes, what)
	require.Positive(w.t, w.held, what)
	took := int64(w.most) - int64(w.least)
	w.t.Logf("%s: %d MiB taken, %d MiB accounted, %d writes", what, took>>20, w.held>>20, w.writes)
	require.LessOrEqual(w.t, took, w.store.writing.most(), what)
}

// broad is a stream with so many numbers and texts.
func broad(numbers, texts int) *catalog.Stream {
	schema := &event.Schema{Version: 1, TimeColumn: 1, Columns: []event.Column{
		{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true, Since: 1},
	}}
	add := func(kind event.Kind) {
		id := event.FieldID(len(schema.Columns) + 1)
		schema.Columns = append(schema.Columns, event.Column{ID: id, Name: fmt.Sprint("c", id), Type: event.Type{Kind: kind}, Since: 1})
	}
	for range numbers {
		add(event.BigInt)
	}
	for range texts {
		add(event.Text)
	}
	schema.NextID = event.FieldID(len(schema.Columns) + 1)
	return &catalog.Stream{Name: "broad", Partitions: 1, Schema: schema}
}

// fill makes rows of a stream. Texts have length bytes that hardly compress, or of few that repeat, every other time each.
func fill(stream *catalog.Stream, rng *rand.Rand, first event.Offset, rows, length int) *event.Batch {
	var columns []arrow.Array
	for _, c := range stream.Schema.All() {
		switch {
		case c.ID == event.FieldPartition:
			columns = append(columns, event.NewInt64s(make([]int64, rows), nil))
		case c.ID == event.FieldOffset:
			columns = append(columns, numbersOf(rows, func(i int) int64 { return int64(first) + int64(i) }))
		case c.Type.Kind == event.TimestampTZ && c.ID != event.FieldWatermark:
			times := numbersOf(rows, func(i int) int64 { return int64(i)*1000 + rng.Int64N(500) })
			columns = append(columns, event.NewTimestamps(times.Int64Values(), nil))
		case c.Type.Kind == event.BigInt:
			columns = append(columns, numbersOf(rows, func(int) int64 { return rng.Int64() }))
		case c.Type.Kind == event.Text:
			columns = append(columns, textsOf(rng, rows, length))
		default:
			columns = append(columns, event.NewNulls(c.Type, rows))
		}
	}
	return &event.Batch{
		Schema: stream.Schema, Record: array.NewRecordBatch(stream.Schema.Arrow(), columns, int64(rows)), First: first, Last: first + event.Offset(rows) - 1,
	}
}

func numbersOf(rows int, value func(i int) int64) *array.Int64 {
	out := make([]int64, rows)
	for i := range out {
		out[i] = value(i)
	}
	return event.NewInt64s(out, nil).(*array.Int64)
}

func textsOf(rng *rand.Rand, rows, length int) arrow.Array {
	offsets, data := []int32{0}, []byte(nil)
	for i := range rows {
		if i%2 == 0 {
			for range length {
				data = append(data, byte('a'+rng.IntN(26)))
			}
		} else {
			data = fmt.Append(data, "short ", rng.IntN(100))
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, nil)
}

// TestFilesAreMadeInBoundedMemory seals and merges what is far more than the memory for it: long texts, many columns with filters, many inputs, and
// several outputs. What is reachable while a file is written is weighed.
func TestFilesAreMadeInBoundedMemory(t *testing.T) { //nolint:paralleltest // the heap is that of all tests
	if racing.On {
		t.Skip("it measures the heap, which make test does without the race detector")
	}
	for _, c := range []struct {
		name                         string
		numbers, texts, length, rows int
		segments                     int
		merges                       []Merge
	}{
		{"long texts", 1, 3, 3000, 8_000, 4, []Merge{{}, {Archive: true}}},
		{"wide", 300, 0, 0, 12_000, 4, []Merge{{}}},
		{"many and cut", 2, 2, 800, 4_000, 20, []Merge{{Cuts: []int64{500_000, 1_000_000, 1_500_000, 2_000_000, 2_500_000, 3_000_000}}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, stream, rng := newWeighed(t), broad(c.numbers, c.texts), rand.New(rand.NewPCG(1, 2))
			size := int64(0)
			for n := range c.segments {
				first := event.Offset(n * c.rows)
				batch := fill(stream, rng, first, c.rows, c.length)
				size += batch.Bytes()
				w.requireBounded(fmt.Sprint("seal ", n), func() {
					_, err := w.store.Add(t.Context(), stream, []*event.Batch{batch}, manifest.Sealed{Next: event.Vector{first + event.Offset(c.rows)}})
					require.NoError(t, err)
				})
			}
			require.Greater(t, size, w.store.writing.most(), "there is more than may be in memory")
			for i, m := range c.merges {
				view := w.store.View(stream.Name)
				m.Inputs = view.Segments()
				w.requireBounded(fmt.Sprint("merge ", i), func() {
					merged, err := w.store.Merge(context.Background(), view, m)
					require.NoError(t, err)
					require.GreaterOrEqual(t, len(merged.Inputs), min(2, len(m.Inputs)))
				})
				require.NoError(t, view.Close())
			}
			view := w.store.View(stream.Name)
			rows := int64(0)
			for _, s := range view.Segments() {
				rows += s.Rows
			}
			require.EqualValues(t, c.segments*c.rows, rows)
			require.NoError(t, view.Close())
		})
	}
}

// TestMemoryForFilesIsWaitedFor: what would be too much together waits for what is under way, or for its caller to give up, and a file that
// needs more than there is for one gets that.
func TestMemoryForFilesIsWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWriting(100)
		merge, err := w.take(t.Context(), 1000)
		require.NoError(t, err)
		seal, err := w.take(t.Context(), 30)
		require.NoError(t, err)
		require.EqualValues(t, 80, w.held.Load())
		impatient, cancel := context.WithCancel(t.Context())
		go func() {
			_, err := w.take(impatient, 30)
			require.ErrorIs(t, err, context.Canceled)
		}()
		synctest.Wait()
		cancel()
		synctest.Wait()
		got := false
		go func() {
			giveBack, err := w.take(t.Context(), 30)
			require.NoError(t, err)
			got = true
			giveBack()
		}()
		synctest.Wait()
		require.False(t, got)
		seal()
		synctest.Wait()
		require.True(t, got)
		merge()
		require.Zero(t, w.held.Load())
	})
}
