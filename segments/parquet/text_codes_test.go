package parquet

import (
	"bytes"
	"context"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
)

// TestFilesOfADictionaryAreThoseOfItsTexts whatever order its codes are in, and whether or not all of it is used.
func TestFilesOfADictionaryAreThoseOfItsTexts(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.Permutation([]string{"", "a", "b", "eu-west", "a much longer text"}).Draw(t, "words")
		codes := rapid.SliceOfN(rapid.Int32Range(0, int32(len(words)-1)), 1, 30).Draw(t, "codes")
		var valid event.Bitmap
		if rapid.Bool().Draw(t, "nulls") {
			valid = event.NewBitmap(len(codes))
			for i := range codes {
				if rapid.Bool().Draw(t, "valid") {
					valid.Set(i)
				}
			}
		}
		for i := range codes {
			if !valid.Valid(i) {
				codes[i] = 0
			}
		}
		coded := event.NewDictionary(codes, textsOf(words), valid)
		plain := event.PlainText(coded)
		require.Equal(t, writeText(t, plain), writeText(t, coded))
	})
}

// writeText writes a file of one column of text beside its time.
func writeText(t require.TestingT, text arrow.Array) []byte {
	schema := &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{{ID: 1, Name: "text", Type: event.Type{Kind: event.Text}}}}
	zeros := make([]int64, text.Len())
	columns := []arrow.Array{
		text, event.NewInt64s(zeros, nil), event.NewInt64s(zeros, nil), event.NewTimestamps(zeros, nil), event.NewTimestamps(zeros, nil),
	}
	var file bytes.Buffer
	_, err := Write(&file, schema, columns, testMeta(), Layout{PageRows: 7})
	require.NoError(t, err)
	return file.Bytes()
}

// TestDictionariesEndWhereTheyDoNotPay also for a column that came with one.
func TestDictionariesEndWhereTheyDoNotPay(t *testing.T) {
	t.Parallel()
	const rows = 3 * probeRows
	for _, c := range []struct {
		name     string
		distinct int
		pays     bool
	}{{"few", 10, true}, {"a quarter", rows / 4, true}, {"most", rows, false}} {
		words, codes := make([]string, c.distinct), make([]int32, rows)
		for i := range words {
			words[i] = "text " + strconv.Itoa(i)
		}
		for i := range codes {
			codes[i] = int32(i * 7 % c.distinct)
		}
		coded := event.NewDictionary(codes, textsOf(words), nil)
		require.Equal(t, c.pays, newDictionaryEncoder(coded) != nil, c.name)
		require.Equal(t, c.pays, newDictionaryEncoder(event.PlainText(coded)) != nil, c.name)
	}
}

// TestTextWithoutADictionary is read back as it was, with and without NULLs.
func TestTextWithoutADictionary(t *testing.T) {
	t.Parallel()
	const rows = 2 * probeRows
	values, valid := make([]string, rows), event.NewBitmap(rows)
	for i := range values {
		if i%7 != 0 {
			values[i] = strconv.Itoa(i * 7919)
			valid.Set(i)
		}
	}
	plain := textsOf(values).(*array.String)
	offsets, data := event.TextLayout(plain)
	for _, column := range []arrow.Array{plain, event.NewStrings(offsets, data, valid)} {
		file := writeText(t, column)
		r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(1<<20))
		require.NoError(t, err)
		got, _, err := r.Read(context.Background(), []event.FieldID{1}, 0, 0, rows, nil)
		require.NoError(t, err)
		require.True(t, array.Equal(column, event.PlainText(got[0])))
	}
}
