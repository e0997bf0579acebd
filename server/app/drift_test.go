package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// driftValues are what clients send in the column that all of them share, one after the other: each takes a wider type than those before.
var driftValues = []string{`1`, `9007199254740993`, `2.5`, `true`, `"2026-01-01T00:00:00.000000Z"`, `"text"`, `{"a":[1,null]}`, `12345678901234567890`}

// TestClientsWithChangingSchemas lets twelve clients send to one stream, each with columns of its own that come and change their types, while
// columns are added by hand, rows are sealed and queries run. Every acknowledged row is there with the values it was sent with, at every
// moment, and after a restart. TIDEMARK_STRESS makes it run for a minute.
func TestClientsWithChangingSchemas(t *testing.T) {
	t.Parallel()
	const clients, rows = 12, 5
	requests := 12
	var until time.Time
	if os.Getenv("TIDEMARK_STRESS") != "" {
		requests, until = 1<<30, time.Now().Add(time.Minute)
	}
	s := start(t, t.TempDir())
	var acknowledged atomic.Int64
	var sent [clients]int
	var sending, watching sync.WaitGroup
	for c := range clients {
		sending.Go(func() {
			for r := 0; r < requests && (until.IsZero() || time.Now().Before(until)); r++ {
				got := s.do("POST", "/v1/streams/s/events", driftBody(c, r, rows))
				if got.status != http.StatusOK {
					t.Errorf("client %d, request %d: %d %s", c, r, got.status, got.body)
					return
				}
				acknowledged.Add(rows)
				sent[c]++
			}
		})
	}
	done := make(chan struct{})
	watching.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			default:
			}
			least := acknowledged.Load()
			if least == 0 {
				continue
			}
			s.query(fmt.Sprintf("ALTER STREAM s ADD COLUMN IF NOT EXISTS by_hand_%d DATE", n%50))
			if got := s.query("SELECT count(*), count(DISTINCT (client, seq)) FROM s").text(); !atLeast(got, least) {
				t.Errorf("%d rows were acknowledged, and a query says %s", least, got)
				return
			}
			if n%5 == 4 {
				s.seal("s")
			}
		}
	})
	sending.Wait()
	close(done)
	watching.Wait()
	checkDrift(t, s, sent[:], rows)
	checkDrift(t, s.restart(), sent[:], rows)
}

// driftBody is what a client sends in one request. Each second of its requests has a column that no other has.
func driftBody(client, request, rows int) string {
	var out strings.Builder
	for i := range rows {
		seq := request*rows + i
		fmt.Fprintf(&out, `{"client":%d,"seq":%d,"shared":%s,"group%d":%s`, client, seq, driftValue(client, seq), client%3, driftValue(0, seq))
		if request%2 == 1 {
			fmt.Fprintf(&out, `,"own_%d_%d":%d`, client, request%20, seq)
		}
		out.WriteString("}\n")
	}
	return out.String()
}

func driftValue(client, seq int) string { return driftValues[min((seq+client)/7, len(driftValues)-1)] }

// atLeast reads the answer to a query for two counts, which must be the same.
func atLeast(answer string, least int64) bool {
	var counts [2]int64
	return json.Unmarshal([]byte(answer), &counts) == nil && counts[0] == counts[1] && counts[0] >= least
}

// checkDrift holds every row against what was sent.
func checkDrift(t *testing.T, s *instance, sent []int, rows int) {
	t.Helper()
	seen := map[[2]int]bool{}
	for c := range sent {
		answer := s.query(fmt.Sprintf("SELECT client, seq, shared, group%d FROM s WHERE client = %d", c%3, c))
		require.False(t, answer.Stats.Cut)
		for _, row := range answer.Rows {
			var client, seq int
			text, err := json.Marshal(row)
			require.NoError(t, err)
			var values []json.RawMessage
			require.NoError(t, json.Unmarshal(text, &values))
			require.NoError(t, json.Unmarshal(values[0], &client))
			require.NoError(t, json.Unmarshal(values[1], &seq))
			require.Equal(t, driftValue(client, seq), string(values[2]), "client %d, row %d", client, seq)
			require.Equal(t, driftValue(0, seq), string(values[3]), "client %d, row %d", client, seq)
			require.False(t, seen[[2]int{client, seq}], "row %d of client %d came twice", seq, client)
			seen[[2]int{client, seq}] = true
		}
	}
	total := 0
	for _, n := range sent {
		total += n * rows
	}
	require.Len(t, seen, total)
}
