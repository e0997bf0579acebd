package decode

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// textRows are lines with one text each, nil for NULL, and a line that is rejected before every so many.
func textRows(texts []*string, bad int) (lines []byte) {
	for i, text := range texts {
		if bad > 0 && i%bad == 0 {
			lines = append(lines, "{\"n\":1,\"t\":\"left out\",\"n\":}\n"...)
		}
		if text == nil && i%2 == 0 {
			lines = append(lines, "{\"n\":1}\n"...)
			continue
		}
		value, err := json.Marshal(text)
		if err != nil {
			panic(err)
		}
		lines = append(append(append(lines, "{\"n\":1,\"t\":"...), value...), "}\n"...)
	}
	return lines
}

// decodeTexts decodes lines under a schema with a column of text, which it gives.
func decodeTexts(t require.TestingT, lines []byte) arrow.Array {
	schema := &event.Schema{Version: 1, NextID: 3, Columns: []event.Column{
		{ID: 1, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1}, {ID: 2, Name: "t", Type: event.Type{Kind: event.Text}, Since: 1},
	}}
	rows, err := NDJSON(lines, schema, Options{})
	require.NoError(t, err)
	return rows.Columns[1]
}

func requireTexts(t require.TestingT, texts []*string, got arrow.Array) {
	require.Equal(t, len(texts), got.Len())
	for i, text := range texts {
		if text == nil {
			require.True(t, got.IsNull(i), "row %d", i)
			continue
		}
		require.True(t, got.IsValid(i), "row %d", i)
		require.Equal(t, *text, event.StringAt(got, i), "row %d", i)
	}
}

// TestTextsComeBackWhetherCodedOrNot reads texts of which few or many differ, with NULLs and rejected rows in between.
func TestTextsComeBackWhetherCodedOrNot(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		distinct := rapid.SampledFrom([]int{0, 1, 3, 60, 100, 250, 260, 5000}).Draw(r, "distinct")
		long := rapid.SampledFrom([]int{0, 5, 20, 300}).Draw(r, "long")
		seed := rapid.Uint64().Draw(r, "seed")
		empty := rapid.Uint64Range(0, 4).Draw(r, "empty")
		nulls := rapid.SampledFrom([]uint64{1 << 40, 2, 7}).Draw(r, "nulls")
		texts := make([]*string, leastCoded*2)
		for i := range texts {
			seed = seed*6364136223846793005 + 1442695040888963407
			if distinct > 0 && (seed>>33)%nulls != 1 {
				text := fmt.Sprintf("%s\\\"\u00e9%d", strings.Repeat("x", long), (seed>>20)%uint64(distinct))
				if (seed>>50)%4 < empty {
					text = ""
				}
				texts[i] = &text
			}
		}
		requireTexts(r, texts, decodeTexts(r, textRows(texts, rapid.IntRange(0, 50).Draw(r, "bad"))))
	})
}

func TestFewDistinctTextsBecomeADictionary(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rows, distinct int
		want           arrow.Type
	}{
		{leastCoded * 2, 1, arrow.DICTIONARY},
		{leastCoded * 2, mostCodes, arrow.DICTIONARY},
		{leastCoded * 2, mostCodes + 1, arrow.STRING},
		{leastCoded * 2, leastCoded * 2, arrow.STRING},
		{leastCoded / 2, 1, arrow.STRING}, // it will be joined to others
	} {
		texts := make([]*string, c.rows)
		for i := range texts {
			text := fmt.Sprint("text ", max(0, i-surveyCodes)%c.distinct, " with an end") // not each of the first ones is new
			texts[i] = &text
		}
		got := decodeTexts(t, textRows(texts, 0))
		requireTexts(t, texts, got)
		require.Equal(t, c.want, got.DataType().ID(), "%d texts in %d rows", c.distinct, c.rows)
	}
}

// TestTextsThatFallIntoOnePlace are those of a sender who knows how places are found: they are looked for a few times only.
func TestTextsThatFallIntoOnePlace(t *testing.T) {
	t.Parallel()
	texts := make([]*string, leastCoded*2)
	for i := range texts {
		text := fmt.Sprintf("the same%03dthe same", i%40)
		texts[i] = &text
	}
	got := decodeTexts(t, textRows(texts, 0))
	requireTexts(t, texts, got)
	require.IsType(t, &array.String{}, got)
}

// TestTheFirstTextMayBeEmpty begins a column with rows that have none or an empty one, so that nothing has made room when it is looked up.
func TestTheFirstTextMayBeEmpty(t *testing.T) {
	t.Parallel()
	empty, short := "", "x"
	for _, first := range []*string{nil, &empty, &short} {
		for _, second := range []*string{nil, &empty, &short} {
			texts := make([]*string, leastCoded*2)
			for i := range texts {
				if texts[i] = &empty; i%3 == 2 {
					texts[i] = &short
				}
			}
			texts[0], texts[1] = first, second
			requireTexts(t, texts, decodeTexts(t, textRows(texts, 0)))
		}
	}
}

func TestAColumnOfNullsHasNoCodes(t *testing.T) {
	t.Parallel()
	texts := make([]*string, leastCoded*2)
	got := decodeTexts(t, textRows(texts, 0))
	requireTexts(t, texts, got)
	require.IsType(t, &array.String{}, got)
}
