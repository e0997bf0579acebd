package event

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestBuffersLendApartUntilReset(t *testing.T) {
	t.Parallel()
	b := &Buffers{}
	first, second := b.Int64s(10), b.Int64s(20)
	codes := b.Int32s(5)
	for i := range first {
		first[i] = 1
	}
	for i := range second {
		second[i] = 2
	}
	require.Len(t, codes, 5)
	require.EqualValues(t, 1, first[9], "memory lent twice")
	b.Reset()
	again := b.Int64s(8)
	require.Len(t, again, 8)
	require.Same(t, &first[0], &again[0], "memory is used again after Reset")
	require.Len(t, b.Int64s(100), 100)
}

func TestNilBuffersMakeNewMemory(t *testing.T) {
	t.Parallel()
	var b *Buffers
	first, second := b.Int64s(3), b.Int64s(3)
	require.NotSame(t, &first[0], &second[0])
	require.Len(t, b.Int32s(4), 4)
	b.Reset()
}
