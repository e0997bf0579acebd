package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetentionOverHTTP(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.query("CREATE STREAM beats (ts TIMESTAMPTZ NOT NULL, n BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') WITH (retention = '2 days')")
	now := time.Now().UTC()
	post := func(at time.Time, n int) {
		line := fmt.Sprintf(`{"ts":%q,"n":%d}`, at.Format(time.RFC3339), n)
		answer := i.do("POST", "/v1/streams/beats/events", line)
		require.Equal(t, http.StatusOK, answer.status, string(answer.body))
		i.seal("beats")
	}
	post(now.Add(-72*time.Hour), 1)
	post(now, 2)
	i.compact.Look(context.Background())
	require.Equal(t, "[2]\n", i.query("SELECT n FROM beats").text())
	i = i.restart()
	require.Equal(t, "[2]\n", i.query("SELECT n FROM beats").text())
}

// TestCompactionDoesNotChangeAnswers asks the same before and after segments of many seals are merged.
func TestCompactionDoesNotChangeAnswers(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	for part := range 9 {
		var body strings.Builder
		for n := range 200 {
			id := part*200 + n
			value := fmt.Sprint(id * 7 % 90)
			if id%5 == 4 && part > 4 {
				value = fmt.Sprintf("%q", "n"+value) // the column widens on the way
			}
			fmt.Fprintf(&body, `{"ts":"2026-03-0%dT%02d:%02d:00Z","id":%d,"v":%s,"host":"h%d"}`+"\n", 1+id%9, id%24, id%60, id, value, id%13)
		}
		require.Equal(t, http.StatusOK, i.do("POST", "/v1/streams/mixed/events", body.String()).status)
		i.seal("mixed")
	}
	queries := []string{
		"SELECT count(*), count(DISTINCT id), min(ts), max(ts) FROM mixed",
		"SELECT host, count(*), min(id), max(id) FROM mixed GROUP BY host ORDER BY host",
		"SELECT id, v, _offset FROM mixed WHERE ts BETWEEN '2026-03-03' AND '2026-03-04' ORDER BY ts, _offset",
		"SELECT DISTINCT ON (host) host, id FROM mixed ORDER BY host, ts DESC, _offset DESC",
		"SELECT host, id FROM mixed LATEST ON ts PARTITION BY host ORDER BY host",
	}
	before := make([]string, len(queries))
	for q, sql := range queries {
		before[q] = i.query(sql).text()
	}
	i.compact.Look(context.Background())
	require.Less(t, len(i.manifest.View("mixed").Segments), 9)
	for q, sql := range queries {
		require.Equal(t, before[q], i.query(sql).text(), sql)
	}
}
