package app

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bulkBody is a request with an item of every sort.
const bulkBody = `{"index":{"_index":"Web-2026.03","_id":"7"}}
{"@timestamp":"2026-03-01T09:00:00Z","path":"/"}
{"create":{"_index":"audit"}}
{"@timestamp":"2026-03-01T09:00:01Z","user":"ada"}
{"delete":{"_index":"audit","_id":"1"}}
{"index":{}}
{"n":1}
{"create":{"_index":"audit"}}
broken
`

func TestBulkRequests(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const web, audit = `{"index":{"_index":"Web-2026.03","result":"created","status":201}}`, `{"create":{"_index":"audit","result":"created","status":201}}`
	const refused = `{"delete":{"_index":"audit","status":400,"error":{"type":"document_parsing_exception","reason":"rows cannot be deleted one by one: ` +
		`they are only added"}}}`
	const broken = `{"create":{"_index":"audit","status":400,"error":{"type":"document_parsing_exception","reason":"not JSON: the row begins with \"broken\""}}}`
	for path, item := range map[string]string{
		"/_bulk": `{"index":{"_index":"","status":400,"error":{"type":"document_parsing_exception",` +
			`"reason":"neither the action nor the address names an index"}}}`,
		"/visits/_bulk": `{"index":{"_index":"visits","result":"created","status":201}}`,
	} {
		for _, method := range []string{"POST", "PUT"} {
			answer := s.do(method, path, bulkBody, "Content-Type", "application/x-ndjson")
			require.Equal(t, http.StatusOK, answer.status, string(answer.body))
			require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
			_, items, _ := strings.Cut(string(answer.body), ",")
			require.Equal(t, `"errors":true,"items":[`+strings.Join([]string{web, audit, refused, item, broken}, ",")+"]}\n", items)
		}
	}
	require.Equal(t, strings.Repeat(`["7","2026-03-01T09:00:00.000000Z","/"]`+"\n", 4), s.query("SELECT * FROM web_2026_03").text())
	require.Equal(t, strings.Repeat(`["2026-03-01T09:00:01.000000Z","ada"]`+"\n", 4), s.query("SELECT * FROM audit").text())
	require.Equal(t, "[1]\n[1]\n", s.query("SELECT n FROM visits").text())
	require.Equal(t, "[2,4]\n[4,4]\n", s.query("SELECT request_row, count(*) FROM audit_rejected GROUP BY request_row ORDER BY request_row").text())

	answer := s.do("POST", "/_bulk", `{"create":{"_index":"audit"}}`+"\n"+`{"user":"bob"}`+"\n"+`{"user":"cy"}`+"\n")
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, string(answer.body), `"type":"bad_request","reason":"line 3 is no action of a bulk request`)
	require.Contains(t, string(answer.body), "(1 rows are stored)")
	require.Equal(t, "[5]\n", s.query("SELECT count(*) FROM audit").text())
	for _, path := range []string{"/", "/_cluster/health", "/_license"} {
		answer := s.do("GET", path, "")
		require.Equal(t, http.StatusOK, answer.status)
		require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
	}
}

// TestElasticRefresh: clients such as pino's end with an error that nobody catches where they may not refresh what they wrote.
func TestElasticRefresh(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, path := range []string{"/_refresh", "/logs/_refresh"} {
		for _, method := range []string{"GET", "POST"} {
			answer := s.do(method, path, "")
			require.Equal(t, http.StatusOK, answer.status)
			require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
			require.JSONEq(t, `{"_shards":{"total":1,"successful":1,"failed":0}}`, string(answer.body))
		}
	}
}

// TestLargeBulkRequestsAreStoredOnceUnderTheirKey repeats a request of several parts, whole and broken off.
func TestLargeBulkRequestsAreStoredOnceUnderTheirKey(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const rows = 40_000
	var body strings.Builder
	for i := range rows {
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q}}\n{\"n\":%d,\"pad\":%q}\n", []string{"a", "b", "c"}[i%3], i, strings.Repeat("x", i%50))
	}
	key := []string{"Idempotency-Key", "bulk-1"}
	packed := gzipped(t, body.String())
	answer := s.do("POST", "/_bulk", packed[:len(packed)*2/3], append(key, "Content-Encoding", "gzip")...)
	require.Equal(t, http.StatusBadRequest, answer.status, string(answer.body))
	for range 2 {
		answer = s.do("POST", "/_bulk", body.String(), key...)
		require.Equal(t, http.StatusOK, answer.status)
		require.Contains(t, string(answer.body), `"errors":false`)
		require.Equal(t, rows, strings.Count(string(answer.body), `"status":201`))
		require.Equal(t, fmt.Sprintf("[%d,%d,%d]\n", rows, rows, rows*(rows-1)/2),
			s.query("SELECT count(*), count(DISTINCT n), sum(n) FROM (SELECT n FROM a UNION ALL SELECT n FROM b UNION ALL SELECT n FROM c)").text())
		s = s.restart()
	}
}

