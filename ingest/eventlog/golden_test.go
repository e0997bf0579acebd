package eventlog_test

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

var newGolden = flag.Bool("new-golden", false, "write the file of the present format anew")

// TestOldFormatsStayReadable reads a log of each format that ever was: a folder of testdata for each, with what it holds in golden.txt.
func TestOldFormatsStayReadable(t *testing.T) {
	t.Parallel()
	if *newGolden {
		writeGolden(t, "testdata/v3")
	}
	datadriven.RunTest(t, "testdata/golden.txt", func(t *testing.T, d *datadriven.TestData) string {
		var out strings.Builder
		l, err := eventlog.Open(loadLog(t, filepath.Join("testdata", d.CmdArgs[0].Key)), "log", eventlog.Options{})
		require.NoError(t, err)
		entries, err := read(l, 0)
		require.NoError(t, err)
		for _, e := range entries {
			describe(&out, e)
		}
		require.NoError(t, l.Close())
		return out.String()
	})
}

func describe(out *strings.Builder, e *eventlog.Entry) {
	m := e.Meta
	fmt.Fprintf(out, "offset %d: schema %d, arrival %t, bound %s, idle timeout %s, future limit %s", e.First, m.SchemaVersion, m.Arrival > 0,
		m.Bound, m.IdleTimeout, m.FutureLimit)
	if m.HasMaxEventTime {
		fmt.Fprintf(out, ", max event time %d", m.MaxEventTime)
	}
	if m.HasWatermark {
		fmt.Fprintf(out, ", watermark %d", m.Watermark)
	}
	if r := m.Request; r != nil {
		fmt.Fprintf(out, ", request %x chunk %d hash %x of %d lines, %d accepted, last %t, held %x", r.Key, r.Chunk, r.Hash, r.Lines, r.Accepted,
			r.Last, r.Held)
	}
	if e.Idle != nil {
		fmt.Fprintf(out, ", idle marker to %d", e.Idle.Watermark)
	}
	out.WriteByte('\n')
	for i, v := range e.Values {
		fmt.Fprintf(out, "  %d %s\n", e.Times[i], v)
	}
	if e.Columns == nil {
		return
	}
	for _, f := range e.Columns.Fields {
		fmt.Fprintf(out, "  column %d %s %s\n", f.ID, f.Name, f.Type)
	}
	for row, t := range e.Times {
		text, err := e.Columns.AppendJSON(nil, row)
		fmt.Fprintf(out, "  %d %s%v\n", t, text, cmp.Or(err, errors.New("")))
	}
}

// loadLog copies a folder's files into a file system in memory.
func loadLog(t *testing.T, dir string) vfs.FS {
	t.Helper()
	fs := vfs.NewMem()
	require.NoError(t, vfs.MkdirAllSync(fs, "log"))
	names, err := filepath.Glob(filepath.Join(dir, "*.log"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	for _, name := range names {
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		f, err := fs.Create("log/" + filepath.Base(name))
		require.NoError(t, err)
		_, err = f.Write(content)
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
	}
	return fs
}

// writeGolden makes a log with everything that the present format can hold.
func writeGolden(t *testing.T, dir string) {
	t.Helper()
	fs := vfs.NewMem()
	l, err := eventlog.Open(fs, "log", eventlog.Options{})
	require.NoError(t, err)
	meta := eventlog.Meta{
		SchemaVersion: 1, Arrival: 1_700_000_000_000_000, Bound: 5 * time.Second, IdleTimeout: 30 * time.Second, FutureLimit: time.Hour,
	}
	keyed, part, idle := meta, meta, meta
	keyed.Request = &eventlog.Request{Key: eventlog.RequestKey{1, 2}, Chunk: 3, Hash: [16]byte{4}, Lines: 5, Accepted: 2, Last: true}
	part.Request = &eventlog.Request{Key: eventlog.RequestKey{1, 2}, Chunk: 4, Hash: [16]byte{5}, Lines: 20, Accepted: 18, Held: []byte{1, 0, 8}}
	idle.MaxEventTime, idle.HasMaxEventTime, idle.Watermark, idle.HasWatermark = 7_000_000, true, 2_000_000, true
	require.NoError(t, l.Append([]*eventlog.Entry{
		{Meta: meta, Times: []int64{1}, Values: [][]byte{[]byte(`{"n":1}`)}},
		{Meta: keyed, Times: []int64{2, 3}, Values: [][]byte{[]byte(`{"n":2}`), nil}},
		{Meta: part, Times: []int64{4, 5}, Values: [][]byte{[]byte(`{"n":3}`), []byte(`{"n":4}`)}},
		{Meta: idle, Times: []int64{6}, Idle: &eventlog.Idle{Watermark: 3_000_000}},
		{Meta: keyed, Times: []int64{7, 8}, Columns: goldenColumns()},
	}))
	require.NoError(t, l.Close())
	f, err := fs.Open("log/00000000000000000000.log")
	require.NoError(t, err)
	size, err := f.Size()
	require.NoError(t, err)
	content := make([]byte, size)
	_, err = f.ReadAt(content, 0)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, os.MkdirAll(dir, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "00000000000000000000.log"), content, 0o600))
}

