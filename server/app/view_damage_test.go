package app

import (
	"bytes"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// flipIn changes a byte of the only file in a directory that has a text, there.
func flipIn(t *testing.T, mem *vfs.Mem, dir, text string) {
	t.Helper()
	files := map[string][]byte{}
	readTree(t, mem, dir, files)
	found := 0
	for name, body := range files {
		at := bytes.Index(body, []byte(text))
		if at < 0 {
			continue
		}
		body[at] ^= 1
		require.NoError(t, mem.Remove(name))
		f, err := mem.Create(name)
		require.NoError(t, err)
		_, err = f.Write(body)
		require.NoError(t, err)
		require.NoError(t, f.Sync())
		require.NoError(t, f.Close())
		require.NoError(t, mem.SyncDir(path.Dir(name)))
		found++
	}
	require.Equal(t, 1, found)
}

// TestViewDoesNotGoOnWithoutRowsItHasCounted: after a crash a view reads again what came since its checkpoint. Where damage has taken of that, what
// it would make of the rest and what it has answered do not fit together, so it stops and says why.
func TestViewDoesNotGoOnWithoutRowsItHasCounted(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	d.must("CREATE STREAM counted (sym TEXT)")
	d.must("CREATE MATERIALIZED VIEW counts WITH (memory = '1MB') AS SELECT count(*) AS c, max(sym) AS m FROM counted")
	for _, sym := range []string{"first", "second", "third", "fourth"} {
		d.must("INSERT INTO counted VALUES ('" + sym + "')")
		d.must("SELECT * FROM counts")
	}
	crashed := mem.Crash()
	flipIn(t, crashed, "log/counted/0", "second")
	require.NoError(t, d.closeStore())

	d = onDisk(t, crashed)
	_, err := d.run("SELECT c FROM counts", true)
	require.ErrorContains(t, err, "lost to damage")
	d.must("INSERT INTO counted VALUES ('fifth')")
	_, err = d.run("SELECT c FROM counts", true)
	require.ErrorContains(t, err, "lost to damage")
	require.NoError(t, d.closeStore())
}
