// Package client speaks a server's HTTP API with typed Go calls: it runs SQL, sends events and asks whether the server is up.
//
// Numbers in results keep every digit (json.Number). What the server refuses comes back as *Error with the server's code,
// hint and position; a server that cannot be reached comes back as *UnreachableError. A Client may be used from any number of
// goroutines. It does not retry and keeps no state between calls but idle connections, which Close drops.
package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// DefaultURL is where a server listens unless it was told otherwise.
const DefaultURL = "http://127.0.0.1:7373"

// Client talks to one server.
type Client struct {
	base string
	http *http.Client
}

// New makes a client of the server at baseURL; a missing scheme means http.
func New(baseURL string) (*Client, error) {
	text := strings.TrimSpace(baseURL)
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, fmt.Errorf("%q is not a server's URL; write it as in %s", baseURL, DefaultURL)
	}
	u.RawQuery, u.Fragment = "", ""
	transport := http.DefaultTransport.(*http.Transport).Clone()
	// A loader keeps several requests in flight; without room for their connections each would dial anew.
	transport.MaxIdleConnsPerHost = 16
	return &Client{base: strings.TrimRight(u.String(), "/"), http: &http.Client{Transport: transport}}, nil
}

// NewPipe makes a client of a server in this process, to which dial connects.
func NewPipe(dial func(ctx context.Context) (net.Conn, error)) *Client {
	transport := &http.Transport{
		DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) },
		MaxIdleConnsPerHost: 2,
	}
	return &Client{base: "http://localhost", http: &http.Client{Transport: transport}}
}

// URL is the server's address without a trailing slash.
func (c *Client) URL() string { return c.base }

// Close drops idle connections. Calls may still be made afterwards.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Ready asks the server whether it can serve; nil means yes.
func (c *Client) Ready(ctx context.Context) error {
	res, err := c.do(ctx, http.MethodGet, "/readyz", nil, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// do sends one request and turns every answer that is not a success into an error. The caller closes the body.
func (c *Client) do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("make request to %s: %w", c.base, err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.transportError(ctx, err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	return nil, readProblem(res)
}
