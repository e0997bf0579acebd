package app

import (
	"bytes"
	"io"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/views"
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

// TestQueriesOverViewsSayWhatTheyLack: a view that has read events before they were damaged answers. One that has not, and whatever reads it, says
// which it lacks, until that is accepted.
func TestQueriesOverViewsSayWhatTheyLack(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	d := onDisk(t, mem)
	d.must("CREATE STREAM s (sym TEXT, n TEXT)")
	d.must("CREATE MATERIALIZED VIEW whole WITH (memory = '1MB') AS SELECT count(*) AS c FROM s")
	d.must("CREATE MATERIALIZED VIEW stopped WITH (memory = '1MB') AS SELECT count(*) AS c, sum(n::BIGINT) AS n FROM s")
	d.must("CREATE MATERIALIZED VIEW above WITH (memory = '1MB') AS SELECT max(c) AS c FROM stopped")
	d.must("INSERT INTO s VALUES ('first', '1')")
	d.must("SELECT * FROM above")
	_, err := d.run("INSERT INTO s VALUES ('second', 'not a number')", true)
	require.NoError(t, err)
	_, err = d.run("SELECT * FROM stopped", true)
	require.ErrorContains(t, err, "it stopped at partition 0, offset 1 of s")
	d.must("INSERT INTO s VALUES ('third', '3'), ('fourth', '4')")
	d.must("INSERT INTO s VALUES ('fifth', '5')")
	require.Equal(t, 5, d.number("SELECT c FROM whole", true))
	require.NoError(t, d.closeStore())
	flipIn(t, mem, "log/s/0", "third")

	d = onDisk(t, mem)
	ask := func(sql string, allow bool) (string, int64, error) {
		rows, err := (&runner{app: d.App}).Run(t.Context(), api.Request{SQL: sql, Wait: true, AllowCorrupt: allow})
		if err != nil {
			return "", 0, err
		}
		defer rows.Close()
		batch, err := rows.Next()
		require.NoError(t, err)
		line := printRow(batch.Columns, 0)
		_, err = rows.Next()
		require.ErrorIs(t, err, io.EOF)
		return line, rows.Stats().OffsetsSkipped, nil
	}
	require.Equal(t, 5, d.number("SELECT c FROM whole", true), "it has read them")
	const lost = "stream s: offsets 2 to 3 of partition 0 are lost"
	v, ok := d.views.View("stopped")
	require.True(t, ok)
	awaitState(v, views.Failed, true)
	d.must("ALTER MATERIALIZED VIEW stopped RESUME SKIP")
	_, _, err = ask("CREATE MATERIALIZED VIEW fresh WITH (memory = '1MB') AS SELECT count(*) AS c FROM s", true)
	require.NoError(t, err)
	for range 2 {
		for view, want := range map[string]string{"stopped": "|2", "above": "|2", "fresh": "|3"} {
			_, _, err := ask("SELECT c FROM "+view, false)
			require.ErrorContains(t, err, lost, view)
			if view == "above" {
				require.ErrorContains(t, err, "view stopped: ")
			}
			line, skipped, err := ask("SELECT c FROM "+view, true)
			require.NoError(t, err)
			require.Equal(t, want, line, view)
			require.EqualValues(t, 2, skipped)
		}
		_, _, err := ask("CREATE MATERIALIZED VIEW more AS SELECT c FROM above", false)
		require.ErrorContains(t, err, lost)
		require.NoError(t, d.closeStore())
		d = onDisk(t, mem)
	}
	_, err = d.catalog.AcceptLoss("s")
	require.NoError(t, err)
	require.Equal(t, 2, d.number("SELECT c FROM above", true))
	require.Equal(t, 3, d.number("SELECT c FROM fresh", true))
	require.NoError(t, d.closeStore())
}
