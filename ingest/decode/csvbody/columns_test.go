package csvbody

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// allTypes has a column of every type that a stream can have, and one whose values are checked one by one.
func allTypes() *event.Schema {
	schema := &event.Schema{Version: 1, TimeColumn: 1}
	time := event.Type{Kind: event.Time}
	for i, c := range []event.Column{
		{Name: "at", Type: event.Type{Kind: event.TimestampTZ}},
		{Name: "b", Type: event.Type{Kind: event.Boolean}},
		{Name: "small", Type: event.Type{Kind: event.SmallInt}},
		{Name: "int", Type: event.Type{Kind: event.Integer}},
		{Name: "big", Type: event.Type{Kind: event.BigInt}},
		{Name: "real", Type: event.Type{Kind: event.Real}},
		{Name: "double", Type: event.Type{Kind: event.Double}},
		{Name: "exact", Type: event.Type{Kind: event.Numeric, Precision: 9, Scale: 2}},
		{Name: "text", Type: event.Type{Kind: event.Text}},
		{Name: "bytes", Type: event.Type{Kind: event.Bytea}},
		{Name: "seen", Type: event.Type{Kind: event.TimestampTZ}},
		{Name: "day", Type: event.Type{Kind: event.Date}},
		{Name: "json", Type: event.Type{Kind: event.JSONB}},
		{Name: "id", Type: event.Type{Kind: event.UUID}},
		{Name: "found", Type: event.Type{Kind: event.UUID}, Inferred: true},
		{Name: "needed", Type: event.Type{Kind: event.Text}, NotNull: true},
		{Name: "clock", Type: event.Type{Kind: event.Text}, As: &time},
	} {
		c.ID, c.Since = event.FieldID(i+1), 1
		schema.Columns = append(schema.Columns, c)
	}
	schema.NextID = event.FieldID(len(schema.Columns) + 1)
	return schema
}

// fitting has cells for the columns of allTypes that are values of them as they stand; odd has cells for any.
var (
	fitting = map[string][]string{
		"at":    {"1772355600", "1772355600.5", "2026-03-01T09:00:00Z", `"2026-03-01 09:00"`, ""},
		"b":     {"true", "F", "TRUE", "f", ""},
		"small": {"1", "-32768", "0", ""}, "int": {"2147483647", "-1", ""}, "big": {"9223372036854775807", "-0", "12", ""},
		"real": {"1.5", "1e10", "-0", ""}, "double": {"1.50", "1e300", "-0", "NaN", "9007199254740992", ""},
		"exact": {"1.5", "1234567.89", "-0.01", ""}, "text": {"x", `"a ""b"", c"`, `""`, "null", "12", ""},
		"bytes": {"AP8=", ""}, "seen": {"2026-03-01T09:00:00.000000Z", ""}, "day": {"2026-03-01", ""},
		"json": {`{}`, `"{""a"": [1, 2]}"`, "null", "1.50", "word", ""}, "id": {"00112233-4455-6677-8899-AABBCCDDEEFF", ""},
		"found": {"00112233-4455-6677-8899-aabbccddeeff", ""}, "needed": {"x", "y"}, "clock": {"09:00", ""}, "new": {"", "", "", "3"},
	}
	odd = []string{"", "x", "-", "1", "1.5", "70000", "1e400", "12345678901234567890", "null", "[1", "2026-03-01T09:00:00Z", `"line` + "\n" + `break"`, "\x01"}
)

// TestCellsThatFitBecomeColumns takes every fitting cell of every column.
func TestCellsThatFitBecomeColumns(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	for _, c := range schema.Columns {
		for _, cell := range fitting[c.Name] {
			reader := NewReader(strings.NewReader(c.Name+",text\n"+cell+",x\n"), Options{Schema: func() *event.Schema { return schema }})
			if c.Name == "text" {
				reader = NewReader(strings.NewReader("text,big\n"+cell+",1\n"), Options{Schema: func() *event.Schema { return schema }})
			}
			chunk, err := reader.Next()
			require.NoError(t, err)
			rows, err := chunk.Decode(schema, decode.Options{Mode: catalog.Evolve}, 0)
			require.NoError(t, err)
			fits := c.As == nil && cell != "-0" || c.Name != "big" && c.As == nil // no BIGINT is -0
			require.Equal(t, fits, chunk.Columns != nil, "%s: %s", c.Name, cell)
			require.False(t, fits && rows.Drift)
		}
	}
}

// TestColumnsAreWhatTheTextsSay reads the same bodies by way of columns and of texts: whatever the cells are, rows, times, reasons and the need for
// another schema are the same.
func TestColumnsAreWhatTheTextsSay(t *testing.T) {
	t.Parallel()
	schema := allTypes()
	names := []string{"new"}
	for _, c := range schema.Columns {
		names = append(names, c.Name)
	}
	columnar := 0
	rapid.Check(t, func(t *rapid.T) {
		header := rapid.Permutation(names).Draw(t, "header")[:rapid.IntRange(1, len(names)).Draw(t, "width")]
		var body strings.Builder
		body.WriteString(strings.Join(header, ",") + "\n")
		for range rapid.IntRange(1, 12).Draw(t, "rows") {
			isOdd := rapid.IntRange(0, 25).Draw(t, "odd") == 0
			row := make([]string, len(header))
			for i, name := range header {
				if row[i] = rapid.SampledFrom(fitting[name]).Draw(t, name); isOdd {
					row[i] = rapid.SampledFrom(odd).Draw(t, name)
				}
			}
			body.WriteString(strings.Join(row, ",") + "\n")
		}
		reader := NewReader(strings.NewReader(body.String()), Options{Schema: func() *event.Schema { return schema }})
		chunk, err := reader.Next()
		if err != nil { // one column, and nothing in it
			return
		}
		if chunk.Columns != nil {
			columnar++
		}
		texts := &decode.Chunk{Fields: chunk.Fields, Texts: chunk.RowTexts(), Refused: chunk.Refused}
		for _, mode := range []catalog.SchemaMode{catalog.Strict, catalog.Evolve, catalog.Ignore} {
			requireSame(t, chunk, texts, schema, decode.Options{Arrival: 77, Mode: mode})
		}
	})
	require.NotZero(t, columnar)
}

func requireSame(t *rapid.T, chunk, texts *decode.Chunk, schema *event.Schema, options decode.Options) {
	got, err := chunk.Decode(schema, options, 100)
	require.NoError(t, err)
	want, err := texts.Decode(schema, options, 100)
	require.NoError(t, err)
	require.Equal(t, want.Drift, got.Drift)
	require.Equal(t, want.Count, got.Count)
	require.Equal(t, want.Rejected, got.Rejected)
	if want.Drift {
		next, err := chunk.Evolve(schema, nil)
		require.NoError(t, err)
		byTexts, err := texts.Evolve(schema, nil)
		require.NoError(t, err)
		require.Equal(t, byTexts, next)
		requireSame(t, chunk, texts, next, options)
		return
	}
	require.Equal(t, append([]int64{}, want.Times...), append([]int64{}, got.Times...))
	require.Equal(t, append([]int{}, want.Lines...), append([]int{}, got.Lines...))
	for i, values := range want.Columns {
		equal := array.ApproxEqual(values, got.Columns[i], array.WithNaNsEqual(true), array.WithAbsTolerance(0))
		require.True(t, equal, "column %s:\n%v\n%v", schema.Columns[i].Name, values, got.Columns[i])
	}
}
