package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/stretchr/testify/require"
)

// everyType is a row of each type with a value, and one of NULLs.
const everyType = `SELECT * FROM (VALUES
	(1, true, CAST(7 AS SMALLINT), 8::INTEGER, 9007199254740993::BIGINT, 1.5::REAL, 'NaN'::DOUBLE PRECISION, 12.50::NUMERIC(10,2), 'é"', '\x00ff'::BYTEA,
		TIMESTAMPTZ '2026-07-01T12:00:00.5Z', DATE '2026-07-01', INTERVAL '1 day 2 hours', '{"a":[1]}'::JSONB,
		UUID '0e37df36-f698-11e6-8dd4-cb9ced3df976'),
	(2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
	) AS t(id, bo, sm, it, bi, re, dp, nu, te, ba, ts, da, iv, js, uu) ORDER BY id`

func TestArrowResults(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	answer := i.do("POST", "/v1/sql?timezone=Europe/Zurich", everyType, "Accept", "application/vnd.apache.arrow.stream")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.Equal(t, "application/vnd.apache.arrow.stream", answer.header.Get("Content-Type"))
	reader, err := ipc.NewReader(bytes.NewReader(answer.body))
	require.NoError(t, err)
	defer reader.Release()
	types := map[string]string{}
	for _, f := range reader.Schema().Fields() {
		types[f.Name] = f.Type.String()
	}
	require.Equal(t, map[string]string{
		"id": "int64", "bo": "bool", "sm": "int16", "it": "int32", "bi": "int64", "re": "float32", "dp": "float64", "nu": "decimal(10, 2)",
		"te": "utf8", "ba": "binary", "ts": "timestamp[us, tz=Europe/Zurich]", "da": "date32", "iv": "month_day_nano_interval",
		"js": "utf8", "uu": "fixed_size_binary[16]",
	}, types)
	require.True(t, reader.Next())
	record := reader.RecordBatch()
	require.EqualValues(t, 2, record.NumRows())
	require.EqualValues(t, 9007199254740993, record.Column(4).(*array.Int64).Value(0))
	require.Equal(t, `é"`, record.Column(8).(*array.String).Value(0))
	require.Equal(t, []byte{0, 0xff}, record.Column(9).(*array.Binary).Value(0))
	require.EqualValues(t, time.Date(2026, 7, 1, 12, 0, 0, 5e8, time.UTC).UnixMicro(), record.Column(10).(*array.Timestamp).Value(0))
	require.Equal(t, arrow.MonthDayNanoInterval{Days: 1, Nanoseconds: 2 * 3600 * 1e9}, record.Column(12).(*array.MonthDayNanoInterval).Value(0))
	for c := 1; c < int(record.NumCols()); c++ {
		require.True(t, record.Column(c).IsNull(1), record.ColumnName(c))
	}
	require.False(t, reader.Next())
	require.NoError(t, reader.Err())
}

// TestArrowOfManyBatches: text that the engine has as dictionaries, NULLs without a type, and a limit in the midst of a batch.
func TestArrowOfManyBatches(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM t (n BIGINT, word TEXT); INSERT INTO t SELECT n, CASE n % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' END FROM generate_series(1, 70000) AS s(n)")
	i.seal("t")
	answer := i.do("POST", "/v1/sql?format=arrow&max_rows=69999", "SELECT n, word, NULL AS nothing, 'x' AS x FROM t")
	reader, err := ipc.NewReader(bytes.NewReader(answer.body))
	require.NoError(t, err)
	defer reader.Release()
	rows, texts := int64(0), 0
	for reader.Next() {
		record := reader.RecordBatch()
		rows += record.NumRows()
		word := record.Column(1).(*array.String)
		for r := range word.Len() {
			if word.IsValid(r) {
				texts++
			}
		}
		require.EqualValues(t, record.NumRows(), record.Column(2).NullN())
		require.Equal(t, "x", record.Column(3).(*array.String).Value(0))
	}
	require.NoError(t, reader.Err())
	require.EqualValues(t, 69999, rows)
	require.InDelta(t, 46666, texts, 1)
}

func TestParquetResultsAreReadByDuckDB(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	answer := i.do("POST", "/v1/sql?format=parquet", everyType)
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	require.Equal(t, "application/vnd.apache.parquet", answer.header.Get("Content-Type"))
	require.True(t, bytes.HasPrefix(answer.body, []byte("PAR1")) && bytes.HasSuffix(answer.body, []byte("PAR1")))
	file := filepath.Join(t.TempDir(), "answer.parquet")
	require.NoError(t, os.WriteFile(file, answer.body, 0o600))
	twice := i.do("POST", "/v1/sql?format=parquet&max_rows=200000", "SELECT 1 AS n, 2 AS n, n FROM generate_series(1, 200000) AS s(n)")
	more := filepath.Join(t.TempDir(), "more.parquet")
	require.NoError(t, os.WriteFile(more, twice.body, 0o600))

	described := duckDB(t, "SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '"+file+"')").text()
	for _, want := range []string{
		`["bo","BOOLEAN"]`, `["sm","SMALLINT"]`, `["it","INTEGER"]`, `["bi","BIGINT"]`, `["re","FLOAT"]`, `["dp","DOUBLE"]`, `["nu","DECIMAL(10,2)"]`,
		`["te","VARCHAR"]`, `["ba","BLOB"]`, `["ts","TIMESTAMP WITH TIME ZONE"]`, `["da","DATE"]`, `["iv","VARCHAR"]`, `["js","JSON"]`, `["uu","UUID"]`,
	} {
		require.Contains(t, described, want)
	}
	values := `SELECT bo, sm, it, bi = 9007199254740993, re, isnan(dp), nu = 12.5, te, hex(ba), ts = TIMESTAMPTZ '2026-07-01T12:00:00.5Z', da::TEXT, iv, js->'a', uu::TEXT
		FROM '` + file + `' WHERE id = 1`
	require.Equal(t, `[true,7,8,true,1.5,true,true,"é\"","00FF",true,"2026-07-01","1 day 02:00:00","[1]","0e37df36-f698-11e6-8dd4-cb9ced3df976"]`+"\n",
		duckDB(t, values).text())
	require.Equal(t, "[1]\n", duckDB(t, "SELECT count(*) FROM '"+file+"' WHERE bo IS NULL AND uu IS NULL AND js IS NULL AND iv IS NULL").text())
	require.Equal(t, "[100000,100000,200000,20000100000]\n", duckDB(t, `SELECT min(n_3)+99999, sum(n)/2, sum(n_2)/2, sum(n_3)::BIGINT FROM '`+more+`'`).text())
}