// TestElasticDocuments stores documents one by one, and refuses what is none.
func TestElasticDocuments(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const printed = "{\n  \"n\": 1,\n  \"text\": \"a\\nb\"\n}\n"
	for _, test := range []struct {
		method, path, body string
		status             int
		want               string
	}{
		{"POST", "/notes/_doc?refresh=true", printed, 201, `"_version":1,"result":"created"`},
		{"PUT", "/notes/_doc/a%2Fb", `{"n":2}`, 201, `"_index":"notes","_id":"a/b"`},
		{"POST", "/notes/_doc/7?op_type=create", `{"n":3}`, 201, `"_id":"7"`},
		{"PUT", "/notes/_create/7", `{"n":4}`, 201, `"_id":"7"`},
		{"POST", "/notes/_create/8", `{"n":5,"_id":"own"}`, 201, `"_id":"8"`},
		{"POST", "/notes/_doc", `{"n":6,"_offset":1}`, 400, `"type":"document_parsing_exception","reason":"field \"_offset\" has the name of a hidden column"`},
		{"POST", "/notes/_doc", `{"n":7`, 400, `"reason":"not JSON: unexpected end of JSON input"`},
		{"POST", "/notes/_doc", `[{"n":8}]`, 400, `"reason":"not a JSON object"`},
		{"POST", "/notes/_doc", `{"n":"` + strings.Repeat("x", 3<<20) + `"}`, 413, `"type":"too_large"`},
	} {
		answer := s.do(test.method, test.path, test.body, "Content-Type", "application/json")
		require.Equal(t, test.status, answer.status, string(answer.body))
		require.Contains(t, string(answer.body), test.want)
		require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
	}
	require.Equal(t, "[1,26,\"a\\nb\"]\n[2,3,null]\n[3,1,null]\n[4,1,null]\n[5,3,null]\n",
		s.query("SELECT n, length(_id), text FROM notes ORDER BY n").text())
}

// TestElasticFilterPath asks for parts of an answer, as shippers do.
func TestElasticFilterPath(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	const body = "{\"create\":{\"_index\":\"a\"}}\n{\"n\":1}\n{\"delete\":{\"_index\":\"a\",\"_id\":\"1\"}}\n{\"create\":{\"_index\":\"a\"}}\n{\"n\":2}\n"
	const reason = `"reason":"rows cannot be deleted one by one: they are only added"`
	for filter, want := range map[string]string{
		"errors":                       `{"errors":true}`,
		"nothing":                      `{}`,
		"errors,items.*.status":        `{"errors":true,"items":[{"create":{"status":201}},{"delete":{"status":400}},{"create":{"status":201}}]}`,
		"items.*.error.reason":         `{"items":[{"delete":{"error":{` + reason + `}}}]}`,
		"items.create._index":          `{"items":[{"create":{"_index":"a"}},{"create":{"_index":"a"}}]}`,
		"**.st*":                       `{"items":[{"create":{"status":201}},{"delete":{"status":400}},{"create":{"status":201}}]}`,
		"errors,items,-items.*._index": `{"errors":true,"items":[{"create":{"result":"created","status":201}},{"delete":{"status":400,"error":{"type":"document_parsing_exception",` + reason + `}}},{"create":{"result":"created","status":201}}]}`,
	} {
		answer := s.do("POST", "/_bulk?filter_path="+url.QueryEscape(filter), body)
		require.Equal(t, http.StatusOK, answer.status)
		require.Equal(t, want+"\n", string(answer.body), filter)
	}
}

// TestElasticRefusals: whatever clients of Elasticsearch ask for besides, they can read the answer, and it says what to do.
func TestElasticRefusals(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("logs_web", `{"n":1}`)
	for _, test := range []struct{ method, path, want string }{
		{"GET", "/logs-web/_search", "queries are SQL"},
		{"POST", "/_msearch", "queries are SQL"},
		{"GET", "/logs-web/_doc/1", "rows are read by SQL"},
		{"DELETE", "/logs-web/_doc/1", "neither updated nor deleted"},
		{"POST", "/logs-web/_update/1", "neither updated nor deleted"},
		{"PUT", "/_index_template/filebeat", "setup.template.enabled: false"},
		{"GET", "/_ilm/policy/filebeat", "setup.ilm.enabled: false"},
		{"PUT", "/_data_stream/logs-web-default", "need not be made data streams"},
		{"GET", "/_nodes/http", "sniffing off"},
		{"GET", "/_bulk", "a bulk request goes to POST"},
		{"GET", "/_unheard/of", "what clients ask first"},
	} {
		answer := s.do(test.method, test.path, "")
		require.Equal(t, http.StatusBadRequest, answer.status, test.path)
		require.Equal(t, "Elasticsearch", answer.header.Get("X-Elastic-Product"))
		require.Contains(t, string(answer.body), `{"error":{"root_cause":[{"type":"illegal_argument_exception","reason":"`+test.method+" "+test.path+" is not supported: ")
		require.Contains(t, string(answer.body), test.want)
	}
	ofElastic := []string{"X-Elastic-Client-Meta", "es=9.0"}
	require.Contains(t, string(s.do("PUT", "/logs-web", "{}", ofElastic...).body), "a stream is made by its first rows")
	require.Equal(t, http.StatusOK, s.do("HEAD", "/logs-web", "", ofElastic...).status)
	require.Equal(t, http.StatusNotFound, s.do("HEAD", "/none", "", ofElastic...).status)
	require.Equal(t, http.StatusNotFound, s.do("HEAD", "/_index_template/x", "").status)
	require.Contains(t, string(s.do("GET", "/v1/_x", "").body), "urn:tidemark:problem:not_found", "what is no path of Elasticsearch")
	require.Contains(t, string(s.do("PUT", "/logs-web", "").body), "urn:tidemark:problem:not_found")
}
