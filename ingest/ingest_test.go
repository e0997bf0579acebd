package ingest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/seal"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is everything below the server over one file system.
type store struct {
	*Engine
	catalog  *catalog.Catalog
	segments *segments.Store
	journal  *journal.Journal
}

func openStore(t testing.TB, fs vfs.FS, change ...func(*Options)) *store {
	t.Helper()
	s, err := tryOpenStore(fs, change...)
	require.NoError(t, err)
	return s
}

func tryOpenStore(fs vfs.FS, change ...func(*Options)) (*store, error) {
	s := &store{catalog: catalog.New()}
	m := manifest.New()
	var err error
	states := map[journal.Kind]journal.State{journal.KindStream: s.catalog, journal.KindSegment: m}
	if s.journal, err = journal.Open(fs, "journal", states); err != nil {
		return nil, err
	}
	s.catalog.Use(s.journal)
	if s.segments, err = segments.Open(fs, s.journal, m, segments.Options{}); err != nil {
		return nil, err
	}
	options := Options{
		PendingBytes: 64 << 20, TailBytes: 1 << 30, DedupBytes: 64 << 20, RowKeyBytes: 64 << 20,
		Now: time.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Seal: seal.Limits{Rows: 1 << 40, Bytes: 1 << 40, Age: time.Hour},
	}
	for _, f := range change {
		f(&options)
	}
	s.Engine, err = Open(fs, s.catalog, s.segments, options)
	return s, err
}

func (s *store) close(t testing.TB) {
	t.Helper()
	require.NoError(t, s.Close())
	require.NoError(t, s.segments.Close())
	require.NoError(t, s.journal.Close())
}

func (s *store) send(stream, body string) (Summary, error) {
	in, err := s.Begin(stream, BodyOptions{})
	if err != nil {
		return Summary{}, err
	}
	chunks := NewChunks(strings.NewReader(body), nil)
	for {
		chunk, err := chunks.Next()
		if err != nil {
			break
		}
		if err := in.Feed(context.Background(), chunk); err != nil {
			summary, _ := in.Finish(context.Background())
			return summary, err
		}
	}
	return in.Finish(context.Background())
}

// sendKeyed sends a body under a key, as much of it as the reader gives.
func (s *store) sendKeyed(stream, key string, body io.Reader) (Summary, error) {
	in, err := s.Begin(stream, BodyOptions{Key: key})
	if err != nil {
		return Summary{}, err
	}
	chunks := NewKeyedChunks(body, nil)
	var held *decode.Chunk
	for {
		chunk, broken := chunks.Next()
		feed := in.FeedChunk
		if errors.Is(broken, io.EOF) {
			feed = in.FeedLast
		}
		if held != nil {
			if err := feed(context.Background(), held); err != nil {
				summary, _ := in.Finish(context.Background())
				return summary, err
			}
		}
		if broken != nil {
			return in.Finish(context.Background())
		}
		held = &decode.Chunk{Lines: chunk}
	}
}

// contents reads one column of a stream from the tail and the segments, as text by partition and offset.
func (s *store) contents(t testing.TB, stream, column string) map[[2]int64]string {
	t.Helper()
	tail, err := s.Tail(stream)
	require.NoError(t, err)
	view := s.segments.View(stream)
	defer func() { require.NoError(t, view.Close()) }()
	definition, ok := s.catalog.Stream(stream)
	require.True(t, ok)
	wanted, err := definition.Schema.Resolve(column)
	require.NoError(t, err)
	ids := []event.FieldID{event.FieldPartition, event.FieldOffset, wanted.ID}

	out := map[[2]int64]string{}
	for _, batch := range tail.Batches {
		if batch = batch.From(view.Sealed().Next.At(batch.Partition)); batch != nil {
			columns, err := batch.Conform(definition.Schema, ids)
			require.NoError(t, err)
			collect(t, out, columns)
		}
	}
	morsels, _, err := view.Scan(context.Background(), segments.ScanRequest{Schema: definition.Schema, Columns: ids})
	require.NoError(t, err)
	for _, m := range morsels {
		columns, _, err := m.Read(context.Background(), nil, nil)
		require.NoError(t, err)
		collect(t, out, columns)
	}
	return out
}

