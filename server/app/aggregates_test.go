package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// measurements are rows of three regions in four partitions, out of order, sealed in part.
func measurements(s *instance) {
	s.query(`CREATE STREAM m (id BIGINT, region TEXT, v DOUBLE PRECISION, n BIGINT, ok BOOLEAN, doc JSONB, ts TIMESTAMPTZ,
		WATERMARK FOR ts AS ts - INTERVAL '1 minute') PARTITION BY HASH (id) PARTITIONS 4`)
	for part := range 3 {
		var body strings.Builder
		for i := range 20 {
			k := (i*7+part)%20 + 20*part // a permutation, so that times come out of order
			fmt.Fprintf(&body, `{"id":%d,"region":"%s","ts":"2026-01-01T00:%02d:00Z","n":%d,"ok":%t`, k, []string{"eu", "us", "apac"}[k%3], k, k%5, k%4 == 0)
			if k%6 != 0 {
				fmt.Fprintf(&body, `,"v":%g`, float64(k*k%37)/4)
			}
			body.WriteString(`,"doc":` + []string{"1", "1.0", "1e0", `{"a":1,"b":2}`, `{ "b":2.0, "a":1}`}[k%5] + "}\n")
		}
		s.ingest("m", body.String())
		if part < 2 {
			s.seal("m")
		}
	}
}

// TestAggregates runs the text files: SQL and the rows it gives, or the error.
func TestAggregates(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	measurements(s)
	for _, file := range []string{"testdata/aggregates", "testdata/fill"} {
		datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
			answer := s.do("POST", "/v1/sql", d.Input)
			if answer.status != http.StatusOK {
				var problem struct{ Code, Detail string }
				answer.decode(t, &problem)
				return problem.Code + ": " + problem.Detail + "\n"
			}
			var out table
			answer.decode(t, &out)
			return out.text()
		})
	}
}

// TestAggregatesAgreeWithDuckDB compares what both have under the same name and meaning, over the sealed rows.
func TestAggregatesAgreeWithDuckDB(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	measurements(s)
	s.seal("m")
	files := "read_parquet('" + s.data + "/segments/m/*.parquet', union_by_name => true)"
	var calls []string
	for _, c := range []string{
		"count(DISTINCT n)", "sum(DISTINCT n)", "count(*) FILTER (WHERE ok)", "stddev(v)", "stddev_pop(v)", "variance(v)", "var_pop(v)",
		"corr(v, id)", "covar_samp(v, id)", "covar_pop(v, id)", "regr_slope(v, id)", "regr_intercept(v, id)", "regr_r2(v, id)", "regr_count(v, id)",
		"regr_avgx(v, id)", "regr_avgy(v, id)", "regr_sxx(v, id)", "regr_syy(v, id)", "regr_sxy(v, id)", "median(v)",
		"percentile_cont(0.3) WITHIN GROUP (ORDER BY v)", "percentile_cont(0.3) WITHIN GROUP (ORDER BY v DESC)",
		"percentile_disc(0.3) WITHIN GROUP (ORDER BY n)", "percentile_disc(0.25) WITHIN GROUP (ORDER BY v)",
		"bool_and(ok)", "bool_or(ok)", "bit_and(n)", "bit_or(n)", "bit_xor(n)", "product(n + 1)", "geometric_mean(n + 1)",
		"string_agg(region, '/' ORDER BY id)", "string_agg(DISTINCT region, '/' ORDER BY region DESC)",
		"first(v ORDER BY ts) FILTER (WHERE v IS NOT NULL)", "last(v ORDER BY ts) FILTER (WHERE v IS NOT NULL)", "arg_min(id, v - id)", "arg_max(id, v - id)",
	} {
		if strings.HasPrefix(c, "string_agg") || strings.HasPrefix(c, "bool") {
			calls = append(calls, c)
		} else {
			calls = append(calls, "round(("+c+")::DOUBLE PRECISION, 6)")
		}
	}
	for i, group := range []string{"region", "n", "ROLLUP (region, n)", "CUBE (region, ok)", "GROUPING SETS ((region), (n), ())"} {
		keys := []string{"region", "n", "region, n", "region, ok", "region, n"}[i]
		for at := 0; at < len(calls); at += 16 {
			list := strings.Join(calls[at:min(at+16, len(calls))], ", ")
			sql := fmt.Sprintf("SELECT %s, grouping(%s) AS g, %s FROM %%s GROUP BY %s ORDER BY g, %s", keys, keys, list, group, keys)
			theirs := duckDB(t, fmt.Sprintf(sql, files))
			require.Equal(t, theirs.text(), s.query(fmt.Sprintf(sql, "m")).text(), sql)
		}
	}
	for _, sql := range []string{
		"SELECT DISTINCT ON (region) region, id, v FROM %s ORDER BY region, v DESC NULLS LAST, id",
		"SELECT DISTINCT region, n FROM %s ORDER BY region, n",
	} {
		require.Equal(t, duckDB(t, fmt.Sprintf(sql, files)).text(), s.query(fmt.Sprintf(sql, "m")).text(), sql)
	}
}
