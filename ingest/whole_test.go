package ingest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// sendWhole sends chunks of one body that are stored together or not at all.
func (s *store) sendWhole(t *testing.T, key string, chunks ...*decode.Chunk) (Summary, error) {
	t.Helper()
	in, err := s.Begin("s", BodyOptions{Whole: true, Key: key})
	require.NoError(t, err)
	var failure error
	for _, c := range chunks {
		failure = errors.Join(failure, in.FeedChunk(t.Context(), c))
	}
	if failure == nil {
		failure = in.Commit(t.Context())
	}
	summary, err := in.Finish(t.Context())
	require.Equal(t, s.pending.limit, s.pending.mu.free, "memory is given back")
	return summary, errors.Join(failure, err)
}

func lines(text string) *decode.Chunk { return &decode.Chunk{Lines: []byte(text)} }

func requireRejected(t *testing.T, err error) {
	t.Helper()
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeBatchRejected, fault.Code)
}

// TestWhole: a body with a bad row leaves nothing behind, no row, stream, column or rejected row; one without is stored, once under one key.
func TestWhole(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	summary, err := s.sendWhole(t, "", lines("{\"n\":1}\n{\"n\":2}"), lines("{\"n\":3}\nnonsense\n\n[]\n"))
	requireRejected(t, err)
	require.EqualValues(t, 0, summary.Accepted)
	require.EqualValues(t, 2, summary.Rejected)
	require.EqualValues(t, []RowError{{Row: 3, Reason: summary.Errors[0].Reason}, {Row: 4, Reason: "not a JSON object"}}, summary.Errors)
	require.Empty(t, s.catalog.Names())

	for range 2 {
		summary, err = s.sendWhole(t, "k", lines("{\"n\":1}\n{\"n\":2}"), lines("{\"n\":3}\n"))
		require.NoError(t, err)
		require.EqualValues(t, 3, summary.Accepted+summary.Duplicates)
	}
	require.Len(t, s.contents(t, "s", "n"), 3)

	_, err = s.sendWhole(t, "", lines("{\"n\":4,\"more\":1}\n{\"n\":5,\"_offset\":1}"))
	requireRejected(t, err)
	definition, _ := s.catalog.Stream("s")
	require.Len(t, definition.Schema.Columns, 1)
	require.Equal(t, []string{"s"}, s.catalog.Names())
	require.Len(t, s.contents(t, "s", "n"), 3)

	_, err = s.sendWhole(t, "", lines("{\"n\":4,\"more\":1}\n"), lines("{\"n\":5,\"more\":\"x\"}"))
	require.NoError(t, err)
	require.Len(t, s.contents(t, "s", "more"), 5)
}

// TestWholeTellsOfTheFirstBadRows counts all of very many, whoever finds them bad, and keeps little of each.
func TestWholeTellsOfTheFirstBadRows(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	refused := func(n int) *decode.Chunk {
		return &decode.Chunk{Lines: []byte("{}\n"), Refused: slices.Repeat([]decode.Rejected{{Line: 0, Reason: "cut", Raw: []byte("x")}}, n)}
	}
	bad := lines(strings.Repeat("x\n", 100_000))
	for name, test := range map[string]struct {
		chunks   []*decode.Chunk
		rejected int64
	}{
		"read":         {[]*decode.Chunk{bad, bad}, 200_000},
		"refused":      {[]*decode.Chunk{refused(15), refused(15)}, 30},
		"both":         {[]*decode.Chunk{refused(15), bad, refused(100_000)}, 200_015},
		"both and few": {[]*decode.Chunk{lines("x\n{}\n"), refused(2)}, 3},
	} {
		summary, err := s.sendWhole(t, "", test.chunks...)
		requireRejected(t, err)
		require.ErrorContains(t, err, fmt.Sprintf("nothing is stored: %d of the rows", test.rejected), name)
		require.Equal(t, test.rejected, summary.Rejected, name)
		require.LessOrEqual(t, len(summary.Errors), maxReported, name)
	}
	schema, err := decode.Infer([]byte(`{"n":1}`), "")
	require.NoError(t, err)
	rows, err := bad.Decode(schema, decode.Options{MostRejected: 3}, 0)
	require.NoError(t, err)
	require.Len(t, rows.Rejected, 3)
	require.Equal(t, 99_997, rows.MoreRejected)
}

// TestWholeIsBounded: what is held of a body is bounded, and the refusal stores nothing.
func TestWholeIsBounded(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	chunk := lines(strings.Repeat(`{"n":1}`+"\n", MaxWholeBytes/16))
	_, err := s.sendWhole(t, "", chunk, chunk, chunk)
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeTooLarge, fault.Code)
	require.Empty(t, s.catalog.Names())
}

// TestMoreRowsThanAKeyCanSpread: a chunk of a request with a key that has too many rows to be spread over partitions is refused, and harms
// nobody; with fewer rows it is stored.
func TestMoreRowsThanAKeyCanSpread(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	schema, err := decode.Infer([]byte(`{"n":1}`), "")
	require.NoError(t, err)
	_, err = s.Create(catalog.Stream{Name: "s", Schema: schema, Partitions: 4, PartitionBy: []string{"n"}, SchemaMode: catalog.Strict})
	require.NoError(t, err)
	rows := func(n int) *decode.Chunk {
		var text strings.Builder
		for i := range n {
			fmt.Fprintf(&text, "{\"n\":%d}\n", i)
		}
		return lines(text.String())
	}
	_, err = s.sendWhole(t, "many", rows(eventlog.MaxRows+1))
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeTooLarge, fault.Code)
	for _, want := range []int64{eventlog.MaxRows, 0} {
		summary, err := s.sendWhole(t, "fewer", rows(eventlog.MaxRows))
		require.NoError(t, err)
		require.Equal(t, want, summary.Accepted)
	}
}
