package decode

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestSplitRowsAreThoseOfTheChunk decodes chunks whole and in parts: the same rows are stored, and the same are rejected by the same numbers.
func TestSplitRowsAreThoseOfTheChunk(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Version: 1, Columns: []event.Column{{ID: 1, Name: "a", Type: event.Type{Kind: event.BigInt}}}}
	rapid.Check(t, func(t *rapid.T) {
		chunk, released := drawChunk(t)
		const first = 100
		whole, err := chunk.Decode(schema, Options{}, first)
		require.NoError(t, err)
		rows := rapid.IntRange(1, 12).Draw(t, "rows")
		parts := chunk.Split(rows, first)
		var values, rejected []string
		next := int64(first)
		for i, part := range parts {
			got, err := part.Decode(schema, Options{}, next)
			require.NoError(t, err)
			require.LessOrEqual(t, got.Count+len(got.Rejected)-len(part.Refused), rows)
			next += int64(got.Count + len(got.Rejected))
			values, rejected = append(values, valuesOf(got)...), append(rejected, rejectedOf(got)...)
			require.Equal(t, 0, *released, "part %d of %d", i, len(parts))
			part.Free()
		}
		require.Equal(t, 1, *released)
		slices.Sort(rejected)
		want := rejectedOf(whole)
		slices.Sort(want)
		require.Equal(t, valuesOf(whole), values)
		require.Equal(t, want, rejected)
	})
}

// drawChunk makes lines, or texts with refused rows between them, some of which are bad; released counts what was given back.
func drawChunk(t *rapid.T) (chunk *Chunk, released *int) {
	released = new(int)
	chunk = &Chunk{Free: func() { *released++ }}
	texts := rapid.SliceOfN(rapid.SampledFrom([]string{`{"a":1}`, `{"a":22}`, `{}`, `{"a":"x"}`, `{"a"`, `[1]`}), 1, 40).Draw(t, "texts")
	if rapid.Bool().Draw(t, "lines") {
		for _, text := range texts {
			chunk.Lines = append(append(chunk.Lines, text...), rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(t, "end")...)
		}
		if rapid.Bool().Draw(t, "open end") {
			chunk.Lines = bytes.TrimRight(chunk.Lines, "\r\n")
		}
		return chunk, released
	}
	numbered := rapid.Bool().Draw(t, "numbered")
	for place, text := range texts {
		switch {
		case rapid.IntRange(0, 4).Draw(t, "refused") == 0 && place > 0:
			chunk.Refused = append(chunk.Refused, Rejected{Line: place, Raw: []byte(text), Reason: "no row"})
		default:
			chunk.Texts = append(chunk.Texts, []byte(text))
			if numbered {
				chunk.Numbers = append(chunk.Numbers, int64(place))
			}
		}
	}
	return chunk, released
}

func valuesOf(rows *Rows) (out []string) {
	for i := range rows.Count {
		out = append(out, rows.Columns[0].ValueStr(i))
	}
	return out
}

func rejectedOf(rows *Rows) (out []string) {
	for _, r := range rows.Rejected {
		out = append(out, fmt.Sprintf("%d %s %s", r.Line, r.Raw, r.Reason))
	}
	return out
}