func TestTimesInAZone(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	sql := "SELECT TIMESTAMPTZ '2026-07-01T12:00:00.5Z' AS t, TIMESTAMPTZ '2026-01-01T12:00:00Z' AS u"
	require.Contains(t, string(i.do("POST", "/v1/sql?timezone=Europe/Zurich", sql).body),
		`["2026-07-01T14:00:00.500000+02:00","2026-01-01T13:00:00.000000+01:00"]`)
	require.Contains(t, string(i.do("POST", "/v1/sql?timezone=Asia/Kolkata&format=csv", sql).body), "2026-07-01T17:30:00.500000+05:30")
	require.Contains(t, string(i.do("POST", "/v1/sql?timezone=utc", sql).body), "12:00:00.500000Z")
	body, err := json.Marshal(map[string]string{"sql": sql, "timezone": "America/New_York"})
	require.NoError(t, err)
	require.Contains(t, string(i.do("POST", "/v1/sql", string(body), "Content-Type", "application/json").body), `"2026-07-01T08:00:00.500000-04:00"`)
	for _, zone := range []string{"Mars/Olympus", "Local", "../etc/passwd"} {
		require.Equal(t, http.StatusBadRequest, i.do("POST", "/v1/sql?timezone="+zone, sql).status, zone)
	}
}

func TestUnknownParametersAreRefused(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	for path, want := range map[string]string{
		"/v1/sql?maxrows=3":             `there is no parameter \"maxrows\"`,
		"/v1/sql?max_rows=3&max_rows=4": "max_rows is given 2 times",
		"/v1/sql?q=SELECT+1":            `there is no parameter \"q\"`,
		"/v1/sql?timeout=soon":          `timeout \"soon\" is not a duration`,
		"/v1/sql?format=xml":            "use json, ndjson, csv, arrow, parquet",
	} {
		answer := i.do("POST", path, "SELECT 1")
		require.Equal(t, http.StatusBadRequest, answer.status, path)
		require.Contains(t, string(answer.body), want)
	}
	require.Contains(t, string(i.do("POST", "/v1/sql?maxrows=3", "SELECT 1").body), "bigint, format, from, interval, max_rows, timeout, timezone, to, wait")
	got := i.do("GET", "/v1/sql?q=SELECT+:from,+:to&from=a&to=b&format=csv", "")
	require.Equal(t, "?column?,?column?\na,b\n", string(got.body))
}

// failsLater gives a batch of rows before the one that fails.
const failsLater = "SELECT n, 1 / (n - 150000) AS x FROM generate_series(1, 200000) AS s(n)"

func TestFailureAfterTheFirstByte(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	for format, told := range map[string]bool{"json": true, "ndjson": true, "csv": false, "arrow": false, "parquet": false} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.URL()+"/v1/sql?max_rows=1000000&format="+format, strings.NewReader(failsLater))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, answer.StatusCode, format)
		body, err := io.ReadAll(answer.Body)
		require.NoError(t, answer.Body.Close())
		if !told {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF, format)
			continue
		}
		require.NoError(t, err, format)
		lines := strings.Split(strings.TrimSpace(string(body)), "\n")
		require.Contains(t, lines[len(lines)-1], `"error":{"type":"urn:tidemark:problem:invalid_value"`, format)
		if format == "json" {
			var whole struct {
				Rows  [][]any
				Error struct{ Code string }
			}
			require.NoError(t, json.Unmarshal(body, &whole))
			require.Equal(t, "invalid_value", whole.Error.Code)
			require.NotEmpty(t, whole.Rows)
		}
	}
}

// TestFailureBeforeTheFirstByte: rows that have not left yet do not keep the answer from being an ordinary error.
func TestFailureBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	answer := i.do("POST", "/v1/sql?format=parquet", "SELECT 1 / (n - 40000) FROM generate_series(1, 50000) AS s(n)")
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Equal(t, "application/problem+json", answer.header.Get("Content-Type"))
	require.Contains(t, string(answer.body), "division by zero")
}

// TestRowsLeaveBeforeTheLastIsComputed reads the beginning of answers that would never end, and goes away: the query stops.
func TestRowsLeaveBeforeTheLastIsComputed(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	for _, format := range []string{"json", "ndjson", "csv", "arrow", "parquet"} {
		sql := "SELECT n FROM generate_series(1, 1000000000000) AS s(n)"
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, i.URL()+"/v1/sql?max_rows=1000000000000&format="+format, strings.NewReader(sql))
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		_, err = io.ReadFull(answer.Body, make([]byte, 100))
		require.NoError(t, err, format)
		require.NoError(t, answer.Body.Close())
		require.Eventually(t, func() bool { return len(i.activity.Running()) == 0 }, time.Minute, time.Millisecond, format)
		ended := i.activity.Ended()
		var fault interface{ Error() string }
		require.True(t, errors.As(ended[len(ended)-1].Err, &fault), format)
	}
}
