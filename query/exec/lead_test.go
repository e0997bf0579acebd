package exec_test

import (
	"fmt"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// drawTimed draws a table in which few keys, some of them NULL or silent for long, share few times that are roughly in order.
func drawTimed(t *rapid.T) *table {
	rows := rapid.IntRange(0, 60).Draw(t, "rows")
	small := func(name string, most int) int64 { return int64(rapid.IntRange(0, most).Draw(t, name)) }
	ids, times, users := make([]int64, rows), make([]int64, rows), make([]int64, rows)
	usersValid, names := event.NewBitmap(rows), array.NewStringBuilder(memoryAllocator)
	rare := small("rows of rare keys", 15)
	silent := rapid.Bool().Draw(t, "rare keys are NULL")
	for i := range rows {
		ids[i], times[i], users[i] = int64(i), int64(i/2)+small("late", 2), small("user", 3)
		if int64(i) >= rare {
			users[i] = min(users[i], 2)
		}
		switch {
		case users[i] == 3 && silent:
			names.AppendNull()
			continue
		case users[i] == 3:
			names.Append("rare")
		default:
			names.Append(fmt.Sprint("k", users[i]))
		}
		usersValid.Set(i)
	}
	out := &table{schema: &event.Schema{Version: 1, TimeColumn: 2}, rows: rows, columns: []arrow.Array{
		event.NewInt64s(ids, nil), event.NewTimestamps(times, nil), names.NewArray(), event.NewInt64s(users, usersValid),
	}}
	for i, name := range []string{"id", "ts", "name", "user"} {
		typ := []event.Type{bigint, timestamptz, text, bigint}[i]
		out.schema.Columns = append(out.schema.Columns, event.Column{ID: event.FieldID(i + 1), Name: name, Type: typ, Since: 1})
	}
	return out
}

// TestFirstRowsOfMorselsThatKnowTheirValues holds the rows that are kept of each key to the reference: what a scan leaves out, for what its
// morsels know of their times and keys, is never missed.
func TestFirstRowsOfMorselsThatKnowTheirValues(t *testing.T) {
	t.Parallel()
	spills := spillSpace(t)
	rapid.Check(t, func(r *rapid.T) {
		tab := drawTimed(r)
		s := scan(tab)
		key := col(s, rapid.SampledFrom([]string{"name", "user"}).Draw(r, "key"))
		keys := []plan.SortKey{asc(col(s, "ts")), desc(col(s, "id"))}
		if rapid.Bool().Draw(r, "newest") {
			keys = []plan.SortKey{desc(col(s, "ts")), asc(col(s, "id"))}
		}
		root := &plan.FirstRows{Input: s, By: []plan.Expr{key}, Keys: keys}
		if rapid.Bool().Draw(r, "filtered") {
			root.Input = where(s, call("<>", col(s, "id"), lit(rapid.IntRange(0, 60).Draw(r, "but"))))
		}
		options := exec.Options{Workers: rapid.IntRange(1, 2).Draw(r, "workers"), BatchRows: rapid.IntRange(1, 20).Draw(r, "batch")}
		if rapid.Bool().Draw(r, "little memory") {
			options.MemoryBytes, options.Spill = int64(rapid.IntRange(1, 32).Draw(r, "KiB"))<<10, spills
		}
		src := &source{tables: map[string]*table{"t": tab}, rng: rand.New(rand.NewPCG(rapid.Uint64().Draw(r, "cuts"), 0))}
		got, _, err := answer(exec.New(src, nil, options), root)
		if err != nil {
			requireMemoryLimit(r, err)
			return
		}
		sort.Strings(got)
		require.Equal(r, canonical(reference{tab}.run(root), false), got)
	})
}

func requireMemoryLimit(t require.TestingT, err error) {
	var limit *event.Error
	require.ErrorAs(t, err, &limit)
	require.Equal(t, event.CodeMemoryLimit, limit.Code)
}
