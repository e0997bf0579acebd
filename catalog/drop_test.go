package catalog_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestDroppedNamesOutliveSnapshots makes the journal take a snapshot after every update.
func TestDroppedNamesOutliveSnapshots(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	reopen := func() (*catalog.Catalog, *journal.Journal) {
		c := catalog.New()
		j, err := journal.OpenWith(disk, "journal", map[journal.Kind]journal.State{journal.KindStream: c}, journal.Options{RotateBytes: 1})
		require.NoError(t, err)
		c.Use(j)
		return c, j
	}
	c, j := reopen()
	require.False(t, c.Dropped("orders"))
	_, err := c.Create(orders())
	require.NoError(t, err)
	require.NoError(t, c.Drop("orders"))
	for range 10 { // the log has to outgrow the snapshot first
		other := orders()
		other.Name = "other"
		_, err = c.Create(other)
		require.NoError(t, err)
		require.NoError(t, c.Drop("other"))
	}
	require.True(t, c.Dropped("orders"))
	require.NoError(t, j.Close())

	c, j = reopen()
	require.True(t, c.Dropped("orders"))
	_, err = c.Create(orders())
	require.NoError(t, err)
	require.False(t, c.Dropped("orders"), "the files are those of the new stream")
	require.True(t, c.Dropped("other"))
	c.ForgetDropped()
	require.False(t, c.Dropped("other"))
	require.NoError(t, j.Close())
}
