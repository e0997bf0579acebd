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
// made again, and goes on where the last one ended. Nothing is given twice: the events of one change are held back until all of them have
// come. Those of the first answer, which may be large, are not; where the connection breaks before its end, fn is given a reset.
func (c *Client) Subscribe(ctx context.Context, sql string, opts SubscribeOptions, fn func(Event) error) error {
	f := &following{after: opts.After, first: opts.After == "", fn: fn}
	for {
		err := c.subscribeOnce(ctx, sql, f.after, f.take)
		var fault *Error
		var handler *handlerError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &handler):
			return handler.err
		case errors.As(err, &fault), !f.connected && err != nil:
			return err
		}
		if err := f.broken(); err != nil {
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

// following is a subscription over its connections.
type following struct {
	fn func(Event) error
	// after is the id of the last event that had one.
	after     string
	connected bool
	// held are the events of a change that is not complete. first tells that what comes belongs to a first answer, the one behind a reset
	// among them, and open that some of that has been given and the last of it has not.
	held        []Event
	first, open bool
}

// take gives an event as soon as it cannot come again. Where the subscription starts is to be known before that, and no event.
func (f *following) take(e Event) error {
	f.connected = true
	if e.Kind == "start" {
		f.after, f.first = e.ID, false
		return nil
	}
	if e.Kind == "reset" {
		f.first, f.held = true, nil // what was given is void
	}
	if !f.first && e.ID == "" {
		f.held = append(f.held, e)
		return nil
	}
	for _, e := range append(f.held, e) {
		if err := f.fn(e); err != nil {
			return &handlerError{err}
		}
	}
	if f.held, f.open = nil, e.ID == ""; !f.open {
		f.after, f.first = e.ID, false
	}
	return nil
}

// broken forgets what a connection left incomplete: it comes again. Behind an id that was too old the server says so again itself.
func (f *following) broken() error {
	again := f.open && f.after == ""
	if f.held, f.open = nil, false; !again {
		return nil
	}
	return f.fn(Event{Kind: "reset", Reason: "the connection broke before the end of the first answer"})
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
