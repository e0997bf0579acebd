package segments

import (
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// inCodes gives a batch of clicks with its pages as a dictionary.
func inCodes(t *testing.T, b *event.Batch) *event.Batch {
	t.Helper()
	columns := append([]arrow.Array{}, b.Record.Columns()...)
	columns[2] = withCodes(columns[2].(*array.String))
	require.NotNil(t, columns[2])
	out, err := event.NewBatch(b.Schema, b.Partition, columns)
	require.NoError(t, err)
	return out
}

// TestCodesOfBatchesDoNotShowInSegments seals the same rows with their text in either form, and in both: the files are the same, byte for byte.
func TestCodesOfBatchesDoNotShowInSegments(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	a, b, c := disordered(rng, 0, 0, 400), disordered(rng, 1, 0, 350), disordered(rng, 0, 400, 50)
	var want []byte
	for coded := range 8 {
		f, stream := newFixture(t, Options{RowGroupRows: 300, PageRows: 100}), clicks()
		batches := []*event.Batch{batchOf(stream.Schema, a), batchOf(stream.Schema, b), batchOf(stream.Schema, c)}
		for i := range batches {
			if coded>>i&1 != 0 {
				batches[i] = inCodes(t, batches[i])
			}
		}
		segment := f.add(stream, event.Vector{450, 350}, batches...)
		file, err := f.fs.Open(segment.File)
		require.NoError(t, err)
		size, err := file.Size()
		require.NoError(t, err)
		got, err := io.ReadAll(io.NewSectionReader(file, 0, size))
		require.NoError(t, err)
		require.NoError(t, file.Close())
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, "batches in codes: %03b", coded)
	}
}

func TestMostlyDictionaries(t *testing.T) {
	t.Parallel()
	some := event.NewStrings([]int32{0, 1, 2, 3}, []byte("aba"), nil)
	coded := event.NewDictionary([]int32{0, 1, 1, 0}, event.NewStrings([]int32{0, 1, 2}, []byte("xy"), nil), nil)
	require.Nil(t, mostlyDictionaries([]arrow.Array{some}))
	require.Nil(t, mostlyDictionaries([]arrow.Array{some, some, coded}))
	got := mostlyDictionaries([]arrow.Array{coded, some})
	require.Len(t, got, 2)
	require.Same(t, coded, got[0])
	for i := range some.Len() {
		require.Equal(t, event.StringAt(some, i), event.StringAt(got[1], i))
	}
}
