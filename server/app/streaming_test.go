package app

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// rowsAsText writes the rows of disk.run for people.
func rowsAsText(t *testing.T, rows string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(rows) {
		var cells []string
		require.NoError(t, json.Unmarshal([]byte(line), &cells))
		for i, cell := range cells {
			cells[i] = strings.TrimSuffix(strings.Trim(cell, `"`), ".000000Z")
		}
		b.WriteString(strings.Join(cells, " ") + "\n")
	}
	return b.String()
}

// events stores lines of JSON, all of which must be good.
func (d *disk) events(stream, lines string) {
	d.t.Helper()
	body, err := d.ingest.Begin(stream, ingest.BodyOptions{})
	require.NoError(d.t, err)
	require.NoError(d.t, body.Feed(d.t.Context(), []byte(lines+"\n")))
	summary, err := body.Finish(d.t.Context())
	require.NoError(d.t, err)
	require.Empty(d.t, summary.Errors)
}

// TestStreaming runs the files of testdata/streaming, each against a server of its own: views as people write them for other engines, and what
// they hold after each step. The directives are
//
//	run       statements that must succeed, or the error
//	rows      a query, and below it its rows, sorted, once every view that it reads has taken what is there
//	events s  events of a stream as newline-delimited JSON, which give it columns and widen them
//	seal s    seals what a stream holds
//	built     the views, with those that have been built anew since they were listed first
//	restart   cuts the power and starts again
func TestStreaming(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/streaming", func(t *testing.T, path string) {
		t.Parallel()
		disk, rnd := vfs.NewMem(), rand.New(rand.NewPCG(1, 1))
		d := onDisk(t, disk)
		defer func() { require.NoError(t, d.closeStore()) }()
		first := map[string]uint64{} // generations
		datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
			switch c.Cmd {
			case "run", "rows":
				out, err := d.run(c.Input, c.Cmd == "rows")
				if err != nil {
					return "error: " + err.Error() + "\n"
				}
				if c.Cmd == "run" || out == "" {
					return ""
				}
				return rowsAsText(t, out)
			case "events":
				d.events(c.CmdArgs[0].Key, c.Input)
				return ""
			case "built":
				var b strings.Builder
				for _, v := range d.catalog.Views() {
					if first[v.Name] == 0 {
						first[v.Name] = v.Generation
					}
					b.WriteString(v.Name)
					if first[v.Name] != v.Generation {
						b.WriteString(" anew")
					}
					b.WriteString("\n")
				}
				return b.String()
			case "seal":
				d.sealAll(c.CmdArgs[0].Key)
				return ""
			case "restart":
				left := disk.CrashTorn(rnd)
				require.NoError(t, d.closeStore())
				disk = left
				d = onDisk(t, disk)
				return ""
			default:
				c.Fatalf(t, "unknown directive %s", c.Cmd)
				return ""
			}
		})
	})
}
