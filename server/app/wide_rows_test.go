package app

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestShortRowsBesideAWideOne sends rows of next to nothing, and among them one with most of the columns that a stream may have: as columns with a place for
// each row they would take thousands of times their text. It looks at the memory of the process.
func TestShortRowsBesideAWideOne(t *testing.T) { //nolint:paralleltest // see above
	const columns = 1500
	rows := raced(20_000, 100_000)
	wide := func(before, between string) string {
		var b strings.Builder
		for c := range columns {
			b.WriteString(strings.Repeat(",", min(c, 1)) + before + fmt.Sprint("c", c) + between + "1")
		}
		return b.String()
	}
	object := "{" + wide(`"`, `":`) + "}"
	objects := func(row, end string) string {
		return strings.Repeat(row+end, rows/2) + object + end + strings.Repeat(row+end, rows/2-2) + row
	}
	bodies := map[string]string{
		"ndjson": objects("{}", "\n"),
		"json":   "[" + objects("{}", ",") + "]",
		"influx": strings.Repeat("m a=1\n", rows/2) + "m " + wide("", "=") + "\n" + strings.Repeat("m a=1\n", rows/2-1),
		"bulk":   objects(`{"index":{}}`+"\n{}", "\n") + "\n",
	}
	bodies["bulk"] = strings.Replace(bodies["bulk"], object, `{"index":{}}`+"\n"+object, 1)
	for format, body := range bodies {
		s := start(t, t.TempDir())
		before := heap()
		path := "/v1/streams/wide/events?format=" + format
		for range 2 { // the second time the columns are there from the beginning
			got := s.do(http.MethodPost, path, body)
			require.Equal(t, http.StatusOK, got.status, "%s: %s", format, got.body)
		}
		took := heap() - before
		t.Logf("%s: %d bytes of %d", format, took, len(body))
		require.Less(t, took, int64(160<<20), "%s: %d rows in %d columns would take %d as columns", format, 2*rows, columns, 2*rows*columns*8)
		answer := s.query("SELECT count(*), count(c7), sum(c1499) FROM wide").Rows[0]
		require.Equal(t, fmt.Sprintf("[%d 2 2]", 2*rows), fmt.Sprint(answer), format)
		runtime.KeepAlive(body)
	}
	s := start(t, t.TempDir())
	got := s.do(http.MethodPost, "/v1/streams/wide/events?on_error=batch", bodies["ndjson"])
	require.Equal(t, http.StatusRequestEntityTooLarge, got.status, "%s", got.body)
	require.Contains(t, string(got.body), "values, those they lack included")
}