// goldenColumns are two rows with a column of every type.
func goldenColumns() *eventlog.Columns {
	valid := event.Bitmap{1}
	texts := event.NewStrings([]int32{0, 5, 5}, []byte(`"a\"b"`)[:5], valid)
	words := []decimal128.Num{decimal128.New(1, 2), {}}
	values := []struct {
		typ   event.Type
		array arrow.Array
	}{
		{event.Type{Kind: event.TimestampTZ}, event.NewTimestamps([]int64{7_999, 8_000}, nil)},
		{event.Type{Kind: event.Boolean}, event.NewBooleans(event.Bitmap{1}, 2, valid)},
		{event.Type{Kind: event.SmallInt}, event.NewFixed(arrow.PrimitiveTypes.Int16, []int16{-2, 0}, valid)},
		{event.Type{Kind: event.Integer}, event.NewFixed(arrow.PrimitiveTypes.Int32, []int32{-3, 0}, valid)},
		{event.Type{Kind: event.BigInt}, event.NewInt64s([]int64{math.MinInt64, math.MaxInt64}, nil)},
		{event.Type{Kind: event.Real}, event.NewFixed(arrow.PrimitiveTypes.Float32, []float32{1.1, 0}, valid)},
		{event.Type{Kind: event.Double}, event.NewFloat64s([]float64{math.Copysign(0, -1), math.NaN()}, nil)},
		{event.Type{Kind: event.Numeric, Precision: 30, Scale: 4}, event.NewFixed(&arrow.Decimal128Type{Precision: 30, Scale: 4}, words, valid)},
		{event.Type{Kind: event.Text}, texts},
		{event.Type{Kind: event.Bytea}, event.NewBinaries([]int32{0, 2, 2}, []byte{0, 255}, valid)},
		{event.Type{Kind: event.Date}, event.NewFixed(arrow.FixedWidthTypes.Date32, []int32{-1, 0}, valid)},
		{event.Type{Kind: event.JSONB}, event.NewStrings([]int32{0, 7, 7}, []byte(`{"k":1}`), valid)},
		{event.Type{Kind: event.UUID}, event.NewUUIDs(words, valid)},
		{event.Type{Kind: event.Text}, event.NewNulls(event.Type{Kind: event.Text}, 2)},
	}
	schema := &event.Schema{Version: 1, TimeColumn: 1}
	var arrays []arrow.Array
	for i, v := range values {
		schema.Columns = append(schema.Columns, event.Column{ID: event.FieldID(i + 1), Name: fmt.Sprintf("c%d", i+1), Type: v.typ})
		arrays = append(arrays, v.array)
	}
	return eventlog.NewColumns(schema, arrays)
}

func TestIdleMarkersTakeAnOffsetAndNoRow(t *testing.T) {
	t.Parallel()
	l, err := eventlog.Open(vfs.NewMem(), "log", eventlog.Options{})
	require.NoError(t, err)
	require.NoError(t, l.Append([]*eventlog.Entry{
		{Times: []int64{5}, Idle: &eventlog.Idle{Watermark: 1}}, {Times: []int64{3}, Values: [][]byte{[]byte("{}")}},
	}))
	entries, err := read(l, 0)
	require.NoError(t, err)
	require.Equal(t, &eventlog.Idle{Watermark: 1}, entries[0].Idle)
	require.Equal(t, event.Offset(1), entries[1].First)
	at, err := l.FirstAt(4)
	require.NoError(t, err)
	require.Equal(t, event.Offset(2), at, "a time finds rows only")
	require.Error(t, l.Append([]*eventlog.Entry{{Times: []int64{1, 2}, Idle: &eventlog.Idle{}}}))
	require.NoError(t, l.Close())
}