func collect(t testing.TB, into map[[2]int64]string, columns []arrow.Array) {
	t.Helper()
	for i := range columns[0].Len() {
		key := [2]int64{columns[0].(*array.Int64).Value(i), columns[1].(*array.Int64).Value(i)}
		require.NotContains(t, into, key, "a row came twice")
		value := "NULL"
		if columns[2].IsValid(i) {
			value = columns[2].ValueStr(i)
			if _, ok := columns[2].DataType().(*arrow.StringType); ok {
				value = event.StringAt(columns[2], i)
			}
		}
		into[key] = value
	}
}

func TestRowsSurviveRestartAndSeal(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	summary, err := s.send("weather", `{"ts":"2026-01-01T00:00:02Z","city":"Oslo","celsius":-3}
{"ts":"2026-01-01T00:00:01Z","city":"Rome","celsius":11.5}
not json

{"ts":"2026-01-01T00:00:09Z","city":"Lima"}`)
	require.NoError(t, err)
	require.EqualValues(t, 3, summary.Accepted)
	require.EqualValues(t, 1, summary.Rejected)
	require.EqualValues(t, 2, summary.Errors[0].Row)
	want := map[[2]int64]string{{0, 0}: "Oslo", {0, 1}: "Rome", {0, 2}: "Lima"}
	require.Equal(t, want, s.contents(t, "weather", "city"))
	watermarks := s.contents(t, "weather", "_watermark")
	s.close(t)

	s = openStore(t, fs)
	require.Equal(t, want, s.contents(t, "weather", "city"), "replayed from the log")
	require.Equal(t, watermarks, s.contents(t, "weather", "_watermark"), "replay decides nothing anew")
	stream, err := s.Stream("weather")
	require.NoError(t, err)
	sealed, err := stream.Seal(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 3, sealed)
	require.Zero(t, s.Unsealed("weather"))
	require.Equal(t, want, s.contents(t, "weather", "city"), "read from the segment")
	require.Equal(t, watermarks, s.contents(t, "weather", "_watermark"))
	s.close(t)

	s = openStore(t, fs)
	defer s.close(t)
	require.Zero(t, s.Unsealed("weather"), "sealed rows do not come back")
	_, err = s.send("weather", `{"ts":"2026-01-01T00:00:03Z","city":"Kyiv"}`)
	require.NoError(t, err)
	want[[2]int64{0, 3}] = "Kyiv"
	require.Equal(t, want, s.contents(t, "weather", "city"))
	require.Equal(t, "2026-01-01T00:00:04Z", strings.Replace(s.contents(t, "weather", "_watermark")[[2]int64{0, 3}], " ", "T", 1),
		"the clock goes on across seal and restart: the greatest event time less the bound of 5 s")
}

func TestSchemaEvolvesWithoutLoss(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	send := func(body string) {
		t.Helper()
		summary, err := s.send("m", body)
		require.NoError(t, err)
		require.Zero(t, summary.Rejected, summary.Errors)
	}
	typeOf := func(column string) string {
		definition, _ := s.catalog.Stream("m")
		c, err := definition.Schema.Resolve(column)
		require.NoError(t, err)
		return c.Type.String()
	}
	send(`{"a":1,"b":9007199254740993,"c":"x"}`)
	require.Equal(t, "BIGINT", typeOf("a"))
	stream, err := s.Stream("m")
	require.NoError(t, err)
	_, err = stream.Seal(context.Background())
	require.NoError(t, err)
	send(`{"a":2.5,"b":1.5,"c":7,"d":true}`)
	require.Equal(t, "DOUBLE PRECISION", typeOf("a"), "1 is a double")
	require.Equal(t, "JSONB", typeOf("b"), "9007199254740993 is not a double, also when it lies in a segment")
	require.Equal(t, "JSONB", typeOf("c"))
	for range 2 {
		require.Equal(t, map[[2]int64]string{{0, 0}: "1", {0, 1}: "2.5"}, s.contents(t, "m", "a"))
		require.Equal(t, map[[2]int64]string{{0, 0}: "9007199254740993", {0, 1}: "1.5"}, s.contents(t, "m", "b"))
		require.Equal(t, map[[2]int64]string{{0, 0}: `"x"`, {0, 1}: "7"}, s.contents(t, "m", "c"))
		require.Equal(t, map[[2]int64]string{{0, 0}: "NULL", {0, 1}: "true"}, s.contents(t, "m", "d"))
		s.close(t)
		s = openStore(t, fs)
	}
	s.close(t)
}

