package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestANamedEventTimeThatIsNotThere names event times that no row has, that none can be read as, and that a stream does not go by: rows are stored
// by their arrival and the answer says so, or nothing is stored and no stream is left behind.
func TestANamedEventTimeThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for _, c := range []struct{ stream, query, body, hint string }{
		{"paid", "time=paid", `{"order":1,"paid_on":"2026-03-01T09:00:00Z"}`, `have no field "paid" to take for the event time`},
		{"plain", "time=paid", `{"order":1}`, `have no field "paid" to take for the event time`},
		{"cells", "format=csv&time=paid", "order,paid_on\n1,2026-03-01T09:00:00Z\n", "readable as times: paid_on"},
		{"empty", "time=paid", `{"order":1,"paid":null}`, ""},
		{"lines", "format=lines&time=paid", "no time in this line", ""},
		{"paid", "time=paid", `{"order":2}`, ""},
		{"paid", "time=paid_on", `{"order":3}`, `time=paid_on has no effect: the stream goes by "paid"`},
	} {
		answer := s.do("POST", "/v1/streams/"+c.stream+"/events?"+c.query, c.body)
		require.Equal(t, http.StatusOK, answer.status, "%s: %s", c.query, answer.body)
		var got struct{ Hint string }
		answer.decode(t, &got)
		if c.hint == "" {
			require.Empty(t, got.Hint, c.query)
		}
		require.Contains(t, got.Hint, c.hint, c.query)
	}
	for query, body := range map[string]string{"time=at": `{"n":1,"at":"soon"}`, "format=csv&time=at": "n,at\n1,soon\n"} {
		answer := s.do("POST", "/v1/streams/soon/events?"+query, body)
		require.Equal(t, http.StatusBadRequest, answer.status, "%s: %s", query, answer.body)
		require.Contains(t, string(answer.body), "name a field in time=")
		require.Equal(t, http.StatusNotFound, s.do("GET", "/v1/streams/soon", "").status, query)
	}
}
