package app

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// TestWindows runs the queries of the text file over a few rows, some sealed and some not: each answer is its rows, or the error.
func TestWindows(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	ingestTrades(i)
	datadriven.RunTest(t, "testdata/windows", func(t *testing.T, d *datadriven.TestData) string {
		require.Equal(t, "query", d.Cmd)
		answer := i.do("POST", "/v1/sql", d.Input)
		if answer.status != 200 {
			var problem struct {
				Code, Detail, Hint string
				Position           struct{ Line, Column int }
			}
			answer.decode(t, &problem)
			return fmt.Sprintf("%s at %d:%d: %s\nhint: %s\n", problem.Code, problem.Position.Line, problem.Position.Column, problem.Detail, problem.Hint)
		}
		var out table
		answer.decode(t, &out)
		return out.text()
	})
}

// ingestTrades makes the stream trades: two symbols and one without, with ties and NULLs.
func ingestTrades(i *instance) {
	first := strings.Join([]string{
		`{"id":1,"sym":"a","price":10,"qty":1.5,"ts":"2026-01-01T00:00:00Z"}`,
		`{"id":2,"sym":"a","price":12,"qty":2.5,"ts":"2026-01-01T00:00:30Z"}`,
		`{"id":3,"sym":"b","price":7,"qty":null,"ts":"2026-01-01T00:00:30Z"}`,
		`{"id":4,"sym":"a","price":12,"qty":0.5,"ts":"2026-01-01T00:01:00Z"}`,
	}, "\n")
	second := strings.Join([]string{
		`{"id":5,"sym":"b","price":null,"qty":4.0,"ts":"2026-01-01T00:02:00Z"}`,
		`{"id":6,"sym":"a","price":9,"qty":null,"ts":"2026-01-01T00:05:00Z"}`,
		`{"id":7,"sym":null,"price":3,"qty":1.0,"ts":"2026-01-01T00:05:30Z"}`,
		`{"id":8,"sym":"b","price":8,"qty":2.0,"ts":"2026-01-01T00:10:00Z"}`,
	}, "\n")
	answer := i.do("POST", "/v1/sql", `CREATE STREAM trades (id BIGINT NOT NULL, sym TEXT, price BIGINT, qty DOUBLE PRECISION,
		ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')`)
	require.Equal(i.t, 200, answer.status, string(answer.body))
	i.ingest("trades", first)
	i.seal("trades")
	i.ingest("trades", second)
}
