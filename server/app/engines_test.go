package app

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestAnswersOfOtherEngines runs the files of testdata/engines: queries as people of other streaming engines write them, over rows of a kind that
// those engines test with. The rows below a query are what such an engine answers. The directives are
//
//	data    CREATE STREAM statements, and a line for each row: "stream: (values)". Lines of "end" come last: rows whose time passes that of
//	        all others, so that what waits for the watermark shows
//	query   a query, and below it its rows, sorted, or the error; then what a view of it gives
//	sql     the same, without a view
//
// A query is asked once as it is. Then a view of it is made over empty streams, once for each order of rows: as they stand, reversed, and
// shuffled; half of the rows come before a restart. The line behind the rows says what held in all orders:
//
//	= view                   the view holds the answer before the rows of "end"
//	= view behind the end    it holds it behind them: its rows wait for the watermark
//	..., on close            one with EMIT ON WINDOW CLOSE holds it behind them as well
//
// "query ordered" is asked of the rows as they stand only: what is late depends on the order.
func TestAnswersOfOtherEngines(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/engines/*")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			var world *engineWorld
			datadriven.RunTest(t, path, func(t *testing.T, c *datadriven.TestData) string {
				switch c.Cmd {
				case "data":
					world = parseWorld(t, c.Input)
					return ""
				case "query", "sql":
					return world.answer(t, c.Input, c.Cmd == "query", c.HasArg("ordered"))
				default:
					c.Fatalf(t, "unknown directive %s", c.Cmd)
					return ""
				}
			})
		})
	}
}

// engineWorld is what a file's queries are asked of.
type engineWorld struct {
	streams   string
	rows, end []string
}

func parseWorld(t *testing.T, text string) *engineWorld {
	w := &engineWorld{}
	statement := func(line string) string {
		stream, values, found := strings.Cut(line, ": ")
		require.True(t, found, line)
		return fmt.Sprintf("INSERT INTO %s VALUES %s", stream, values)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if end, ok := strings.CutPrefix(line, "end "); ok {
			w.end = append(w.end, statement(end))
		} else if strings.HasSuffix(line, ")") && strings.Contains(line, ": (") {
			w.rows = append(w.rows, statement(line))
		} else {
			w.streams += line + "\n"
		}
	}
	return w
}

// orders are the rows as they stand, reversed, and shuffled.
func (w *engineWorld) orders() [][]string {
	reversed, shuffled := slices.Clone(w.rows), slices.Clone(w.rows)
	slices.Reverse(reversed)
	rand.New(rand.NewPCG(1, 7)).Shuffle(len(shuffled), func(i, k int) { shuffled[i], shuffled[k] = shuffled[k], shuffled[i] })
	return [][]string{w.rows, reversed, shuffled}
}

func (w *engineWorld) answer(t *testing.T, query string, viewed, ordered bool) string {
	d := onDisk(t, vfs.NewMem())
	d.must(w.streams)
	for _, row := range w.rows {
		d.must(row)
	}
	want, err := d.run(query, true) // it may read views
	require.NoError(t, d.closeStore())
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	out := rowsOrNone(t, want)
	if !viewed {
		return out
	}
	held, orders := "", w.orders()
	if ordered {
		orders = orders[:1]
	}
	for i, rows := range orders {
		how := w.inView(t, query, rows, want)
		if i > 0 && how != held {
			return out + fmt.Sprintf("= order 0: %s\n= order %d: %s\n", held, i, how)
		}
		held = how
	}
	return out + "= " + held + "\n"
}

// inView says how views of the query compare with its answer when the rows come in this order.
func (w *engineWorld) inView(t *testing.T, query string, rows []string, want string) string {
	disk := vfs.NewMem()
	d := onDisk(t, disk)
	d.must(w.streams)
	if _, err := d.run("CREATE MATERIALIZED VIEW answer WITH (memory = '16MB') AS "+query, false); err != nil {
		require.NoError(t, d.closeStore())
		return "no view: " + err.Error()
	}
	_, err := d.run("CREATE MATERIALIZED VIEW answer_closed WITH (memory = '16MB') AS "+query+" EMIT ON WINDOW CLOSE", false)
	closes := err == nil
	for i, row := range rows {
		if i == len(rows)/2 {
			left := disk.CrashTorn(rand.New(rand.NewPCG(1, 1)))
			require.NoError(t, d.closeStore())
			disk, d = left, onDisk(t, left)
		}
		d.must(row)
	}
	defer func() { require.NoError(t, d.closeStore()) }()
	open := d.must("SELECT * FROM answer")
	for _, row := range w.end {
		d.must(row)
	}
	how := "view"
	if open != want {
		how = "view behind the end"
		if late := d.must("SELECT * FROM answer"); late != want {
			return "another view:\n" + rowsOrNone(t, open) + "and behind the end:\n" + rowsOrNone(t, late)
		}
	}
	if closes {
		if got := d.must("SELECT * FROM answer_closed"); got != want {
			return how + ", another on close:\n" + rowsOrNone(t, got)
		}
		how += ", on close"
	}
	return how
}

// rowsOrNone writes the rows of disk.run for people.
func rowsOrNone(t *testing.T, rows string) string {
	if rows == "" {
		return ""
	}
	return rowsAsText(t, rows)
}
