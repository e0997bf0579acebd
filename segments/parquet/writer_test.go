package parquet

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestWriterIsReadByAnotherProgram writes batches of several sizes, with text as a dictionary or plain, and reads them with parquet-go.
func TestWriterIsReadByAnotherProgram(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w, err := NewWriter(&file, []Column{
		{ID: 1, Name: "n", Type: event.Type{Kind: event.BigInt}}, {ID: 2, Name: "word", Type: event.Type{Kind: event.Text}},
	})
	require.NoError(t, err)
	words := event.NewStrings([]int32{0, 1, 3}, []byte("abb"), nil)
	rows := int64(0)
	for i, size := range []int{1, 40_000, 0, 30_000, 100_000, 7} {
		numbers, codes, valid := make([]int64, size), make([]int32, size), event.NewBitmap(size)
		for r := range size {
			numbers[r], codes[r] = rows, int32(rows%2)
			if rows%3 > 0 {
				valid.Set(r)
			}
			rows++
		}
		text := event.NewDictionary(codes, words, valid)
		if i%2 == 0 {
			text = event.PlainText(text)
		}
		require.NoError(t, w.Write([]arrow.Array{event.NewInt64s(numbers, nil), text}))
	}
	require.NoError(t, w.Close())

	type row struct {
		N    *int64  `parquet:"n,optional"`
		Word *string `parquet:"word,optional"`
	}
	read, err := parquet.Read[row](bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	require.Len(t, read, int(rows))
	for i, r := range read {
		require.EqualValues(t, i, *r.N)
		if i%3 == 0 {
			require.Nil(t, r.Word)
		} else {
			require.Equal(t, []string{"a", "bb"}[i%2], *r.Word)
		}
	}
	opened, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	require.Len(t, opened.RowGroups(), 3, "what is full leaves, the rest at the end")
}

func TestWriterRefusesTypesThatFilesDoNotHave(t *testing.T) {
	t.Parallel()
	_, err := NewWriter(&bytes.Buffer{}, []Column{{ID: 1, Name: "i", Type: event.Type{Kind: event.Interval}}})
	require.ErrorContains(t, err, "INTERVAL")
}

func TestWriterOfNothingIsAFile(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	w, err := NewWriter(&file, []Column{{ID: 1, Name: "n", Type: event.Type{Kind: event.BigInt}}})
	require.NoError(t, err)
	require.NoError(t, w.Close())
	opened, err := parquet.OpenFile(bytes.NewReader(file.Bytes()), int64(file.Len()))
	require.NoError(t, err)
	require.Zero(t, opened.NumRows())
}
