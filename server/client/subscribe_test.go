package client

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// broken answers each request with the next text, and breaks off behind it.
type broken struct {
	answers  []string
	requests []string
}

// RoundTrip implements http.RoundTripper.
func (b *broken) RoundTrip(r *http.Request) (*http.Response, error) {
	b.requests = append(b.requests, r.URL.Query().Get("after"))
	text := b.answers[0]
	b.answers = b.answers[1:]
	if text == stopping {
		header := http.Header{"Content-Type": {"application/problem+json"}}
		return &http.Response{StatusCode: http.StatusServiceUnavailable, Header: header, Body: io.NopCloser(strings.NewReader(`{"code":"closed"}`))}, nil
	}
	body := io.MultiReader(strings.NewReader(text), failing{})
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}, nil
}

// stopping stands for the answer of a server that stops.
const stopping = "503"

type failing struct{}

// Read implements io.Reader.
func (failing) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// batch is an event of one row; no id makes it part of a change that goes on.
func batch(n, id string) string {
	out := "event: batch\ndata: {\"rows\":[[\"insert\"," + n + "]]}\n"
	if id != "" {
		out += "id: " + id + "\n"
	}
	return out + "\n"
}

const (
	resetEvent = "event: reset\ndata: {\"reason\":\"it was replaced\"}\n\n"
	startEvent = "event: start\nid: s\ndata: {\"vector\":{\"v\":[3]}}\n\n"
	errorEvent = "event: error\ndata: {\"code\":\"closed\",\"detail\":\"that is all\"}\n\n"
)

// TestSubscribeGivesNothingTwice breaks connections at every place of a change.
func TestSubscribeGivesNothingTwice(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ answers, requests, given []string }{
		"inside a change": {
			[]string{batch("1", "a") + batch("2", ""), batch("2", "") + batch("3", ""), batch("2", "") + batch("3", "b"), errorEvent},
			[]string{"", "a", "a", "b"}, []string{"1", "2", "3"},
		},
		"before the first change": {[]string{startEvent, batch("1", "a"), errorEvent}, []string{"", "s", "a"}, []string{"1"}},
		"inside the first change": {
			[]string{startEvent + batch("1", ""), batch("1", "") + batch("2", "a"), errorEvent}, []string{"", "s", "a"}, []string{"1", "2"},
		},
		"behind a change": {
			[]string{batch("1", "") + batch("2", "a"), batch("3", "b"), errorEvent}, []string{"", "a", "b"}, []string{"1", "2", "3"},
		},
		"inside the first answer": {
			[]string{batch("1", ""), batch("1", "") + batch("2", "a"), errorEvent}, []string{"", "", "a"}, []string{"1", "reset", "1", "2"},
		},
		"inside the answer behind a reset": {
			[]string{batch("1", "a") + batch("2", "") + resetEvent + batch("4", ""), resetEvent + batch("4", "") + batch("5", "c"), errorEvent},
			[]string{"", "a", "c"}, []string{"1", "reset", "4", "reset", "4", "5"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				transport := &broken{answers: test.answers}
				c := &Client{base: "http://server", http: &http.Client{Transport: transport}}
				var given []string
				err := c.Subscribe(t.Context(), "SELECT 1", SubscribeOptions{}, func(e Event) error {
					if e.Kind == "reset" {
						given = append(given, "reset")
					}
					for _, row := range e.Rows {
						given = append(given, string(row[1]))
					}
					return nil
				})
				var fault *Error
				require.True(t, errors.As(err, &fault), "%v", err)
				require.Equal(t, test.requests, transport.requests)
				require.Equal(t, test.given, given)
			})
		})
	}
}

// TestSubscribeTellsOfOutages once for each, however many attempts it takes, and goes on behind a server that stopped.
func TestSubscribeTellsOfOutages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		transport := &broken{answers: []string{batch("1", "a"), stopping, stopping, batch("2", "b"), batch("3", "c") + errorEvent}}
		c := &Client{base: "http://server", http: &http.Client{Transport: transport}}
		var given []string
		outage := func(cause error) {
			given = append(given, map[bool]string{true: "back", false: "lost"}[cause == nil])
		}
		began := time.Now()
		err := c.Subscribe(t.Context(), "SELECT 1", SubscribeOptions{Outage: outage}, func(e Event) error {
			given = append(given, string(e.Rows[0][1]))
			return nil
		})
		require.ErrorContains(t, err, "that is all")
		require.Equal(t, []string{"", "a", "a", "a", "b"}, transport.requests)
		require.Equal(t, []string{"1", "lost", "back", "2", "lost", "back", "3"}, given)
		require.Equal(t, 4*time.Second, time.Since(began), "half a second, one and two, and half a second again")
	})
	c := &Client{base: "http://server", http: &http.Client{Transport: &broken{answers: []string{stopping}}}}
	require.ErrorContains(t, c.Subscribe(t.Context(), "SELECT 1", SubscribeOptions{}, nil), "closed", "the first connection is not tried for ever")
}
