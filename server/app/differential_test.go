package app

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
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

// TestRandomQueriesAnswerAsDuckDBDoes runs generated statements here and on DuckDB over the same rows, some sealed and some not.
// TIDEMARK_SEED repeats a run, TIDEMARK_STRESS makes it long.
func TestRandomQueriesAnswerAsDuckDBDoes(t *testing.T) {
	t.Parallel()
	if os.Getenv("TIDEMARK_DUCKDB") == "" {
		t.Skip("TIDEMARK_DUCKDB is not set: run by make test, which installs DuckDB")
	}
	statements := 400
	if os.Getenv("TIDEMARK_STRESS") != "" {
		statements = 100_000
	}
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("TIDEMARK_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d", seed)
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
	s := start(t, t.TempDir())
	setup := fillTables(s, g)
	refused := 0
	for at := 0; at < statements; at += 1000 {
		queries := make([]string, min(1000, statements-at))
		for i := range queries {
			queries[i] = g.query()
		}
		theirs := askDuckDB(t, append(slices.Clone(setup), queries...))[len(setup):]
		for i, sql := range queries {
			compareAnswers(t, s, sql, theirs[i])
			if theirs[i].Error != "" {
				refused++
			}
		}
	}
	require.Less(t, refused, statements/10, "most statements must have an answer to compare")
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

// compareAnswers holds our rows against theirs, as sets with repetition. What DuckDB refuses we may answer or refuse.
func compareAnswers(t *testing.T, s *instance, sql string, theirs duckAnswer) {
	t.Helper()
	answer := s.do("POST", "/v1/sql", sql)
	if theirs.Error != "" {
		require.Less(t, answer.status, 500, "%s\n%s", sql, answer.body)
		return
	}
	require.Equal(t, 200, answer.status, "%s\n%s", sql, answer.body)
	var ours table
	answer.decode(t, &ours)
	require.Equal(t, sortedRows(theirs.Rows), sortedRows(ours.Rows), sql)
}

// sortedRows brings rows to one spelling of numbers, nine digits of them, and to one order.
func sortedRows(rows [][]any) []string {
	out := make([]string, len(rows))
	for i, row := range rows {
		cells := make([]string, len(row))
		for c, v := range row {
			cells[c] = spelled(v)
		}
		out[i] = strings.Join(cells, " | ")
	}
	slices.Sort(out)
	return out
}

func spelled(v any) string {
	number, ok := v.(json.Number)
	if !ok {
		return fmt.Sprintf("%#v", v)
	}
	f, err := number.Float64()
	if err != nil {
		return number.String()
	}
	return strconv.FormatFloat(f+0, 'g', 9, 64)
}
