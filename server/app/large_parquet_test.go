package app

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"
)

// TestLargeParquet sends a file of more than is held in memory, which goes through a file of the server's.
func TestLargeParquet(t *testing.T) {
	t.Parallel()
	type row struct {
		N   int64  `parquet:"n,delta"`
		Raw []byte `parquet:"raw"`
	}
	random := rand.New(rand.NewPCG(1, 2))
	rows, sum := make([]row, 40_000), int64(0)
	for i := range rows {
		rows[i] = row{N: random.Int64N(1 << 40), Raw: make([]byte, 450)}
		for at := range rows[i].Raw {
			rows[i].Raw[at] = byte(random.Uint32())
		}
		sum += rows[i].N
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file, parquet.Compression(&parquet.Snappy), parquet.MaxRowsPerRowGroup(9000))
	_, err := w.Write(rows)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Greater(t, file.Len(), 16<<20)
	s := start(t, t.TempDir())
	answer := s.do("POST", "/v1/streams/large/events?format=parquet", file.String())
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.Contains(t, string(answer.body), `"accepted":40000,"rejected":0`)
	require.Equal(t, fmt.Sprintf("[40000,%d,18000000]\n", sum), s.query("SELECT count(*), sum(n), sum(octet_length(raw)) FROM large").text())

	cut := s.do("POST", "/v1/streams/large/events?format=parquet", file.String()[:file.Len()-1])
	require.Equal(t, http.StatusBadRequest, cut.status)
	require.Contains(t, string(cut.body), "it does not begin and end as a Parquet file")
	left, err := filepath.Glob(filepath.Join(s.data, "spill", "*"))
	require.NoError(t, err)
	require.Empty(t, left)
}
