package ingest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestALostJournalIsNoReasonToDiscardTheLog takes the journal away from under the data, as a bad restore does. It must be possible to put
// it back: the log and the segments stay as they are.
func TestALostJournalIsNoReasonToDiscardTheLog(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	s := openStore(t, disk)
	fill(t, s, "kept")
	s.close(t)
	require.NoError(t, disk.Rename("journal", "elsewhere"))
	requireCode(t, event.CodeCorrupt, CheckLogs(disk, catalog.New()))

	require.NoError(t, disk.Rename("elsewhere", "journal"))
	s = openStore(t, disk)
	require.NoError(t, CheckLogs(disk, s.catalog))
	require.Len(t, s.contents(t, "s", "n"), 7)
	require.NoError(t, s.Drop("s"))
	require.True(t, s.catalog.Dropped("s"))
	s.close(t)
	s = openStore(t, disk)
	require.False(t, s.catalog.Dropped("s"), "its files are gone")
	s.close(t)
}
