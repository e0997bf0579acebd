package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/server/config"
)

// hostile are statements that ask for more than there is of something. Each ends with one of the codes; "" is an answer.
func hostile() map[string][]string {
	numbers := make([]string, 100_000)
	for i := range numbers {
		numbers[i] = fmt.Sprint(7 * i)
	}
	columns := make([]string, 5_000)
	for i := range columns {
		columns[i] = fmt.Sprintf("i + %d", i)
	}
	endless, all := "generate_series(1, 1000000000000) g(i)", []string{"timeout", "memory_limit", "disk_full", "too_large"}
	return map[string][]string{
		"SELECT " + strings.Repeat("(", 10_000) + "1" + strings.Repeat(")", 10_000):                                               {"syntax_error"},
		"SELECT " + strings.Repeat("NOT ", 10_000) + "true":                                                                       {"syntax_error"},
		"SELECT count(*) FROM generate_series(1, 100000) g(i) WHERE i IN (" + strings.Join(numbers, ",") + ")":                    {""},
		"SELECT " + strings.Join(columns, ", ") + " FROM generate_series(1, 100000) g(i) LIMIT 1":                                 {""},
		"SELECT count(*) FROM " + endless:                                                                                         nil,
		"SELECT i, count(*) FROM " + endless + " GROUP BY i":                                                                      all,
		"SELECT count(DISTINCT i) FROM " + endless:                                                                                all,
		"SELECT DISTINCT ON (i) i FROM " + endless + " ORDER BY i":                                                                all,
		"SELECT i FROM " + endless + " ORDER BY -i":                                                                               all,
		"SELECT max(r) FROM (SELECT row_number() OVER (ORDER BY i) AS r FROM " + endless + ") t":                                  all,
		"SELECT count(*) FROM (SELECT i FROM " + endless + " UNION SELECT -i FROM " + endless + ") t":                             all,
		"SELECT count(*) FROM generate_series(1, 3000000) a(i), generate_series(1, 3000000) b(j)":                                 all,
		"SELECT count(*) FROM generate_series(1, 3000000) a(i) JOIN " + strings.ReplaceAll(endless, "g(i)", "g(j)") + " ON i = j": all,
		"SELECT length(string_agg(i::text, ',')) FROM " + endless:                                                                 all,
		"SELECT length(json_agg(i)::text) FROM " + endless:                                                                        all,
		"SELECT repeat('x', 1000000000)":                                                                                          {"too_large"},
		"SELECT replace(repeat('x', 1000000), 'x', repeat('y', 10000))":                                                           {"too_large"},
		"SELECT 'a' ~ '((a{0,100}){0,100}){0,100}'":                                                                               {"invalid_value"},
		"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r":                                  all,
		"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT r.n + v.n FROM r, r AS v) SELECT count(*) FROM r":                      append(all, "invalid_value"),
	}
}

// TestHostileQueriesEndAndCostNoMore runs a hundred of them side by side: each ends in time with an error that says why, memory stays
// bounded, and afterwards nothing is left of them.
func TestHostileQueriesEndAndCostNoMore(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	s := start(t, t.TempDir(), func(c *config.Config) {
		c.Memory, c.QueryMemory, c.QueryTimeout, c.SpillSpace = 128<<20, 16<<20, time.Second, 256<<20
	})
	statements := hostile()
	texts := make([]string, 0, len(statements))
	for sql := range statements {
		texts = append(texts, sql)
	}
	slices.Sort(texts)
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	var clients sync.WaitGroup
	for i := range 100 {
		clients.Go(func() {
			sql := texts[i%len(texts)]
			code := s.outcome(sql)
			// Waiting for the others may take all of its time.
			if !slices.Contains(append([]string{"timeout", "too_busy"}, statements[sql]...), code) {
				t.Errorf("%.200s: %q", sql, code)
			}
		})
	}
	clients.Wait()
	require.Equal(t, "1", string(s.query("SELECT 1 AS one").Rows[0][0].(json.Number)))
	require.Zero(t, s.pool.Held(), "memory of a query was not given back")
	require.Zero(t, s.spill.Used(), "a temporary file was left")
	var after runtime.MemStats
	runtime.ReadMemStats(&after)
	// Sys never falls, so that it is the most that there was. Other tests of the package have their part in it.
	require.Less(t, after.Sys-before.Sys, uint64(3<<30))
}

// outcome is the code that a statement ends with; "" is an answer.
func (i *instance) outcome(sql string) string {
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, i.URL()+"/v1/sql", strings.NewReader(sql))
	if err != nil {
		return err.Error()
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusOK {
		return ""
	}
	var problem struct{ Code string }
	if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
		return err.Error()
	}
	return problem.Code
}
