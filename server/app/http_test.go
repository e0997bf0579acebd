package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

const orders = `{"ts":"2026-01-01T00:00:00Z","region":"EU","amount":10,"customer":{"name":"Ada","tags":["a","b"]}}
{"ts":"2026-01-01T00:00:30Z","region":"US","amount":20.5,"customer":{"name":"Bob"}}
{"ts":"2026-01-01T00:01:00Z","region":"EU","amount":30}
`

func TestEventsAreAnsweredBySQLAtEveryStage(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	in := s.ingest("orders", orders)
	require.EqualValues(t, 3, in.Accepted)
	require.Equal(t, []struct{ Partition, First, Last int64 }{{0, 0, 2}}, in.Offsets)
	checks := map[string]string{
		`SELECT count(*), sum(amount), avg(amount), min(amount), max(amount), min(ts) FROM orders`: `[3,60.5,20.166666666666668,10,30,"2026-01-01T00:00:00.000000Z"]` + "\n",
		`SELECT region, sum(amount) AS total FROM orders GROUP BY region ORDER BY total DESC`:      `["EU",40]` + "\n" + `["US",20.5]` + "\n",
		`SELECT time_bucket(INTERVAL '1 minute', ts) AS m, count(*) FROM orders GROUP BY m ORDER BY m`: `["2026-01-01T00:00:00.000000Z",2]` + "\n" +
			`["2026-01-01T00:01:00.000000Z",1]` + "\n",
		`SELECT customer->>'name' AS n, customer.tags FROM orders WHERE customer->>'name' IS NOT NULL ORDER BY n LIMIT 1`: `["Ada",["a","b"]]` + "\n",
		`SELECT amount * 2 + 1, upper(region), CASE WHEN amount > 15 THEN 'big' ELSE 'small' END FROM orders WHERE region LIKE 'E%' ORDER BY ts DESC`: `[61,"EU","big"]` + "\n" +
			`[21,"EU","small"]` + "\n",
		`SELECT _partition, _offset FROM orders ORDER BY _offset OFFSET 1`: "[0,1]\n[0,2]\n",
	}
	check := func(stage string) {
		for sql, want := range checks {
			require.Equal(t, want, s.query(sql).text(), "%s: %s", stage, sql)
		}
	}
	check("in the tail")
	s.seal("orders")
	require.Equal(t, 1, s.query(`SELECT count(*) FROM orders WHERE amount > 0`).Stats.Scanned)
	check("sealed")
	s = s.restart()
	check("after a restart")
	s.ingest("orders", `{"ts":"2026-01-02T00:00:00Z","region":"EU","amount":"a lot"}`)
	require.Equal(t, "[4]\n", s.query("SELECT count(*) FROM orders").text(), "tail and segment in one answer")
	require.Equal(t, "[10]\n[20.5]\n[30]\n[\"a lot\"]\n", s.query("SELECT amount FROM orders ORDER BY ts").text())
}

func TestStatementsThatDefineAndDescribe(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query(`CREATE STREAM readings (
		sensor TEXT NOT NULL, celsius DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,
		WATERMARK FOR ts AS ts - INTERVAL '10 seconds'
	) PARTITION BY HASH (sensor) PARTITIONS 2 WITH (schema = 'strict')`)
	require.Equal(t, "[2]\n", s.query(`INSERT INTO readings (sensor, celsius, ts) VALUES ('a', 1.5, '2026-01-01 00:00:00Z'), ('b', NULL, '2026-01-01 00:00:01Z')`).text())
	in := s.ingest("readings", `{"sensor":"a","celsius":2,"ts":"2026-01-01T00:00:02Z"}
{"sensor":"a","unknown":1,"ts":"2026-01-01T00:00:02Z"}
{"celsius":2,"ts":"2026-01-01T00:00:02Z"}
{"sensor":"a","celsius":"warm","ts":"2026-01-01T00:00:02Z"}`)
	require.EqualValues(t, 1, in.Accepted)
	require.EqualValues(t, 3, in.Rejected)
	for row, reason := range []string{"unknown", "sensor", "celsius"} {
		require.EqualValues(t, row+1, in.Errors[row].Row)
		require.Contains(t, in.Errors[row].Reason, reason)
	}
	require.Equal(t, `["a",2,3.5]`+"\n"+`["b",1,null]`+"\n",
		s.query("SELECT sensor, count(*), sum(celsius) FROM readings GROUP BY sensor ORDER BY sensor").text())
	require.Equal(t, `["readings",3,2,3,"ts"]`+"\n"+`["readings_rejected",6,1,3,"rejected_at"]`+"\n", s.query("SHOW STREAMS").text())
	describe := s.query("DESCRIBE readings").text()
	require.Contains(t, describe, `["sensor","TEXT",false,"partition key"]`)
	require.Contains(t, describe, `["ts","TIMESTAMPTZ",false,"event time"]`)
	require.Contains(t, s.query("EXPLAIN SELECT sensor FROM readings WHERE celsius > 1 LIMIT 3").text(), "Scan readings")
	require.Equal(t, "[1]\n", s.query("CREATE STREAM IF NOT EXISTS readings (a BIGINT); SELECT 1").text())

	var one struct{ Name, TimeColumn string }
	s.do("GET", "/v1/streams/readings", "").decode(t, &one)
	require.Equal(t, "readings", one.Name)
}

