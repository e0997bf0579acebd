package app

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/server/backup"
	"github.com/tidemarkdb/tidemark/server/doctor"
)

// lives asks for members of a stream again and again, with what has members of their own and without.
type lives struct {
	*instance
	test *testing.T
	r    *rand.Rand
	// began is a time whole days back, from which on rows come.
	began time.Time
	rows  int
}

// part posts and seals rows: the first parts have members that are numbers where later ones have objects, and a column v of numbers, which later widens.
func (l *lives) part(part int) {
	var body strings.Builder
	for n := range 120 {
		text, v := document(l.r, 0), "7"
		switch {
		case part < 2:
			text = fmt.Sprintf(`{"b":"x","a":%d,"k":{"b":%d}}`, n%5, n%3)
		case part < 4 && n%3 > 0:
			text = fmt.Sprintf(`{"b":{"a":%d},"a":{"b":"x","k":"y%d"},"only":%d}`, n%4, n%2, n%3)
		}
		if part >= 2 {
			v = document(l.r, 1)
		}
		at := l.began.Add(time.Duration(part) * 12 * time.Hour).Add(time.Duration(n) * time.Second)
		fmt.Fprintf(&body, `{"ts":%q,"id":%d,"doc":%s,"v":%s}`+"\n", at.Format(time.RFC3339), l.rows, text, v)
		l.rows++
	}
	l.ingest("docs", body.String())
	l.seal("docs")
}

// merge looks for what to merge until there is nothing.
func (l *lives) merge() { l.compact.Look(context.Background()) }

// check holds answers against those from the documents alone. It tells which members of the documents are kept in how many pieces of segments.
func (l *lives) check(life string) map[string]int {
	l.t.Helper()
	stream, _ := l.catalog.Stream("docs")
	widened := slices.ContainsFunc(stream.Schema.Columns, func(c event.Column) bool { return c.Name == "v" && c.Type.Kind == event.JSONB })
	plain := l.serving(exec.Options{Workers: 2}, optimize.Without("read-members"))
	for n := range 15 {
		sql := memberQuery(l.r)
		if n%3 == 0 && widened {
			sql = strings.NewReplacer("docs", "docs", "doc", "v").Replace(sql)
		}
		want := plain.query(sql)
		requireSameRows(l.test, life+": "+sql, want.Rows, l.query(sql).Rows)
	}
	view := l.segments.View("docs")
	defer func() { require.NoError(l.t, view.Close()) }()
	kept := map[string]int{}
	for _, c := range stream.Schema.Columns {
		morsels, _, err := view.Scan(context.Background(), segments.ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{c.ID}})
		require.NoError(l.t, err)
		for _, m := range morsels {
			for _, name := range []string{"a", "b"} {
				if m.HasMember(0, []string{name}) {
					kept[c.Name+" "+name]++
				}
			}
		}
	}
	return kept
}

// TestMembersInEveryLifeOfAStream follows documents through merges of segments with and without members, a column that becomes JSONB on the way,
// restarts, a backup and its restoration, a lost list of segments, retention, and the stream's end and new beginning under its name.
func TestMembersInEveryLifeOfAStream(t *testing.T) {
	t.Parallel()
	seed := uint64(11)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", seed)
	l := &lives{instance: start(t, t.TempDir()), test: t, r: rand.New(rand.NewPCG(seed, 1))}
	l.began = time.Now().UTC().Truncate(24 * time.Hour).Add(-5 * 24 * time.Hour)
	l.query("CREATE STREAM docs (ts TIMESTAMPTZ NOT NULL, id BIGINT, doc JSONB, WATERMARK FOR ts AS ts - INTERVAL '30 days') WITH (schema = 'evolve')")
	for part := range 2 {
		l.part(part)
	}
	require.Empty(t, l.check("sealed"))
	l.part(2)
	l.part(3)
	l.merge()
	kept := l.check("merged")
	require.NotZero(t, kept["doc b"])
	require.NotZero(t, kept["v b"], "a column that was BIGINT in some of what was merged")
	for part := 4; part < 9; part++ {
		l.part(part)
	}
	l.check("merged, sealed")
	l.merge()
	require.NotZero(t, l.check("merged again")["doc b"])
	l.instance = l.restart()
	l.check("restarted")
	l.requireDuckDBFindsTheSame()

	l.restored()
	require.NotZero(t, l.check("restored")["doc b"])
	l.rebuilt()
	require.NotZero(t, l.check("rebuilt")["doc b"])

	l.query("ALTER STREAM docs SET (retention = '3 days')")
	l.ingest("docs", fmt.Sprintf(`{"ts":%q,"id":-1,"doc":{"b":"x"}}`+"\n", time.Now().UTC().Format(time.RFC3339)))
	before := l.query("SELECT count(*) FROM docs").text()
	l.merge()
	require.NotEqual(t, before, l.query("SELECT count(*) FROM docs").text(), "retention drops some")
	l.check("expired")

	l.query("DROP STREAM docs")
	l.query("CREATE STREAM docs (ts TIMESTAMPTZ NOT NULL, doc JSONB, id BIGINT) WITH (schema = 'evolve')")
	for part := range 4 {
		l.part(part)
	}
	l.merge()
	require.NotZero(t, l.check("begun anew")["doc b"])
}

// restored goes on with a backup.
func (l *lives) restored() {
	l.t.Helper()
	require.NoError(l.t, l.Close())
	to, data := filepath.Join(l.t.TempDir(), "backup"), filepath.Join(l.t.TempDir(), "data")
	_, err := backup.Create(l.t.Context(), l.data, to, backup.Options{Now: time.Now()})
	require.NoError(l.t, err)
	_, err = backup.Restore(l.t.Context(), to, data)
	require.NoError(l.t, err)
	l.instance = start(l.t, data)
}

// rebuilt loses the list of segments and goes on with one that is made from the files.
func (l *lives) rebuilt() {
	l.t.Helper()
	segments := len(l.manifest.View("docs").Segments)
	require.NoError(l.t, l.Close())
	require.NoError(l.t, os.RemoveAll(filepath.Join(l.data, "journal")))
	fs, err := vfs.NewReal(l.data)
	require.NoError(l.t, err)
	_, err = doctor.Repair(l.t.Context(), fs, time.Now())
	require.NoError(l.t, err)
	report, err := doctor.Verify(l.t.Context(), fs)
	require.NoError(l.t, err)
	require.False(l.t, report.Damaged(), "%v", report.Findings)
	require.NoError(l.t, fs.Close())
	l.instance = start(l.t, l.data)
	require.Len(l.t, l.manifest.View("docs").Segments, segments)
}

// requireDuckDBFindsTheSame reads the files, which have other columns of members each, by another program.
func (l *lives) requireDuckDBFindsTheSame() {
	l.t.Helper()
	if os.Getenv("TIDEMARK_DUCKDB") == "" {
		return
	}
	const sql = "SELECT count(*), count(doc), sum(length(doc::TEXT)), min(id), max(id) FROM "
	files := fmt.Sprintf("read_parquet('%s', union_by_name => true)", filepath.Join(l.data, "segments", "docs", "*.parquet"))
	require.Equal(l.t, l.query(sql+"docs").text(), duckDB(l.test, strings.ReplaceAll(sql, "::TEXT", "::VARCHAR")+files).text())
}
