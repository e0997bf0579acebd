package parquetbody

import (
	"bytes"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// BenchmarkOneRow reads a file of one row of plain columns, where what is done for each file weighs most.
func BenchmarkOneRow(b *testing.B) {
	type row struct {
		A, C, E, G int64
		B, D, F, H string
	}
	var out bytes.Buffer
	w := parquet.NewGenericWriter[row](&out, parquet.Compression(&parquet.Zstd))
	_, err := w.Write([]row{{A: 1, B: "some text", D: "another", F: "x"}})
	require.NoError(b, err)
	require.NoError(b, w.Close())
	for b.Loop() {
		reader, err := NewReader(out.Bytes(), nil)
		require.NoError(b, err)
		_, err = reader.Next()
		require.NoError(b, err)
	}
}
