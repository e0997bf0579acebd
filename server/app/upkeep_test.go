package app

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// TestQueriesWhileSegmentsComeAndGo asks for all rows while they are stored, sealed, merged, and dropped from the old end as the retention
// gets shorter. Every answer is one run of numbers without a hole: it begins where an earlier one did or behind that, and ends with what was
// acknowledged before it was asked or behind that.
func TestQueriesWhileSegmentsComeAndGo(t *testing.T) {
	t.Parallel()
	const parts, rows = 40, 50
	i := start(t, t.TempDir())
	i.query("CREATE STREAM beats (ts TIMESTAMPTZ NOT NULL, n BIGINT, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') WITH (retention = '1 day')")
	oldest := time.Now().UTC().Add(-10 * time.Hour)
	retention := map[int]string{parts / 2: "5 hours", parts * 3 / 4: "3 hours"}

	var stored atomic.Int64
	var done atomic.Bool
	var work errgroup.Group
	work.Go(func() error {
		defer done.Store(true)
		for part := range parts {
			var body strings.Builder
			for n := part * rows; n < (part+1)*rows; n++ {
				fmt.Fprintf(&body, `{"ts":%q,"n":%d}`+"\n", oldest.Add(time.Duration(n)*18*time.Second).Format(time.RFC3339), n)
			}
			if answer := i.do("POST", "/v1/streams/beats/events", body.String()); answer.status != 200 {
				return fmt.Errorf("events: %s", answer.body)
			}
			stored.Add(rows)
			i.seal("beats")
			if to, ok := retention[part]; ok {
				i.query("ALTER STREAM beats SET (retention = '" + to + "')")
			}
		}
		return nil
	})
	work.Go(func() error {
		for !done.Load() {
			i.compact.Look(t.Context())
		}
		return nil
	})

	begun, asked := int64(0), 0
	for !done.Load() {
		least := stored.Load() - 1
		var count, first, last, sum int64
		answer := i.query("SELECT count(*), min(n), max(n), sum(n)::BIGINT FROM beats WHERE n >= 0").text()
		_, err := fmt.Sscanf(answer, "[%d,%d,%d,%d]", &count, &first, &last, &sum)
		if least < 0 && err != nil {
			continue // nothing is there yet
		}
		require.NoError(t, err)
		require.GreaterOrEqual(t, first, begun, "what has gone comes back")
		require.GreaterOrEqual(t, last, least)
		require.Equal(t, last-first+1, count)
		require.Equal(t, (first+last)*count/2, sum)
		begun, asked = first, asked+1
	}
	require.NoError(t, work.Wait())
	i.compact.Look(t.Context())
	require.Equal(t, fmt.Sprintf("[%d]\n", parts*rows-1), i.query("SELECT max(n) FROM beats").text())
	require.NotEqual(t, "[0]\n", i.query("SELECT min(n) FROM beats").text(), "retention has dropped something")
	merged := slices.ContainsFunc(i.manifest.View("beats").Segments, func(s *manifest.Segment) bool { return s.ID > parts })
	require.True(t, merged, "segments are merged")
	require.Positive(t, asked)
}
