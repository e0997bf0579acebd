package app

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAKeyedBodyOfAnyFormatIsStoredOnce sends bodies again after the stream has changed so that their cells would become other JSON.
func TestAKeyedBodyOfAnyFormatIsStoredOnce(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	for format, c := range map[string]struct{ body, other, widen string }{
		"ndjson": {"{\"n\":1}\n{\"n\":2}\nnot json\n", "{\"n\":1}\n", `{"n":"x"}`},
		"json":   {`[{"n":1},{"n":2},7]`, `[{"n":1},{"n":2}]`, `{"n":"x"}`},
		"csv":    {"n\n1\n2\n3,4\n", "m\n1\n2\n3,4\n", `{"n":"x"}`},
	} {
		send := func(body string) (answer struct {
			Accepted, Rejected, Duplicates int64
			Duplicate                      bool
			Offsets                        []struct{ Partition, First, Last int64 }
		}, status int) {
			got := s.do("POST", "/v1/streams/keyed_"+format+"/events?format="+format, body, "Idempotency-Key", "k")
			got.decode(t, &answer)
			return answer, got.status
		}
		first, status := send(c.body)
		require.Equal(t, http.StatusOK, status, format)
		require.EqualValues(t, 2, first.Accepted, format)
		require.EqualValues(t, 1, first.Rejected, format)
		s.ingest("keyed_"+format, c.widen)
		again, status := send(c.body)
		require.Equal(t, http.StatusOK, status, format)
		require.True(t, again.Duplicate, format)
		require.EqualValues(t, 2, again.Duplicates, format)
		require.Equal(t, first.Rejected, again.Rejected, format)
		require.Equal(t, first.Offsets, again.Offsets, format)
		_, status = send(c.other)
		require.Equal(t, http.StatusConflict, status, format)
		require.Equal(t, "[3]\n", s.query("SELECT count(*) FROM keyed_"+format).text(), format)
		require.Equal(t, "[1]\n", s.query("SELECT count(*) FROM keyed_"+format+"_rejected").text(), format)
	}
}