func TestRejectedRowsCanBeAskedAbout(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	answer := s.do("POST", "/v1/streams/orders/events", orders+"{\"region\":\n", "X-Request-Id", "batch-7")
	require.Equal(t, "batch-7", answer.header.Get("X-Request-Id"))
	require.Equal(t, `["batch-7",3,"eyJyZWdpb24iOg=="]`+"\n", s.query("SELECT request_id, request_row, raw FROM orders_rejected").text())
	refused := s.do("POST", "/v1/streams/orders_rejected/events", orders)
	require.Equal(t, http.StatusBadRequest, refused.status)
	require.Contains(t, string(refused.body), "reserved")
	refused = s.do("POST", "/v1/sql", "INSERT INTO orders_rejected (reason) VALUES ('mine')")
	require.Equal(t, http.StatusBadRequest, refused.status)
}

func TestParametersAndFormats(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	answer := s.do("POST", "/v1/sql", `{"sql":"SELECT $1 + 1 AS a, :name AS b, count(*) AS n FROM orders WHERE ts >= :from AND ts < :to",
		"params":{"name":"x"},"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:01:00Z"}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, answer.status, "$1 has no value")
	answer = s.do("POST", "/v1/sql", `{"sql":"SELECT :name AS b, count(*) AS n FROM orders WHERE ts >= :from AND ts < :to",
		"params":{"name":"x"},"from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:01:00Z"}`, "Content-Type", "application/json")
	var out table
	answer.decode(t, &out)
	require.Equal(t, `["x",2]`+"\n", out.text())
	require.NotEmpty(t, answer.header.Get("X-Query-Id"))

	sql := "SELECT region, amount, customer->>'name' AS name FROM orders ORDER BY ts"
	require.Equal(t, "region,amount,name\nEU,10,Ada\nUS,20.5,Bob\nEU,30,\n", string(s.do("POST", "/v1/sql?format=csv", sql).body))
	require.Equal(t, `{"region":"EU","amount":10,"name":"Ada"}`, strings.Split(string(s.do("POST", "/v1/sql", sql, "Accept", "application/x-ndjson").body), "\n")[0])
	require.Contains(t, string(s.do("GET", "/v1/sql?q=SELECT+9007199254740993&bigint=string", "").body), `"9007199254740993"`)
	s.do("POST", "/v1/sql?max_rows=2", sql).decode(t, &out)
	require.EqualValues(t, 2, out.Count)
	require.True(t, out.Stats.Cut)
}

// TestCutAnswersSayThatTheyAre: whoever saves an answer in any format can tell that rows are missing.
func TestCutAnswersSayThatTheyAre(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, rows := range []int{3, 200_000} { // the second answer is sent in pieces
		sql := fmt.Sprintf("SELECT n FROM generate_series(1, %d) AS g(n)", rows)
		for _, format := range []string{"json", "ndjson", "csv", "arrow", "parquet"} {
			for missing := range 2 {
				answer := s.do("POST", fmt.Sprintf("/v1/sql?format=%s&max_rows=%d", format, rows-missing), sql)
				require.Equal(t, http.StatusOK, answer.status)
				require.Equal(t, missing > 0, answer.trailer.Get("X-Truncated") == "true", "%s of %d rows", format, rows)
			}
		}
	}
}

func TestCompressedBodies(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	var zipped, zstded strings.Builder
	g := gzip.NewWriter(&zipped)
	_, err := g.Write([]byte(orders))
	require.NoError(t, err)
	require.NoError(t, g.Close())
	z, err := zstd.NewWriter(&zstded)
	require.NoError(t, err)
	_, err = z.Write([]byte(orders))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	require.EqualValues(t, 3, s.ingest("orders", zipped.String(), "Content-Encoding", "gzip").Accepted)
	require.EqualValues(t, 3, s.ingest("orders", zstded.String(), "Content-Encoding", "zstd").Accepted)
	half := s.do("POST", "/v1/streams/orders/events", zipped.String()[:zipped.Len()-20], "Content-Encoding", "gzip")
	require.Equal(t, http.StatusBadRequest, half.status)
}

// TestFaultsAreClear sends every kind of bad request and checks the answer, and that the server goes on.
func TestFaultsAreClear(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	events, sql := "/v1/streams/orders/events", "/v1/sql"
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		status             int
		code, contains     string
	}{
		"malformed JSON": {"POST", events, "{\"a\":\nnope", nil, 400, "all_rows_rejected", "JSON"},
		"form ingest": {
			"POST", events, "region=EU&amount=1", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "unsupported_media_type",
			"application/x-ndjson",
		},
		"xml ingest":   {"POST", events, "<a/>", []string{"Content-Type", "text/xml"}, 415, "unsupported_media_type", "text/xml"},
		"bad encoding": {"POST", events, orders, []string{"Content-Encoding", "br"}, 415, "unsupported_media_type", "gzip"},
		"two encodings": {
			"POST", events, orders, []string{"Content-Encoding", "gzip", "Content-Encoding", "zstd"}, 415, "unsupported_media_type", "gzip, zstd",
		},
		"not gzip":         {"POST", events, orders, []string{"Content-Encoding", "gzip"}, 400, "bad_request", "gzip"},
		"stream name":      {"POST", "/v1/streams/Bad-Name/events", orders, nil, 400, "bad_request", "Bad-Name"},
		"long key":         {"POST", events, orders, []string{"Idempotency-Key", strings.Repeat("k", 256)}, 400, "bad_request", "Idempotency-Key"},
		"unknown column":   {"POST", sql, "SELECT amont FROM orders", nil, 400, "unknown_column", "amount"},
		"unknown stream":   {"POST", sql, "SELECT 1 FROM ordrs", nil, 404, "not_found", "orders"},
		"unknown function": {"POST", sql, "SELECT summ(amount) FROM orders", nil, 400, "unknown_function", "sum"},
		"syntax":           {"POST", sql, "SELECT FROM WHERE", nil, 400, "syntax_error", ""},
		"empty SQL":        {"POST", sql, "  -- nothing", nil, 400, "syntax_error", ""},
		"type mismatch":    {"POST", sql, "SELECT region + 1 FROM orders", nil, 400, "type_mismatch", ""},
		"division":         {"POST", sql, "SELECT 1/0", nil, 400, "invalid_value", "zero"},
		"SQL as xml":       {"POST", sql, "SELECT 1", []string{"Content-Type", "text/xml"}, 415, "unsupported_media_type", ""},
		"bad JSON request": {"POST", sql, "{", []string{"Content-Type", "application/json"}, 400, "bad_request", ""},
		"unknown member":   {"POST", sql, `{"sql":"SELECT 1","sqll":1}`, []string{"Content-Type", "application/json"}, 400, "bad_request", "sqll"},
		"unknown format":   {"POST", sql + "?format=xlsx", "SELECT 1", nil, 400, "bad_request", "xlsx"},
		"write by GET":     {"GET", sql + "?q=INSERT+INTO+orders+(region)+VALUES+('x')", "", nil, 405, "read_only", "POST"},
		"create by GET":    {"GET", sql + "?q=CREATE+STREAM+x+(a+BIGINT)", "", nil, 405, "read_only", "POST"},
		"no statement":     {"GET", sql, "", nil, 400, "bad_request", "q"},
		"exists":           {"POST", sql, "CREATE STREAM orders (a BIGINT)", nil, 409, "already_exists", "orders"},
		"no route":         {"GET", "/v2/sql", "", nil, 404, "not_found", "/v2/sql"},
		"method":           {"DELETE", sql, "", nil, 405, "method_not_allowed", "POST"},
		"no stream":        {"GET", "/v1/streams/nope", "", nil, 404, "not_found", "nope"},
		"foreign host":     {"POST", sql, "SELECT 1", []string{"Host", "evil.example"}, 403, "forbidden", "evil.example"},
		"foreign origin":   {"POST", sql, "SELECT 1", []string{"Origin", "http://evil.example"}, 403, "forbidden", "evil.example"},
		"null origin":      {"POST", sql, "SELECT 1", []string{"Origin", "null"}, 403, "forbidden", "null"},
		"cross site":       {"GET", sql + "?q=SELECT+1", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "forbidden", "cross-site"},
	} {
		answer := s.do(c.method, c.path, c.body, c.headers...)
		require.Equal(t, c.status, answer.status, "%s: %s", name, answer.body)
		require.Equal(t, "application/problem+json", answer.header.Get("Content-Type"), name)
		var p struct {
			Type, Title, Detail, Code, Hint string
			Status                          int
			Position                        *struct{ Line, Column int }
		}
		answer.decode(t, &p)
		require.Equal(t, c.code, p.Code, "%s: %s", name, answer.body)
		require.Equal(t, c.status, p.Status, name)
		require.Contains(t, p.Detail+p.Hint, c.contains, name)
		require.NotEmpty(t, p.Detail, name)
		if c.code == "syntax_error" && name == "syntax" || c.code == "unknown_column" {
			require.NotNil(t, p.Position, name)
		}
	}
	require.Equal(t, "[3]\n", s.query("SELECT count(*) FROM orders").text(), "none of it changed anything")
	require.Equal(t, http.StatusOK, s.do("GET", "/livez", "").status)
	require.Equal(t, http.StatusOK, s.do("GET", "/readyz", "").status)
	same := s.do("POST", sql, "SELECT 1", "Origin", s.URL(), "Sec-Fetch-Site", "same-origin")
	require.Equal(t, http.StatusOK, same.status, "the server's own pages may ask")
}

func TestMetricsAreOnTheAdminListener(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	s.query("SELECT count(*) FROM orders")
	require.Equal(t, http.StatusNotFound, s.do("GET", "/metrics", "").status)
	admin := &instance{App: &App{listeners: s.listeners[1:]}, t: t}
	metrics := string(admin.do("GET", "/metrics", "").body)
	require.Contains(t, metrics, `tidemark_ingest_rows_total{stream="orders"} 3`)
	require.Contains(t, metrics, `tidemark_queries_total{outcome="ok"} 1`)
	require.Contains(t, metrics, "tidemark_log_sync_seconds_count")
	require.Contains(t, metrics, "process_cpu_seconds_total")
}

// TestEitherListenerNamesTheOther: whoever asks the wrong one is told of the right one.
func TestEitherListenerNamesTheOther(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	admin := &instance{App: &App{listeners: s.listeners[1:]}, t: t}
	for _, path := range []string{"/metrics", "/backup", "/backup/1/files/segments/a", "/debug/pprof/heap", "/retention/confirm"} {
		answer := s.do("POST", path, "")
		require.Equal(t, http.StatusNotFound, answer.status, path)
		require.Contains(t, string(answer.body), "on the admin listener", path)
		require.Contains(t, string(answer.body), "send it to "+s.AdminURL(), path)
	}
	for _, path := range []string{"/v1/sql", "/v1/streams/orders/events", "/version"} {
		answer := admin.do("POST", path, "SELECT 1")
		require.Equal(t, http.StatusNotFound, answer.status, path)
		require.Contains(t, string(answer.body), "send it to "+s.URL(), path)
	}
	require.Contains(t, string(s.do("GET", "/elsewhere", "").body), "there is nothing at /elsewhere")
}

func TestASecondServerCannotOpenTheData(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	c := s.config
	c.Listen, c.AdminListen = "127.0.0.1:0", "127.0.0.1:0"
	_, err := Start(t.Context(), c, "test", s.logger)
	require.ErrorContains(t, err, "in use by another process")
}

func TestOneQuerySeesOneSnapshot(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 60 {
			s.ingest("pairs", fmt.Sprintf(`{"n":%d,"sign":1}`+"\n"+`{"n":%d,"sign":-1}`, n, n))
			if n%7 == 6 {
				s.seal("pairs")
			}
		}
	}()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		answer := s.do("POST", "/v1/sql", "SELECT sum(sign) AS zero, count(*) AS n, max(_offset) + 1 AS m FROM pairs")
		if answer.status == http.StatusNotFound {
			continue
		}
		var out table
		answer.decode(t, &out)
		require.Len(t, out.Rows, 1, string(answer.body))
		if row := out.Rows[0]; row[0] != nil {
			require.EqualValues(t, "0", row[0], "both rows of a body or none: %s", answer.body)
			require.Equal(t, row[1], row[2], "no row twice, none missing")
		}
	}
}
