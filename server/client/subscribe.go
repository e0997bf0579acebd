package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	// reconnectWait is how long a broken subscription waits before it connects again.
	reconnectWait = time.Second
	// maxEventBytes bounds a line of a subscription.
	maxEventBytes = 64 << 20
)

// SubscribeOptions change how a query is followed. The zero value is good.
type SubscribeOptions struct {
	// After is the id of the event to go on behind.
	After string
}

// Event is one thing that a subscription tells.
type Event struct {
	// Kind is batch, progress or reset.
	Kind string
	// ID is where to go on behind the event; empty where that is no place to go on from.
	ID      string        `json:"-"`
	Columns []EventColumn `json:"columns"`
	// Key names the columns that tell rows apart; nil where rows may repeat.
	Key []string `json:"key"`
	// Rows are JSON values, of which the first is "insert", "update" or "delete".
	Rows      [][]json.RawMessage `json:"rows"`
	Watermark string              `json:"watermark"`
	Reason    string              `json:"reason"`
}

// EventColumn is a column of an Event. Hidden ones are there for the key alone.
type EventColumn struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Hidden bool   `json:"hidden"`
}

// Subscribe follows the answer of a query and gives every change to fn, until ctx ends, fn or the query fails. A connection that breaks is
// made again, and goes on where the last one ended.
func (c *Client) Subscribe(ctx context.Context, sql string, opts SubscribeOptions, fn func(Event) error) error {
	after, connected := opts.After, false
	for {
		err := c.subscribeOnce(ctx, sql, after, func(e Event) error {
			connected = true
			if err := fn(e); err != nil {
				return &handlerError{err}
			}
			if e.ID != "" {
				after = e.ID
			}
			return nil
		})
		var fault *Error
		var handler *handlerError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &handler):
			return handler.err
		case errors.As(err, &fault), !connected && err != nil:
			return err
		}
		timer := time.NewTimer(reconnectWait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// handlerError tells an error of the caller's function from one of the connection.
type handlerError struct{ err error }

// Error is the caller's.
func (e *handlerError) Error() string { return e.err.Error() }

func (c *Client) subscribeOnce(ctx context.Context, sql, after string, fn func(Event) error) error {
	header := http.Header{"Content-Type": {"text/plain"}}
	path := "/v1/subscribe"
	if after != "" {
		path += "?" + url.Values{"after": {after}}.Encode()
	}
	res, err := c.do(ctx, http.MethodPost, path, strings.NewReader(sql), header)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, maxEventBytes)
	var e Event
	var data []byte
	for lines.Scan() {
		line := lines.Bytes()
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "event":
			e.Kind = string(value)
		case "id":
			e.ID = string(value)
		case "data":
			data = append(data[:0], value...)
		case "":
			if len(line) > 0 || e.Kind == "" {
				continue // a comment, or the end of nothing
			}
			if err := c.dispatch(e, data, fn); err != nil {
				return err
			}
			e = Event{}
		}
	}
	return lines.Err()
}

// dispatch decodes an event and hands it on; one of kind error is the end.
func (c *Client) dispatch(e Event, data []byte, fn func(Event) error) error {
	if e.Kind == "error" {
		fault := &Error{}
		if err := json.Unmarshal(data, fault); err != nil {
			return fmt.Errorf("read the subscription from %s: %w", c.base, err)
		}
		return fault
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return fmt.Errorf("read the subscription from %s: %w", c.base, err)
	}
	return fn(e)
}
