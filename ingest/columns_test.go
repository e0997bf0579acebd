package ingest

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// typedRows are the rows of numbered as columns, with some more: an event time, and numbers some of which are NULL.
func typedRows(from, to int) *decode.Chunk {
	rows := to - from
	times, texts, keys := make([]int64, rows), [][]byte{}, [][]byte{}
	numbers, valid := make([]int64, rows), event.NewBitmap(rows)
	for i := range rows {
		n := from + i
		times[i] = 1_767_225_600_000_000 + int64(n)*1_000_100
		texts, keys = append(texts, fmt.Appendf(nil, "row%d", n)), append(keys, fmt.Appendf(nil, "key%d", n%7))
		numbers[i] = int64(n)
		if n%3 != 0 {
			valid.Set(i)
		}
	}
	kind := func(k event.Kind) event.Type { return event.Type{Kind: k} }
	return &decode.Chunk{
		Rows: rows,
		Fields: []decode.Field{
			{Name: "ts", Type: kind(event.TimestampTZ)}, {Name: "k", Type: kind(event.Text)}, {Name: "n", Type: kind(event.Text)},
			{Name: "count", Type: kind(event.BigInt)},
		},
		Columns: []arrow.Array{event.NewTimestamps(times, nil), textArray(keys), textArray(texts), event.NewInt64s(numbers, valid)},
	}
}

func textArray(texts [][]byte) arrow.Array {
	offsets, data := make([]int32, 1, len(texts)+1), []byte{}
	for _, text := range texts {
		data = append(data, text...)
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, nil)
}

// feed sends chunks as one body.
func (s *store) feed(t testing.TB, stream string, options BodyOptions, chunks ...*decode.Chunk) Summary {
	t.Helper()
	in, err := s.Begin(stream, options)
	require.NoError(t, err)
	for i, chunk := range chunks {
		feed := in.FeedChunk
		if i == len(chunks)-1 {
			feed = in.FeedLast
		}
		require.NoError(t, feed(t.Context(), chunk))
	}
	summary, err := in.Finish(t.Context())
	require.NoError(t, err)
	return summary
}

// consumed are all records of partition 0.
func (s *store) consumed(t testing.TB, name string) (out []string) {
	t.Helper()
	stream, err := s.Stream(name)
	require.NoError(t, err)
	_, err = stream.Consume(t.Context(), 0, 0, 1<<20, func(r Record) error {
		out = append(out, fmt.Sprintf("%d %d %s", r.Offset, r.Timestamp, r.Value))
		return nil
	})
	require.NoError(t, err)
	return out
}

// logged counts the rows of a stream's first partition that are logged as columns, and those that are texts.
func (s *store) logged(t testing.TB, name string) (columns, texts int) {
	t.Helper()
	stream, err := s.Stream(name)
	require.NoError(t, err)
	require.NoError(t, stream.sealing.Logs[0].Read(0, func(e *eventlog.Entry) error {
		if e.Columns != nil {
			columns += e.Rows()
		}
		texts += len(e.Values)
		return nil
	}))
	return columns, texts
}

// TestTypedRowsSurviveRestarts holds the tail after a start to the one before, and records read from the log to those from segments.
func TestTypedRowsSurviveRestarts(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	require.EqualValues(t, 500, s.feed(t, "s", BodyOptions{}, typedRows(0, 300), typedRows(300, 499), typedRows(499, 500)).Accepted)
	_, err := s.send("s", `{"ts":"2026-01-02T00:00:00Z","n":"as text","new":1}`)
	require.NoError(t, err)
	s.feed(t, "s", BodyOptions{}, typedRows(500, 520))
	columns, texts := s.logged(t, "s")
	require.Equal(t, 520, columns)
	require.Equal(t, 1, texts)
	before, err := s.Tail("s")
	require.NoError(t, err)
	fromLog := s.consumed(t, "s")
	require.Len(t, fromLog, 521)
	require.Equal(t, `1 1767225601000 {"ts":"2026-01-01T00:00:01.000100Z","k":"key1","n":"row1","count":1}`, fromLog[1])
	s.close(t)

	s = openStore(t, fs)
	defer func() { s.close(t) }()
	after, err := s.Tail("s")
	require.NoError(t, err)
	require.Equal(t, before.Clocks, after.Clocks)
	require.Equal(t, before.Next, after.Next)
	requireSameRows(t, before.Batches, after.Batches)
	require.Equal(t, fromLog, s.consumed(t, "s"))

	stream, err := s.Stream("s")
	require.NoError(t, err)
	_, err = stream.Seal(t.Context())
	require.NoError(t, err)
	require.NoError(t, stream.sealing.Logs[0].Trim(521, time.Now().Add(time.Hour), 0))
	fromSegments := s.consumed(t, "s")
	require.Len(t, fromSegments, 521)
	for i, want := range fromLog {
		if i != 500 { // the row that came as text
			require.Equal(t, want, fromSegments[i])
		}
	}
}

