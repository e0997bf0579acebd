package app

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const points = "cpu,host=a usage=1.5,n=3i 1772355600000000000\nmem,host=a free=10u\ncpu,host=b usage=2 1772355601000000000\n"

func TestLineProtocol(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, path := range []string{"/write?db=metrics&u=me&p=secret&rp=autogen", "/api/v2/write?org=o&bucket=b&precision=ns"} {
		answer := s.do("POST", path, points)
		require.Equal(t, http.StatusNoContent, answer.status, string(answer.body))
		require.Empty(t, answer.body)
	}
	want := strings.Repeat(`["2026-03-01T09:00:00.000000Z","a",1.5,3]`+"\n", 2) + strings.Repeat(`["2026-03-01T09:00:01.000000Z","b",2,null]`+"\n", 2)
	require.Equal(t, want, s.query("SELECT time, host, usage, n FROM cpu ORDER BY time").text())
	require.Equal(t, "[10]\n[10]\n", s.query("SELECT free FROM mem").text())
	require.Contains(t, s.query("DESCRIBE cpu").text(), `["time","TIMESTAMPTZ",true,"event time"]`)
	s = s.restart()
	require.Equal(t, want, s.query("SELECT time, host, usage, n FROM cpu ORDER BY time").text(), "after a restart")

	answer := s.do("POST", "/write?precision=s",
		gzipped(t, "cpu usage=3 1772355602\ncpu usage=x\nnonsense\ncpu_rejected v=1\ncpu usage=4 1772355603"), "Content-Encoding", "gzip")
	require.Equal(t, http.StatusBadRequest, answer.status)
	var problem struct{ Code, Message, Error string }
	require.NoError(t, json.Unmarshal(answer.body, &problem))
	require.Equal(t, "invalid", problem.Code)
	require.Equal(t, problem.Message, problem.Error)
	require.Equal(t, `partial write: line 2: field "usage": "x" is not a number, a boolean or a string in quotes dropped=3 (2 lines are stored)`, problem.Error)
	require.Equal(t, "[6]\n", s.query("SELECT count(*) FROM cpu").text())
	require.Equal(t, "[1,\"Y3B1IHVzYWdlPXg=\"]\n", s.query("SELECT request_row, raw FROM cpu_rejected").text())

	for path, want := range map[string]int{"/write?precision=days": 400, "/write": 204} {
		require.Equal(t, want, s.do("POST", path, "").status, path)
	}
	answer = s.do("GET", "/ping", "")
	require.Equal(t, http.StatusNoContent, answer.status)
	require.NotEmpty(t, answer.header.Get("X-Influxdb-Version"))
}

// TestLineProtocolOfInflux3 sends as clients of InfluxDB 3 do.
func TestLineProtocolOfInflux3(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for precision, stamp := range map[string]string{
		"auto": "1772355600", "second": "1772355600", "millisecond": "1772355600000", "microsecond": "1772355600000000", "nanosecond": "1772355600000000000",
	} {
		for _, more := range []string{"", "&accept_partial=false", "&no_sync=true"} {
			answer := s.do("POST", "/api/v3/write_lp?db=d&precision="+precision+more, "cpu v=1 "+stamp+"\nmem v=2 "+stamp+"\n")
			require.Equal(t, http.StatusNoContent, answer.status, string(answer.body))
		}
	}
	const mixed = "auto v=1 1772355600\nauto v=2 1772355600123\nauto v=3 1772355600123456\nauto v=4 1772355600123456789\nauto v=5 -1\nauto v=6 0\n"
	require.Equal(t, http.StatusNoContent, s.do("POST", "/api/v3/write_lp?precision=auto", mixed).status)
	require.Equal(t, `["2026-03-01T09:00:00.000000Z"]`+"\n"+`["2026-03-01T09:00:00.123000Z"]`+"\n"+strings.Repeat(`["2026-03-01T09:00:00.123456Z"]`+"\n", 2)+
		`["1969-12-31T23:59:59.000000Z"]`+"\n"+`["1970-01-01T00:00:00.000000Z"]`+"\n", s.query("SELECT time FROM auto ORDER BY v").text())

	const bad = "cpu v=1 1\nmem v=high 1\nmem v=3 1\nnonsense\n"
	answer := s.do("POST", "/api/v3/write_lp?accept_partial=false", bad)
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Contains(t, string(answer.body), `"error":"nothing is stored: line 2: `)
	answer = s.do("POST", "/api/v3/write_lp", bad)
	require.Equal(t, http.StatusBadRequest, answer.status)
	require.Equal(t, `{"error":"partial write of line protocol occurred (2 lines are stored)","data":[{"line_number":2,"error_message":`+
		`"field \"v\": \"high\" is not a number, a boolean or a string in quotes"},{"line_number":4,"error_message":"a field must be a name, = and a value"}]}`+"\n", string(answer.body))
	require.Equal(t, http.StatusBadRequest, s.do("POST", "/api/v3/write_lp?precision=days", bad).status)
	require.Eventually(t, func() bool { return s.query("SELECT count(*) FROM cpu").text() == "[16]\n" }, time.Minute, 10*time.Millisecond, "also without a sync")
	require.Equal(t, "[16]\n", s.query("SELECT count(*) FROM mem").text())
}

