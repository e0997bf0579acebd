package decode

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

func texts(rows ...string) (out [][]byte) {
	for _, row := range rows {
		out = append(out, []byte(row))
	}
	return out
}

func TestRejectedRowsOfAChunkAreNumberedInTheRequest(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{{ID: 1, Name: "a", Type: event.Type{Kind: event.BigInt}, Since: 1}}}
	numbers := func(c *Chunk) (out []int) {
		rows, err := c.Decode(schema, Options{Mode: catalog.Strict}, 100)
		require.NoError(t, err)
		require.Equal(t, 2, rows.Count)
		for _, r := range rows.Rejected {
			out = append(out, r.Line)
		}
		return out
	}
	rows := texts(`{"a":1}`, `{"a":"x"}`, `{"a":2}`)
	require.Equal(t, []int{101}, numbers(&Chunk{Texts: rows}))
	require.Equal(t, []int{101}, numbers(&Chunk{Lines: []byte("{\"a\":1}\n\n{\"a\":\"x\"}\n{\"a\":2}")}))
	refused := []Rejected{{Line: 0, Reason: "first"}, {Line: 2, Reason: "third"}, {Line: 5, Reason: "last"}}
	require.Equal(t, []int{100, 102, 103, 105}, numbers(&Chunk{Texts: rows, Refused: refused}))
	require.Equal(t, []int{0, 2, 5, 8}, numbers(&Chunk{Texts: rows, Refused: refused, Numbers: []int64{7, 8, 9}}))
}

// TestLinesAreReadAsTextsAre splits chunks at their line ends first, and has the decoder find those by itself.
func TestLinesAreReadAsTextsAre(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Version: 1, NextID: 4, Columns: []event.Column{
		{ID: 1, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
		{ID: 2, Name: "j", Type: event.Type{Kind: event.JSONB}, Since: 1},
		{ID: 3, Name: "s", Type: event.Type{Kind: event.Text}, Since: 1},
	}}
	rows := []string{`{"n":1,"j":[1,2],"s":"some text"}`, `{"n":2,"j":{"a":[]},"s":"other"}`, `{"j":{"a":1},"n":3}`}
	rapid.Check(t, func(t *rapid.T) {
		var chunk []byte
		for range rapid.IntRange(1, 9).Draw(t, "rows") {
			row := rapid.SampledFrom(rows).Draw(t, "row")
			at := rapid.IntRange(0, len(row)).Draw(t, "at")
			put := rapid.SampledFrom([]string{"", "\n", "\n", "\r\n", " ", "}", `"`, ","}).Draw(t, "put")
			chunk = append(chunk, row[:at]+put+row[at:]+"\n"...)
		}
		split := &Chunk{Texts: [][]byte{}}
		for line := range bytes.SplitSeq(chunk, newline) {
			if line = trimSpace(line); len(line) > 0 {
				split.Texts = append(split.Texts, line)
			}
		}
		want, err := split.Decode(schema, Options{Mode: catalog.Strict}, 0)
		require.NoError(t, err)
		got, err := NDJSON(chunk, schema, Options{Mode: catalog.Strict})
		require.NoError(t, err)
		require.Equal(t, want.Rejected, got.Rejected, "%q", chunk)
		require.Equal(t, want.Lines, got.Lines, "%q", chunk)
		require.Equal(t, want.Raw, got.Raw, "%q", chunk)
		for i := range want.Columns {
			require.True(t, array.Equal(want.Columns[i], got.Columns[i]), "%q: column %d", chunk, i)
		}
	})
}

func TestDeclaredFields(t *testing.T) {
	t.Parallel()
	fields := []Field{
		{Name: "named only"}, {Name: "typed", Type: event.Type{Kind: event.Date}}, {Name: "b"}, {Name: "ts"},
		{Name: "x", Type: event.Type{Kind: event.Double}},
	}
	chunk := &Chunk{Fields: fields, Texts: texts(`{"a":1,"x":2,"ts":"2026-01-01"}`, `{"b":"y"}`)}
	describe := func(s *event.Schema) (out []string) {
		for _, c := range s.Columns {
			out = append(out, c.Name+" "+c.Type.String())
		}
		return out
	}
	schema, err := chunk.Infer("")
	require.NoError(t, err)
	require.Equal(t, []string{"typed DATE", "b TEXT", "ts TIMESTAMPTZ", "x DOUBLE PRECISION", "a BIGINT"}, describe(schema))
	require.Equal(t, event.FieldID(3), schema.TimeColumn)
	next, err := (&Chunk{Fields: append(fields, Field{Name: "new", Type: event.Type{Kind: event.Bytea}}), Texts: texts(`{"a":1.5,"c":true}`)}).
		Evolve(schema, func(event.FieldID) bool { return true })
	require.NoError(t, err)
	require.Equal(t, []string{"typed DATE", "b TEXT", "ts TIMESTAMPTZ", "x DOUBLE PRECISION", "a DOUBLE PRECISION", "new BYTEA", "c BOOLEAN"}, describe(next))
}