// requireSameRows compares rows however they are cut into batches.
func requireSameRows(t testing.TB, want, got []*event.Batch) {
	t.Helper()
	schema := got[len(got)-1].Schema
	rows := func(batches []*event.Batch) (out []string) {
		for _, b := range batches {
			all := schema.All()
			ids := make([]event.FieldID, len(all))
			for i, c := range all {
				ids[i] = c.ID
			}
			columns, err := b.Conform(schema, ids)
			require.NoError(t, err)
			for i := range b.Rows() {
				text, err := event.AppendJSONRow(nil, all, columns, i)
				require.NoError(t, err)
				out = append(out, string(text))
			}
		}
		return out
	}
	require.Equal(t, rows(want), rows(got))
}

// TestTypedRowsWiden widens columns of rows that are logged as columns, with a start before and after.
func TestTypedRowsWiden(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	s.feed(t, "s", BodyOptions{}, typedRows(0, 4))
	_, err := s.send("s", `{"ts":"2026-01-02T00:00:00Z","n":{"a":1},"count":1.5}`)
	require.NoError(t, err)
	s.feed(t, "s", BodyOptions{}, typedRows(4, 6)) // by their texts, as the types differ now
	counts := map[[2]int64]string{{0, 0}: "NULL", {0, 1}: "1", {0, 2}: "2", {0, 3}: "NULL", {0, 4}: "1.5", {0, 5}: "4", {0, 6}: "5"}
	names := map[[2]int64]string{
		{0, 0}: `"row0"`, {0, 1}: `"row1"`, {0, 2}: `"row2"`, {0, 3}: `"row3"`, {0, 4}: `{"a":1}`, {0, 5}: `"row4"`, {0, 6}: `"row5"`,
	}
	for range 2 {
		require.Equal(t, counts, s.contents(t, "s", "count"))
		require.Equal(t, names, s.contents(t, "s", "n"))
		s.close(t)
		s = openStore(t, fs)
	}
	columns, texts := s.logged(t, "s")
	require.Equal(t, []int{4, 3}, []int{columns, texts})
	require.Contains(t, s.consumed(t, "s")[1], `"n":"row1","count":1}`)
	s.close(t)
}

// TestTypedRowsOfARepeatedRequest sends columns under a key again: after a part of them, after a start, with another body, and after a start
// of the program that told chunks apart by their texts.
func TestTypedRowsOfARepeatedRequest(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	s.createSpread(t, "k")
	chunks := func() []*decode.Chunk {
		return []*decode.Chunk{withoutTime(typedRows(0, 50)), withoutTime(typedRows(50, 90))}
	}
	require.EqualValues(t, 50, s.feed(t, "spread", BodyOptions{Key: "a"}, chunks()[0]).Accepted)
	for range 2 {
		first := s.feed(t, "spread", BodyOptions{Key: "b"}, chunks()...)
		require.EqualValues(t, 90, first.Accepted+first.Duplicates)
		s.close(t)
		s = openStore(t, fs)
	}
	again := s.feed(t, "spread", BodyOptions{Key: "b"}, chunks()...)
	require.EqualValues(t, 90, again.Duplicates)
	require.Zero(t, again.Accepted)
	require.Len(t, s.contents(t, "spread", "n"), 140)

	in, err := s.Begin("spread", BodyOptions{Key: "b"})
	require.NoError(t, err)
	other := withoutTime(typedRows(1, 51))
	require.ErrorContains(t, in.FeedChunk(t.Context(), other), "used for another body")
	_, err = in.Finish(t.Context())
	require.NoError(t, err)

	former := chunks()[0]
	former.Digest = former.SumTexts()
	require.NotEqual(t, former.Digest, chunks()[0].Sum())
	require.EqualValues(t, 50, s.feed(t, "spread", BodyOptions{Key: "c"}, former).Accepted)
	require.EqualValues(t, 50, s.feed(t, "spread", BodyOptions{Key: "c"}, chunks()[0]).Duplicates)
	s.close(t)
}

// withoutTime leaves the columns that createSpread has.
func withoutTime(c *decode.Chunk) *decode.Chunk {
	c.Fields, c.Columns = c.Fields[1:3], c.Columns[1:3]
	return c
}