// TestGreetingsOfInflux answers what clients of InfluxDB ask before they write, and tells them what is not there.
func TestGreetingsOfInflux(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for path, want := range map[string]string{
		"/health": `"status":"pass"`,
		"/query?q=CREATE+DATABASE+%22telegraf%22": `{"results":[{"statement_id":0}]}`,
		"/query?q=show%20databases":               `"values":[["tidemark"]]`,
	} {
		answer := s.do("GET", path, "")
		require.Equal(t, http.StatusOK, answer.status)
		require.Contains(t, string(answer.body), want)
		require.NotEmpty(t, answer.header.Get("X-Influxdb-Version"))
	}
	answer := s.do("POST", "/query", "q=CREATE+DATABASE+x", "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	for path, status := range map[string]int{"/query?q=SELECT+1": 400, "/api/v2/buckets": 404, "/api/v3/configure/database": 404} {
		answer := s.do("GET", path, "")
		require.Equal(t, status, answer.status)
		require.Contains(t, string(answer.body), "/v1/sql")
		require.Contains(t, string(answer.body), `"message":`)
	}
}

func TestLineProtocolForOneStream(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.query("CREATE STREAM cpu (at TIMESTAMPTZ, host TEXT, usage DOUBLE PRECISION, WATERMARK FOR at AS at) WITH (schema = 'evolve')")
	answer := s.do("POST", "/v1/streams/cpu/events?format=influx", points+"broken\n")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	var in ingested
	answer.decode(t, &in)
	require.EqualValues(t, 3, in.Accepted)
	require.EqualValues(t, 3, in.Errors[0].Row)
	require.Equal(t, `["a",1.5,3,null,null]`+"\n"+`["b",2,null,null,null]`+"\n"+`["a",null,null,"mem",10]`+"\n",
		s.query("SELECT host, usage, n, measurement, free FROM cpu ORDER BY at").text())
	require.Equal(t, http.StatusBadRequest, s.do("POST", "/v1/streams/../events?format=influx", points).status/100*100)
}

// TestLineProtocolIsStoredOnceUnderItsKey repeats requests with a key, whole ones and one that broke off: each point is stored once in each of
// the streams, also after a restart, and other points under the key are refused.
func TestLineProtocolIsStoredOnceUnderItsKey(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	key := []string{"Idempotency-Key", "batch-1"}
	var body strings.Builder
	for i := range 60_000 { // more than one part of the body
		fmt.Fprintf(&body, "%s,host=h%d value=%d %d\n", []string{"a", "b", "c"}[i%3], i%7, i, 1772355600000000000+i)
	}
	first := body.String()[:body.Len()/2+9]
	answer := s.do("POST", "/write", gzipped(t, first)[:len(gzipped(t, first))-9], append(key, "Content-Encoding", "gzip")...)
	require.Equal(t, http.StatusBadRequest, answer.status, string(answer.body))
	count := "SELECT count(*), count(DISTINCT value), min(value), max(value) FROM a"
	for range 3 {
		answer = s.do("POST", "/api/v2/write", body.String(), key...)
		require.Equal(t, http.StatusNoContent, answer.status, string(answer.body))
		require.Equal(t, "[20000,20000,0,59997]\n", s.query(count).text())
		s = s.restart()
	}
	require.Equal(t, "[20000]\n", s.query("SELECT count(*) FROM c").text())
	answer = s.do("POST", "/write", "a,host=other value=1 1\n", key...)
	require.Equal(t, http.StatusConflict, answer.status, string(answer.body))
	require.Contains(t, string(answer.body), "used for another body")
}

