package client

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// flaky replies the requests for a stream's records one after the other, and keeps what was asked for.
type flaky struct {
	replies []reply
	asked   []string
}

// reply is an answer from a place on, or with the status of a refusal. A torn one breaks behind its body; with no status nothing is reached.
type reply struct {
	status      int
	place, body string
	torn        bool
}

// RoundTrip implements http.RoundTripper.
func (f *flaky) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/events") {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(`{"partitions":1}`))}, nil
	}
	query := r.URL.Query()
	f.asked = append(f.asked, query.Get("from")+query.Get("offset")+" "+query.Get("wait"))
	next := f.replies[0]
	f.replies = f.replies[1:]
	if next.status == 0 {
		return nil, &net.OpError{Op: "dial", Err: errors.New("connection refused")}
	}
	body := io.Reader(strings.NewReader(next.body))
	if next.torn {
		body = io.MultiReader(body, failing{})
	}
	header := http.Header{"X-Start-Offset": {next.place}, "Content-Type": {"application/problem+json"}}
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(body)}, nil
}

func recordAt(offset int) string {
	return fmt.Sprintf("{\"offset\":%d,\"value\":%d}\n", offset, offset)
}

// TestFollowGoesOnWhereItWas loses the server at every place of an answer and between replies.
func TestFollowGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	gone := reply{status: http.StatusNotFound, body: `{"code":"not_found","detail":"there is no stream"}`}
	busy := reply{status: http.StatusServiceUnavailable, body: `{"code":"closed"}`}
	from := func(place, body string) reply { return reply{status: http.StatusOK, place: place, body: body} }
	torn := func(place, body string) reply {
		return reply{status: http.StatusOK, place: place, body: body, torn: true}
	}
	tests := map[string]struct {
		earliest     bool
		replies      []reply
		asked, given []string
		took         time.Duration
	}{
		"from its end, before the first record": {
			replies: []reply{from("7", ""), {}, {}, from("7", recordAt(7)), gone},
			asked:   []string{"latest 0s", "7 20s", "7 0s", "7 0s", "8 20s"},
			given:   []string{"lost", "7", "back"}, took: 1500 * time.Millisecond,
		},
		"inside an answer": {
			earliest: true,
			replies: []reply{
				torn("0", recordAt(0)+recordAt(1)+`{"offset":2,"va`), torn("2", `{"off`), from("2", recordAt(2)), gone,
			},
			asked: []string{"0 20s", "2 0s", "2 0s", "3 20s"}, given: []string{"0", "1", "lost", "2", "back"}, took: 1500 * time.Millisecond,
		},
		"twice, behind offsets without a record": {
			earliest: true,
			replies:  []reply{from("5", ""), busy, from("5", recordAt(6)), busy, from("9", ""), gone},
			asked:    []string{"0 20s", "5 20s", "5 0s", "7 20s", "7 0s", "9 20s"},
			given:    []string{"lost", "6", "back", "lost", "back"}, took: time.Second,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := &flaky{replies: test.replies}
				c := &Client{base: "http://server", http: &http.Client{Transport: transport}}
				var given []string
				outage := func(cause error) {
					given = append(given, map[bool]string{true: "back", false: "lost"}[cause == nil])
				}
				began := time.Now()
				err := c.Follow(t.Context(), "s", FollowOptions{Earliest: test.earliest, Outage: outage}, func(r Record) error {
					given = append(given, string(r.Value))
					return nil
				})
				require.ErrorContains(t, err, "there is no stream")
				require.Equal(t, test.asked, transport.asked)
				require.Equal(t, test.given, given)
				require.Equal(t, test.took, time.Since(began))
			})
		})
	}
}

// TestFollowEnds where going on would be wrong: the stream is another one, its reader has failed, or what replies is no server of this kind.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	failed := errors.New("the pipe is closed")
	for want, second := range map[string]reply{
		"stream s ends before offset 1, up to which it had been read: it was made anew": {status: 400, body: `{"code":"bad_request","detail":"offset is 1"}`},
		"the pipe is closed": {status: 200, place: "1", body: recordAt(1)},
		"read the answer of": {status: 200, place: "1", body: "<html>\n"},
		"log is damaged":     {status: 500, body: `{"code":"corrupt","detail":"log is damaged"}`},
	} {
		transport := &flaky{replies: []reply{{status: 200, place: "0", body: recordAt(0)}, second}}
		c := &Client{base: "http://server", http: &http.Client{Transport: transport}}
		err := c.Follow(t.Context(), "s", FollowOptions{Earliest: true}, func(r Record) error {
			if r.Offset == 1 {
				return failed
			}
			return nil
		})
		require.ErrorContains(t, err, want)
	}
}