// TestTypedRowsOfAWholeBody stores chunks of columns together, which stay columns, and with one that has others as texts.
func TestTypedRowsOfAWholeBody(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	s.feed(t, "s", BodyOptions{}, typedRows(0, 1))
	for i, chunks := range [][]*decode.Chunk{
		{typedRows(1, 10), typedRows(10, 20)},
		{typedRows(20, 30), {Texts: [][]byte{[]byte(`{"ts":"2026-01-01T00:00:30.003000Z","k":"key2","n":"row30"}`)}}, typedRows(31, 40)},
	} {
		in, err := s.Begin("s", BodyOptions{Whole: true, Key: fmt.Sprint(i)})
		require.NoError(t, err)
		for _, chunk := range chunks {
			require.NoError(t, in.FeedChunk(t.Context(), chunk))
		}
		require.NoError(t, in.Commit(t.Context()))
		_, err = in.Finish(t.Context())
		require.NoError(t, err)
	}
	s.requireOnce(t, "s", 0, 40)
	columns, texts := s.logged(t, "s")
	require.Equal(t, []int{20, 20}, []int{columns, texts})
}

// TestTypedRowsThatAreTooLong rejects the same rows as if they had come as texts.
func TestTypedRowsThatAreTooLong(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	chunk := typedRows(0, 5)
	long := bytes.Repeat([]byte{'x'}, decode.MaxRowBytes)
	chunk.Columns[2] = textArray([][]byte{[]byte("row0"), long, long[:decode.MaxRowBytes/2], long[:len(long)-200], []byte("row4")})
	summary := s.feed(t, "s", BodyOptions{}, chunk)
	require.EqualValues(t, 4, summary.Accepted)
	require.EqualValues(t, 1, summary.Rejected)
	require.Contains(t, summary.Errors[0].Reason, "bytes")
}

// TestNarrowTypedRows stores rows of so few bytes that they are logged as texts.
func TestNarrowTypedRows(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	bits := event.NewBitmap(1000)
	bits.Set(1)
	s.feed(t, "s", BodyOptions{}, &decode.Chunk{
		Fields: []decode.Field{{Name: "b", Type: event.Type{Kind: event.Boolean}}}, Rows: 1000,
		Columns: []arrow.Array{event.NewBooleans(bits, 1000, nil)},
	})
	columns, texts := s.logged(t, "s")
	require.Equal(t, []int{0, 1000}, []int{columns, texts})
	before := s.contents(t, "s", "b")
	require.Equal(t, "true", before[[2]int64{0, 1}])
	s.close(t)
	s = openStore(t, fs)
	require.Equal(t, before, s.contents(t, "s", "b"))
	s.close(t)
}

func TestTypedRowsGoToThePartitionsOfTexts(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	s.createSpread(t, "k")
	s.feed(t, "spread", BodyOptions{}, withoutTime(typedRows(0, 70)))
	homes := map[string]int64{}
	for at, key := range s.contents(t, "spread", "k") {
		homes[key] = at[0]
	}
	_, err := s.send("spread", numbered(70, 140))
	require.NoError(t, err)
	for at, key := range s.contents(t, "spread", "k") {
		require.Equal(t, homes[key], at[0])
	}
	s.requireOnce(t, "spread", 0, 140)
}

func TestTypedRowsUnderADedupKey(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	schema, err := typedRows(0, 1).Infer("ts")
	require.NoError(t, err)
	_, err = s.Create(catalog.Stream{
		Name: "s", Schema: schema, Partitions: 1, DedupKey: []string{"n"}, DedupWithin: time.Hour, SchemaMode: catalog.Evolve,
	})
	require.NoError(t, err)
	require.EqualValues(t, 10, s.feed(t, "s", BodyOptions{}, typedRows(0, 10)).Accepted)
	s.close(t)
	s = openStore(t, fs)
	summary := s.feed(t, "s", BodyOptions{}, typedRows(5, 15))
	require.EqualValues(t, []int64{5, 5}, []int64{summary.Accepted, summary.Duplicates})
	s.requireOnce(t, "s", 0, 15)
	columns, _ := s.logged(t, "s")
	require.Equal(t, 15, columns)
	s.close(t)
}

// TestTypedRowsSpellTheSame holds what a chunk writes of its values to the values that those texts are read as.
func TestTypedRowsSpellTheSame(t *testing.T) {
	t.Parallel()
	chunk := typedRows(0, 30)
	schema, err := chunk.Infer("")
	require.NoError(t, err)
	require.EqualValues(t, 1, schema.TimeColumn)
	byColumns, err := chunk.Decode(schema, decode.Options{Mode: catalog.Strict}, 0)
	require.NoError(t, err)
	require.Nil(t, byColumns.Raw)
	byTexts, err := (&decode.Chunk{Texts: chunk.RowTexts()}).Decode(schema, decode.Options{Mode: catalog.Strict}, 0)
	require.NoError(t, err)
	for i := range byColumns.Columns {
		require.True(t, array.Equal(byTexts.Columns[i], byColumns.Columns[i]))
	}
}
