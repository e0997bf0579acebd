package doctor

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

var rewrite = flag.Bool("rewrite", false, "make the data directory of the present format anew; never that of an older one")

// TestFirstFormatOpens: testdata/v1 was written once and stays as it is.
func TestFirstFormatOpens(t *testing.T) {
	t.Parallel()
	const golden = "testdata/v1"
	files, err := vfs.NewReadOnly(golden)
	require.NoError(t, err)
	defer func() { require.NoError(t, files.Close()) }()
	report, err := Verify(t.Context(), files)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	require.Greater(t, report.Files, 5)

	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(golden)))
	s := serve(t, dir)
	require.Equal(t, "600,3,600", s.sql(everything))
	require.Equal(t, "600,0,599,179700", s.sql("SELECT count(DISTINCT n), min(n), max(n), sum(n) FROM orders"))
	require.Equal(t, "r0,120 r1,120 r2,120 r3,120 r4,120", s.sql("SELECT region, c FROM totals ORDER BY region"))
	require.Equal(t, "p0 p1 p2", s.sql("SELECT page FROM clicks ORDER BY page"))
	require.Contains(t, s.must("/v1/streams/orders/events", `{"n":1}`), `"first":600,`)
	require.NoError(t, s.Close())
	require.Equal(t, generations(t, golden), generations(t, dir))
}