// TestKeyedLineProtocolInAnotherOrder sends under one key two bodies at a time that name their streams in opposite order, each of several parts:
// the one that comes later waits until the other ends, and is told then that it is not the same body.
func TestKeyedLineProtocolInAnotherOrder(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	points := func(stream string) string {
		var b strings.Builder
		for i := range 60_000 { // parts of a megabyte, of which the last is held back
			fmt.Fprintf(&b, "%s,host=h%d value=%d %d\n", stream, i%7, i, 1772355600000000000+i)
		}
		return b.String()
	}
	firsts := map[string]string{"a": points("a"), "b": points("b")}
	send := func() (chan int, *io.PipeWriter) {
		body, in := io.Pipe()
		status := make(chan int, 1)
		go func() {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/write", body)
			if err != nil {
				panic(err)
			}
			request.Header.Set("Idempotency-Key", "k")
			answer, err := http.DefaultClient.Do(request)
			if err != nil {
				status <- 0
				return
			}
			defer answer.Body.Close()
			status <- answer.StatusCode
		}()
		return status, in
	}
	one, toOne := send()
	_, err := io.WriteString(toOne, firsts["a"])
	require.NoError(t, err)
	other, toOther := send()
	fed := make(chan error, 1)
	go func() {
		_, err := io.WriteString(toOther, firsts["b"]+firsts["a"])
		fed <- errors.Join(err, toOther.Close())
	}()
	_, err = io.WriteString(toOne, firsts["b"])
	require.NoError(t, errors.Join(err, toOne.Close()))
	require.Equal(t, http.StatusNoContent, <-one)
	require.Equal(t, http.StatusConflict, <-other)
	if err := <-fed; err != nil {
		t.Log(err) // the end of the request may break its body off
	}
	require.Equal(t, "[60000,60000]\n", s.query("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").text())
}

// TestAllOfDevopsLands sends the DevOps data of the Time Series Benchmark Suite, and compares sums over all of its values with those of a
// reader of its own, which knows no more of line protocol than that data needs. Under the race detector it sends the beginning.
func TestAllOfDevopsLands(t *testing.T) {
	t.Parallel()
	packed, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "tsbs", "devops.influx.gz"))
	if err != nil {
		t.Skipf("the shared data is not here: %v", err)
	}
	plain, err := gzip.NewReader(bytes.NewReader(packed))
	require.NoError(t, err)
	text, err := io.ReadAll(plain)
	require.NoError(t, err)
	minutes := raced(20, 360)
	if minutes < 360 {
		const aMinute = 100 * 9 // lines
		text = bytes.Join(bytes.SplitAfterN(text, []byte("\n"), minutes*aMinute+1)[:minutes*aMinute], nil)
		packed = []byte(gzipped(t, string(text)))
	}
	s := start(t, t.TempDir())
	answer := s.do("POST", "/write?db=devops", string(packed), "Content-Encoding", "gzip")
	require.Equal(t, http.StatusNoContent, answer.status, string(answer.body))
	sums, rows := sumOfDevops(t, string(text))
	require.Len(t, rows, 9)
	for stream, want := range rows {
		span := s.query("SELECT count(*), count(DISTINCT hostname), min(time), max(time) FROM " + stream).text()
		require.Equal(t, fmt.Sprintf(`[%d,100,"2024-01-01T00:00:00.000000Z","2024-01-01T%02d:%02d:00.000000Z"]`+"\n", want, (minutes-1)/60, (minutes-1)%60), span)
		for column, sum := range sums[stream] {
			got := s.query("SELECT sum(" + column + ") FROM " + stream).text()
			if sum.fractions {
				require.InEpsilon(t, sum.float, parseFloat(t, got), 1e-9, "%s.%s", stream, column)
			} else {
				require.Equal(t, fmt.Sprintf("[%d]\n", sum.whole), got, "%s.%s", stream, column)
			}
		}
	}
}

func parseFloat(t *testing.T, row string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(strings.Trim(row, "[]\n"), 64)
	require.NoError(t, err)
	return v
}

// total adds up a field, exactly where its values are integers.
type total struct {
	whole     int64
	float     float64
	fractions bool
}

// sumOfDevops adds up the fields by measurement and name, and counts lines.
func sumOfDevops(t *testing.T, text string) (sums map[string]map[string]*total, rows map[string]int) {
	t.Helper()
	sums, rows = map[string]map[string]*total{}, map[string]int{}
	for line := range strings.Lines(text) {
		parts := strings.Split(strings.TrimSpace(line), " ")
		require.Len(t, parts, 3)
		name, _, _ := strings.Cut(parts[0], ",")
		rows[name]++
		if sums[name] == nil {
			sums[name] = map[string]*total{}
		}
		for pair := range strings.SplitSeq(parts[1], ",") {
			key, value, _ := strings.Cut(pair, "=")
			if sums[name][key] == nil {
				sums[name][key] = &total{}
			}
			require.NoError(t, sums[name][key].add(value), line)
		}
	}
	return sums, rows
}

func (s *total) add(value string) error {
	digits, whole := strings.CutSuffix(value, "i")
	if whole {
		v, err := strconv.ParseInt(digits, 10, 64)
		s.whole += v
		return err
	}
	v, err := strconv.ParseFloat(value, 64)
	s.float, s.fractions = s.float+v, true
	return err
}
