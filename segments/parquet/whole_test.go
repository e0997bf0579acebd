package parquet

import (
	"bytes"
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

func verifyWhole(file []byte) error {
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(0))
	if err != nil {
		return err
	}
	return r.VerifyFile(context.Background())
}

// TestEveryFlippedBitIsSeenWithoutAManifest: also in headers, statistics, filters and the footer, which no checksum of a page covers.
func TestEveryFlippedBitIsSeenWithoutAManifest(t *testing.T) {
	t.Parallel()
	_, _, file := writeNumbered(t, 60, Layout{PageRows: 25, RowGroupRows: 50})
	require.NoError(t, verifyWhole(file))
	for at := range file {
		for _, bit := range []byte{1, 0x20} { // the second makes another letter's case of a letter
			damaged := bytes.Clone(file)
			damaged[at] ^= bit
			requireCorrupt(t, verifyWhole(damaged))
		}
	}
	for n := range file {
		requireCorrupt(t, verifyWhole(file[:n]))
	}
}
