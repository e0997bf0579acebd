package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryFormatReadsTheSameAfterARestart stores the same rows in every format, twice, so that formats which need the stream's types have them the
// second time. Queries and records are the same before and after starts that read the log.
func TestEveryFormatReadsTheSameAfterARestart(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("lines", `{"ts":"2026-03-01T09:00:00.000001Z","n":9007199254740993,"d":1.5,"b":true,"s":"a \"b\" ü","id":"00112233-4455-6677-8899-aabbccddeeff"}
{"ts":"2026-03-01T09:00:01Z","n":-1,"d":-0,"s":""}
{"ts":"1969-12-31T23:59:59.999999Z","d":1e300,"b":false,"id":"ffffffff-4455-6677-8899-aabbccddeeff"}
`)
	const all = "SELECT ts, n, d, b, s, id::TEXT FROM "
	bodies := map[string]string{"points": `m,s=a\ "b"\ ü n=9007199254740993i,d=1.50,b=t,id="00112233-4455-6677-8899-aabbccddeeff" 1772355600000001000
m n=-1i,d=-0 1772355601000000000
m d=1e300,b=f,id="ffffffff-4455-6677-8899-aabbccddeeff" -1000
`}
	for _, format := range []string{"csv", "arrow", "parquet"} {
		exported := s.do("POST", "/v1/sql?format="+format, "SELECT ts, n, d, b, s, id FROM lines ORDER BY _offset")
		require.Equal(t, http.StatusOK, exported.status)
		bodies[format] = string(exported.body)
	}
	before := map[string][]string{}
	look := func(stream string) []string {
		from := all + stream
		if stream == "points" {
			from = "SELECT time, n, d, b, s, id::TEXT FROM points"
		}
		return []string{s.query(from + " ORDER BY _offset").text(), string(s.do("GET", "/v1/streams/"+stream+"/events", "").body)}
	}
	for stream, body := range bodies {
		format := stream
		if stream == "points" {
			format = "influx&precision=ns"
		}
		for range 2 {
			answer := s.do("POST", "/v1/streams/"+stream+"/events?format="+format, body)
			require.Equal(t, http.StatusOK, answer.status, string(answer.body))
			require.Contains(t, string(answer.body), `"accepted":3,"rejected":0`, stream)
		}
		before[stream] = look(stream)
		require.Contains(t, before[stream][1], `"n":9007199254740993`)
	}
	want := s.query(all + "lines ORDER BY _offset").text()
	for _, stream := range []string{"csv", "arrow", "parquet"} {
		require.Equal(t, want+want, before[stream][0], stream)
	}
	for range 2 {
		s = s.restart()
		for stream := range bodies {
			require.Equal(t, before[stream], look(stream), stream)
		}
	}
}