func TestRejectedRowsAreKept(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	long := strings.Repeat("x", 2<<20)
	summary, err := s.send("m", "{\"a\":1}\n{\"a\":\n\xff\n"+long+"\n{\"a\":2}\n")
	require.NoError(t, err)
	require.EqualValues(t, 2, summary.Accepted)
	require.EqualValues(t, 3, summary.Rejected)
	summary, err = s.send("m", "nothing of this is JSON\n")
	require.NoError(t, err)
	require.EqualValues(t, 1, summary.Rejected)
	s.close(t)

	s = openStore(t, fs)
	defer s.close(t)
	raw, lengths := s.contents(t, "m_rejected", "raw"), s.contents(t, "m_rejected", "raw_bytes")
	rows, reasons := s.contents(t, "m_rejected", "request_row"), s.contents(t, "m_rejected", "reason")
	var got []string
	for offset := range int64(len(raw)) {
		at := [2]int64{0, offset}
		decoded, err := base64.StdEncoding.DecodeString(raw[at])
		require.NoError(t, err)
		got = append(got, fmt.Sprintf("%s %s %.30q", rows[at], lengths[at], decoded))
		require.NotEmpty(t, reasons[at])
	}
	require.Equal(t, []string{`1 5 "{\"a\":"`, `2 1 "\xff"`, `3 1048577 "` + strings.Repeat("x", 30) + `"`, `0 23 "nothing of this is JSON"`}, got)
	_, err = s.send("m_rejected", `{"reason":"mine"}`)
	require.ErrorContains(t, err, "reserved")
	_, err = s.send("unheard_of", "nothing of this is JSON\n")
	require.NoError(t, err)
	require.NotContains(t, s.catalog.Names(), "unheard_of_rejected", "a stream that does not exist keeps nothing")
}

// TestConcurrentClientsWithChangingSchemas has clients that add columns and widen each other's all at once.
func TestConcurrentClientsWithChangingSchemas(t *testing.T) {
	t.Parallel()
	const clients, bodies, rows = 6, 15, 4
	fs := vfs.NewMem()
	s := openStore(t, fs, func(o *Options) { o.Seal = seal.Limits{Rows: 50, Bytes: 1 << 40, Age: time.Hour} })
	var wait sync.WaitGroup
	for c := range clients {
		wait.Go(func() {
			for b := range bodies {
				var body strings.Builder
				for r := range rows {
					fmt.Fprintf(&body, `{"id":"%d-%d-%d","shared":%s,"col_%d_%d":%d}`+"\n", c, b, r, []string{"1", "2.5", `"s"`}[c%3], c, b/5, r)
				}
				summary, err := s.send("mixed", body.String())
				if err != nil || summary.Accepted != rows {
					t.Errorf("client %d: accepted %d of %d, %v: %v", c, summary.Accepted, rows, summary.Errors, err)
				}
			}
		})
	}
	wait.Wait()
	check := func() {
		ids := slices.Sorted(maps.Values(s.contents(t, "mixed", "id")))
		require.Len(t, slices.Compact(ids), clients*bodies*rows)
		counts := map[string]int{}
		for _, v := range s.contents(t, "mixed", "shared") {
			counts[v]++
		}
		each := clients / 3 * bodies * rows
		require.Equal(t, map[string]int{"1": each, "2.5": each, `"s"`: each}, counts)
	}
	check()
	s.close(t)
	s = openStore(t, fs)
	check()
	s.close(t)
}

