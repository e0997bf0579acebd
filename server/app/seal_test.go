package app

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestNoRowIsMissingWhileItIsSealed counts the rows before every operation on the files of a segment that is being made of them.
func TestNoRowIsMissingWhileItIsSealed(t *testing.T) {
	t.Parallel()
	var d *disk
	sealing, counts := false, []string{}
	d = onDisk(t, vfs.NewFaulty(vfs.NewMem(), func(_ vfs.Op, name string) error {
		if sealing && (strings.HasPrefix(name, "tmp/") || strings.HasPrefix(name, "segments/")) {
			sealing = false // the query is none of it
			counts = append(counts, d.must("SELECT count(*) FROM trades"))
			sealing = true
		}
		return nil
	}))
	d.must("CREATE STREAM trades (ts TIMESTAMPTZ NOT NULL, sym TEXT, qty BIGINT)")
	rnd := rand.New(rand.NewPCG(1, 1))
	for minute := range 3 { // four would be merged
		require.NoError(t, d.insert(rnd, minute))
		want := d.must("SELECT count(*) FROM trades")
		sealing, counts = true, counts[:0]
		d.seal("trades")
		sealing = false
		require.Greater(t, len(counts), 3)
		for _, got := range counts {
			require.Equal(t, want, got)
		}
		require.Equal(t, want, d.must("SELECT count(*) FROM trades"))
	}
	require.NoError(t, d.closeStore())
}
