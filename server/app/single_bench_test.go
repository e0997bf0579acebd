package app

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// singleRow is an event of an access log in JSON and in line protocol.
var singleRow = map[string]string{
	"ndjson": `{"ts":"2026-03-01T12:00:00.123456Z","event_id":"01HQ3C9Z7M4Y","session":"s-81723","user_id":91827,"region":"eu-west","service":"checkout",` +
		`"method":"GET","path":"/v1/carts/18273/items","status":200,"bytes":5123,"latency_ms":12.75,"cached":false,"agent":"Mozilla/5.0 (X11; Linux x86_64)"}` + "\n",
	"influx": `access,region=eu-west,service=checkout,method=GET event_id="01HQ3C9Z7M4Y",session="s-81723",user_id=91827i,` +
		`path="/v1/carts/18273/items",status=200i,bytes=5123i,latency_ms=12.75,cached=f,agent="Mozilla/5.0 (X11; Linux x86_64)" 1772366400123456000` + "\n",
}

// BenchmarkSingleRows is what a request of one row costs a server and a client that does next to nothing, over a connection of its own.
func BenchmarkSingleRows(b *testing.B) {
	for _, format := range []string{"ndjson", "influx", "csv", "arrow", "parquet"} {
		b.Run(format, func(b *testing.B) {
			server := start(b, b.TempDir())
			body := singleBody(b, server, format)
			client, err := net.Dial("tcp", strings.TrimPrefix(server.URL(), "http://"))
			require.NoError(b, err)
			defer client.Close()
			var request bytes.Buffer
			fmt.Fprintf(&request, "POST /v1/streams/events/events?format=%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", format, len(body), body)
			answers := bufio.NewReader(client)
			b.ReportAllocs()
			for b.Loop() {
				_, err := client.Write(request.Bytes())
				require.NoError(b, err)
				readAnswer(b, answers)
			}
		})
	}
}

// singleBody is the row in a format, for which the server writes it where it is not made by hand.
func singleBody(b *testing.B, server *instance, format string) []byte {
	b.Helper()
	if body, ok := singleRow[format]; ok {
		return []byte(body)
	}
	server.ingest("source", singleRow["ndjson"])
	answer := server.do("POST", "/v1/sql?format="+format, "SELECT * FROM source")
	require.Equal(b, http.StatusOK, answer.status)
	return answer.body
}

// readAnswer reads an answer that must be a success, without making anything.
func readAnswer(b *testing.B, answers *bufio.Reader) {
	b.Helper()
	length := 0
	for first := true; ; first = false {
		line, err := answers.ReadSlice('\n')
		require.NoError(b, err)
		if first && !bytes.HasPrefix(line, []byte("HTTP/1.1 200")) {
			b.Fatalf("%s", line)
		}
		if bytes.HasPrefix(line, []byte("Content-Length: ")) {
			for _, digit := range bytes.TrimSpace(line[len("Content-Length: "):]) {
				length = 10*length + int(digit-'0')
			}
		}
		if len(line) == len("\r\n") {
			break
		}
	}
	_, err := io.CopyN(io.Discard, answers, int64(length))
	require.NoError(b, err)
}
