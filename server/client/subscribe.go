package client

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxEventBytes bounds a line of a subscription.
const maxEventBytes = 64 << 20

// SubscribeOptions change how a query is followed. The zero value is good.
type SubscribeOptions struct {
	// After is the id of the event to go on behind.
	After string
	// Outage, if not nil, is told when the server is lost, and why; and when it is back, with nil.
	Outage func(cause error)
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
	f := &following{after: opts.After, first: opts.After == "", fn: fn, outage: outage{tell: opts.Outage}}
	for {
		err := c.subscribeOnce(ctx, sql, f)
		var handler *handlerError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &handler):
			return handler.err
		case err != nil && (!f.connected || !passing(err)):
			return err
		}
		if err := f.broken(); err != nil {
			return err
		}
		f.outage.began(f.failures == 0, cmp.Or(err, io.ErrUnexpectedEOF))
		if err := pause(ctx, reconnectDelay(f.failures)); err != nil {
			return err
		}
		f.failures++
	}
}

// following is a subscription over its connections.
type following struct {
	fn func(Event) error
	// after is the id of the last event that had one.
	after     string
	connected bool
	// failures counts the attempts to connect since the last one that did.
	failures int
	outage   outage
	// held are the events of a change that is not complete. first tells that what comes belongs to a first answer, the one behind a reset
	// among them, and open that some of that has been given and the last of it has not.
	held        []Event
	first, open bool
}

// begins says that a connection was made.
func (f *following) begins() {
	f.outage.ended(f.failures > 0)
	f.connected, f.failures = true, 0
}

// take gives an event as soon as it cannot come again. Where the subscription starts is to be known before that, and no event.
func (f *following) take(e Event) error {
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

func (c *Client) subscribeOnce(ctx context.Context, sql string, f *following) error {
	header := http.Header{"Content-Type": {"text/plain"}}
	path := "/v1/subscribe"
	if f.after != "" {
		path += "?" + url.Values{"after": {f.after}}.Encode()
	}
	res, err := c.do(ctx, http.MethodPost, path, strings.NewReader(sql), header)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	f.begins()
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
			if err := c.dispatch(e, data, f.take); err != nil {
				return err
			}
			e = Event{}
		}
	}
	if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return c.unreadable(err)
	}
	return lines.Err()
}

// dispatch decodes an event and hands it on; one of kind error is the end.
func (c *Client) dispatch(e Event, data []byte, fn func(Event) error) error {
	if e.Kind == "error" {
		fault := &Error{}
		if err := json.Unmarshal(data, fault); err != nil {
			return c.unreadable(err)
		}
		return fault
	}
	if err := json.Unmarshal(data, &e); err != nil {
		return c.unreadable(err)
	}
	return fn(e)
}

// unreadable is the end of a subscription that would not be read another time either.
func (c *Client) unreadable(err error) error {
	return &Error{Status: http.StatusOK, Code: "http_error", Detail: fmt.Sprintf("read the subscription from %s: %v", c.base, err)}
}
