package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"
)

// unwritable stands for what a file of tests cannot hold.
var unwritable = strings.NewReplacer("<BOM>", "\ufeff", "<CR>", "\r", "<NUL>", "\x00", "<TAB>", "\t", "<E9>", "\xe9", "<FF>", "\xff",
	"<FE>", "\xfe", "<03>", "\x03", "<04>", "\x04",
	"<DEEP>", strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000), "<LONG NAME>", strings.Repeat("n", 300))

// TestDirtyBodies sends what is wrong, odd or merely unusual in every format that is text, and shows what becomes of it: the answer, and
// the types and rows of the stream.
func TestDirtyBodies(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/dirty", func(t *testing.T, path string) {
		s := start(t, t.TempDir())
		number := 0
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			number++
			query := ""
			d.MaybeScanArgs(t, "query", &query)
			stream := fmt.Sprintf("s%d", number)
			answer := s.do("POST", "/v1/streams/"+stream+"/events?format="+d.Cmd+"&"+query, unwritable.Replace(d.Input))
			return s.outcomeOf(stream, answer.status, answer.body)
		})
	})
}

// outcomeOf describes what a request to a new stream has done.
func (i *instance) outcomeOf(stream string, status int, body []byte) string {
	var answer struct {
		Accepted     int64
		Detail, Hint string
		Code         string
		Errors       []struct {
			Row    int64
			Reason string
		}
	}
	require.NoError(i.t, json.Unmarshal(body, &answer))
	var out strings.Builder
	if status != http.StatusOK {
		fmt.Fprintf(&out, "%d %s: %s", status, answer.Code, answer.Detail)
		if answer.Hint != "" {
			fmt.Fprintf(&out, " (%s)", answer.Hint)
		}
		out.WriteByte('\n')
	}
	for _, e := range answer.Errors {
		fmt.Fprintf(&out, "row %d: %s\n", e.Row, e.Reason)
	}
	if answer.Accepted == 0 {
		return out.String() + "no rows\n"
	}
	if status == http.StatusOK && answer.Hint != "" {
		fmt.Fprintf(&out, "hint: %s\n", answer.Hint)
	}
	for _, row := range i.query("DESCRIBE " + stream).Rows {
		if row[3] != "hidden" {
			fmt.Fprintf(&out, "%s %s, ", row[0], row[1])
		}
	}
	return strings.TrimSuffix(out.String(), ", ") + "\n" + i.query("SELECT * FROM "+stream+" ORDER BY _offset").text()
}

// TestAnEnormousRowIsTurnedAway sends rows of 100 MB, which no one holds as a whole, while other clients go on; under the race detector the rows
// have 8 MB, which is more than a row may have, and than anything holds of one, as well.
func TestAnEnormousRowIsTurnedAway(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	var others sync.WaitGroup
	stop := make(chan struct{})
	others.Go(func() {
		for n := int64(0); ; n++ {
			select {
			case <-stop:
				return
			default:
				s.ingest("others", fmt.Sprintf(`{"n":%d}`, n))
			}
		}
	})
	for format, parts := range map[string][2]string{
		"ndjson": {`{"a":"`, "\"}\n{\"a\":\"x\"}\n"}, "json": {`[{"a":"`, `"},{"a":"x"}]`},
		"csv": {"a\n", "\nx\n"}, "tsv": {"a\n\"", "\"\nx\n"}, "influx": {`m a="`, "\"\nm a=\"x\"\n"},
	} {
		body := io.MultiReader(strings.NewReader(parts[0]), io.LimitReader(letters{}, int64(raced(8, 100))<<20), strings.NewReader(parts[1]))
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/v1/streams/long_"+format+"/events?format="+format, body)
		require.NoError(t, err)
		answer, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		var in ingested
		require.NoError(t, json.NewDecoder(answer.Body).Decode(&in))
		require.NoError(t, answer.Body.Close())
		require.EqualValues(t, 1, in.Accepted, format)
		require.EqualValues(t, 1, in.Rejected, format)
		require.Contains(t, in.Errors[0].Reason, "1048576", format)
		require.Equal(t, "[1]\n", s.query("SELECT count(*) FROM long_"+format+"_rejected WHERE octet_length(raw) > 700000").text(), "the beginning is kept")
	}
	close(stop)
	others.Wait()
}

// letters reads as the letter x without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
