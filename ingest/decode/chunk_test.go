package decode

import (
	"testing"

	"github.com/stretchr/testify/require"

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
