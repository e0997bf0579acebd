package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// mostDifferences is how many statements may differ before a run asks no more: the first tell enough.
const mostDifferences = 20

// TestRandomQueriesAnswerAsDuckDBDoes runs generated statements here and on DuckDB over the same rows, some sealed and some not.
// It is the same run every time unless TIDEMARK_SEED says otherwise; TIDEMARK_STRESS makes it long and new, and under the race detector it is
// shorter. A difference ends its statement only: what a run finds, it finds at once.
func TestRandomQueriesAnswerAsDuckDBDoes(t *testing.T) { //nolint:tparallel // statements are asked in order
	t.Parallel()
	if os.Getenv("TIDEMARK_DUCKDB") == "" {
		t.Skip("TIDEMARK_DUCKDB is not set: run by make test, which installs DuckDB")
	}
	statements, seed := raced(150, 400), uint64(1)
	if os.Getenv("TIDEMARK_STRESS") != "" {
		statements, seed = 100_000, uint64(time.Now().UnixNano())
	}
	if text := os.Getenv("TIDEMARK_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	s := start(t, t.TempDir())
	// With threads of its own DuckDB gives another percentile_disc over a join now and then.
	setup := append([]string{"SET threads = 1"}, fillTables(s, g)...)
	tight := s.tightServers()
	asked, refused, differ := 0, 0, 0
	for at := 0; at < statements && differ < mostDifferences; at += 1000 {
		queries := make([]string, min(1000, statements-at))
		for i := range queries {
			queries[i] = g.query()
		}
		theirs := askDuckDB(t, append(slices.Clone(setup), queries...))[len(setup):]
		for i, sql := range queries {
			same := t.Run(strconv.Itoa(at+i), func(t *testing.T) {
				if ours, ok := compareAnswers(t, s, sql, theirs[i]); ok {
					requireSameTight(t, tight, sql, ours)
				}
			})
			asked++
			if !same {
				differ++
			}
			if theirs[i].Error != "" {
				refused++
			}
		}
	}
	t.Logf("%d statements asked, %d refused there, %d differ", asked, refused, differ)
	require.Less(t, refused, asked/10, "most statements must have an answer to compare")
}

// fillTables makes the same tables here, with the first half of the rows sealed, and gives the statements that make them on DuckDB.
func fillTables(s *instance, g *generator) []string {
	s.t.Helper()
	var statements []string
	for _, table := range generated {
		columns := make([]string, len(table.columns))
		for i, c := range table.columns {
			columns[i] = c[0] + " " + c[1]
		}
		definition := fmt.Sprintf("%s (%s)", table.name, strings.Join(columns, ", "))
		s.query("CREATE STREAM " + definition)
		statements = append(statements, "CREATE TABLE "+definition)
		for half := range 2 {
			rows := make([]string, 30)
			for i := range rows {
				values := make([]string, len(table.columns))
				for c, column := range table.columns {
					values[c] = g.value(kindOf(column[1]))
				}
				rows[i] = "(" + strings.Join(values, ", ") + ")"
			}
			insert := "INSERT INTO " + table.name + " VALUES " + strings.Join(rows, ", ")
			s.query(insert)
			statements = append(statements, insert)
			if half == 0 {
				s.seal(table.name)
			}
		}
	}
	return statements
}

// duckAnswer is DuckDB's answer to one of many statements.
type duckAnswer struct {
	Rows  [][]any
	Error string
}

// askDuckDB runs statements in order on one database.
func askDuckDB(t *testing.T, statements []string) []duckAnswer {
	t.Helper()
	in, err := json.Marshal(statements)
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), "node", os.Getenv("TIDEMARK_DUCKDB"), "-")
	command.Stdin, command.Stderr = bytes.NewReader(in), t.Output()
	out, err := command.Output()
	require.NoError(t, err)
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 64<<20)
	var answers []duckAnswer
	for lines.Scan() {
		var answer duckAnswer
		decoder := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		decoder.UseNumber()
		require.NoError(t, decoder.Decode(&answer))
		answers = append(answers, answer)
	}
	require.Len(t, answers, len(statements))
	return answers
}

// compareAnswers holds our rows against theirs, as sets with repetition, and gives them. What DuckDB refuses we may answer or refuse.
func compareAnswers(t *testing.T, s *instance, sql string, theirs duckAnswer) (rows [][]any, ok bool) {
	t.Helper()
	answer := s.do("POST", "/v1/sql", sql)
	if theirs.Error != "" {
		require.Less(t, answer.status, 500, "%s\n%s", sql, answer.body)
		return nil, false
	}
	require.Equal(t, 200, answer.status, "%s\n%s", sql, answer.body)
	var ours table
	answer.decode(t, &ours)
	want, got := sortedRows(theirs.Rows), sortedRows(ours.Rows)
	require.Len(t, got, len(want), "%s\nwant %v\ngot %v", sql, want, got)
	for i := range want {
		require.Len(t, got[i], len(want[i]), sql)
		for c := range want[i] {
			require.True(t, sameValue(want[i][c], got[i][c]), "%s\nwant %v\ngot %v", sql, want[i], got[i])
		}
	}
	return ours.Rows, true
}

// sortedRows brings rows to one order, in which numbers that differ in their last digits only are alike.
func sortedRows(rows [][]any) [][]any {
	out := slices.Clone(rows)
	key := func(row []any) string {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = fmt.Sprintf("%#v", v)
			if f, ok := float(v); ok {
				cells[i] = strconv.FormatFloat(f, 'g', 6, 64)
			}
		}
		return strings.Join(cells, " | ")
	}
	slices.SortFunc(out, func(a, b []any) int { return strings.Compare(key(a), key(b)) })
	return out
}

// sameValue compares numbers to nine digits: sums of DOUBLE depend on the order of their terms.
func sameValue(a, b any) bool {
	x, ok := float(a)
	y, alsoNumber := float(b)
	if !ok || !alsoNumber {
		return ok == alsoNumber && fmt.Sprintf("%#v", a) == fmt.Sprintf("%#v", b)
	}
	return x == y || math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y), 1e-3)
}

func float(v any) (float64, bool) {
	number, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	f, err := number.Float64()
	if f == 0 {
		f = 0 // JavaScript writes -0 without its sign
	}
	return f, err == nil
}