func TestPartitionByHashKeepsKeysTogether(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	defer s.close(t)
	schema := &event.Schema{Version: 1, NextID: 3, Columns: []event.Column{
		{ID: 1, Name: "k", Type: event.Type{Kind: event.Text}, Since: 1}, {ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
	}}
	_, err := s.Create(catalog.Stream{Name: "keyed", Schema: schema, Partitions: 4, PartitionBy: []string{"k"},
		LogRetention: time.Hour, SchemaMode: catalog.Strict})
	require.NoError(t, err)
	var body strings.Builder
	for i := range 400 {
		fmt.Fprintf(&body, `{"k":"key%d","n":%d}`+"\n", i%20, i)
	}
	summary, err := s.send("keyed", body.String())
	require.NoError(t, err)
	require.EqualValues(t, 400, summary.Accepted)
	home, order := map[string]int64{}, s.contents(t, "keyed", "n")
	used := map[int64]bool{}
	for at, key := range s.contents(t, "keyed", "k") {
		if p, ok := home[key]; ok {
			require.Equal(t, p, at[0], "all rows of a key are in one partition")
		}
		home[key], used[at[0]] = at[0], true
		n, err := strconv.Atoi(order[at])
		require.NoError(t, err)
		require.Equal(t, key, "key"+strconv.Itoa(n%20))
	}
	require.Greater(t, len(used), 1)
}

// TestCrashAtEveryOperation cuts the power before every operation on the disk while rows are sent and sealed, and checks after a
// restart that each acknowledged row is there once, in its place.
func TestCrashAtEveryOperation(t *testing.T) {
	t.Parallel()
	type image struct {
		disk  *vfs.Mem
		acked int
		op    string
	}
	var images []image
	acked := 0
	disk := vfs.NewMem()
	var mu sync.Mutex
	faulty := vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		images = append(images, image{disk.Crash(), acked, fmt.Sprintf("%s %s", op, name)})
		return nil
	})
	s := openStore(t, faulty)
	for i := range 12 {
		if i%3 == 1 { // as columns
			require.EqualValues(t, 1, s.feed(t, "s", BodyOptions{}, withoutTime(typedRows(i, i+1))).Accepted)
		} else {
			summary, err := s.send("s", fmt.Sprintf(`{"k":"","n":"row%d"}`, i)+"\n")
			require.NoError(t, err)
			require.EqualValues(t, 1, summary.Accepted)
		}
		mu.Lock()
		acked = i + 1
		mu.Unlock()
		if i%4 == 3 {
			stream, err := s.Stream("s")
			require.NoError(t, err)
			_, err = stream.Seal(context.Background())
			require.NoError(t, err)
		}
	}
	s.close(t)
	require.Greater(t, len(images), 40)
	for i, cut := range images {
		restarted, err := tryOpenStore(cut.disk)
		require.NoErrorf(t, err, "after a cut before operation %d: %s", i, cut.op)
		if cut.acked > 0 {
			found := restarted.contents(t, "s", "n")
			require.GreaterOrEqualf(t, len(found), cut.acked, "cut before operation %d: %s", i, cut.op)
			for at, value := range found {
				require.Equalf(t, fmt.Sprintf("row%d", at[1]), value, "cut before operation %d: %s", i, cut.op)
			}
		}
		restarted.close(t)
	}
}

// TestNothingIsAcknowledgedAfterAFailedSync breaks one sync of the log: the rows under it are refused, and so is all that follows, until a restart.
func TestNothingIsAcknowledgedAfterAFailedSync(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	var broken bool
	faulty := vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		if broken && op == vfs.OpSync && strings.HasPrefix(name, "log/") {
			return fmt.Errorf("input/output error")
		}
		return nil
	})
	s := openStore(t, faulty)
	_, err := s.send("s", `{"n":"kept"}`)
	require.NoError(t, err)
	broken = true
	summary, err := s.send("s", `{"n":"lost"}`)
	require.ErrorContains(t, err, "input/output error")
	require.Zero(t, summary.Accepted)
	require.Len(t, s.contents(t, "s", "n"), 1, "what was not synced is not seen")
	broken = false
	_, err = s.send("s", `{"n":"later"}`)
	require.ErrorContains(t, err, "until the server is restarted")
	require.Len(t, s.Failures(), 1)
	require.NoError(t, s.Close())
	require.NoError(t, s.segments.Close())
	require.NoError(t, s.journal.Close())

	s = openStore(t, disk.Crash())
	require.Equal(t, map[[2]int64]string{{0, 0}: "kept"}, s.contents(t, "s", "n"))
	s.close(t)
}
