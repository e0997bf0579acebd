package client

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

// maxRecordBytes bounds a line of an answer: a row of 1 MiB with what stands around it.
const maxRecordBytes = 2 << 20

// Record is one event of a partition as it was sent.
type Record struct {
	Partition event.Partition `json:"partition"`
	Offset    event.Offset    `json:"offset"`
	Timestamp string          `json:"timestamp"`
	Value     json.RawMessage `json:"value"`
}

// Latest stands for the end of a partition in Consume.
const Latest event.Offset = -1

// Partitions is the number of partitions of a stream.
func (c *Client) Partitions(ctx context.Context, stream string) (int, error) {
	res, err := c.do(ctx, http.MethodGet, "/v1/streams/"+url.PathEscape(stream), nil, nil)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	var answer struct {
		Partitions int `json:"partitions"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		return 0, fmt.Errorf("read the description of stream %s: %w", stream, err)
	}
	return answer.Partitions, nil
}

// Consume asks once for the records of a partition from an offset on, waiting up to wait for a first one, calls fn for each, and
// returns the offset to go on from.
func (c *Client) Consume(
	ctx context.Context, stream string, p event.Partition, from event.Offset, wait time.Duration, fn func(Record) error,
) (event.Offset, error) {
	query := url.Values{"partition": {strconv.Itoa(int(p))}, "wait": {wait.String()}}
	if from == Latest {
		query.Set("from", "latest")
	} else {
		query.Set("offset", strconv.FormatInt(int64(from), 10))
	}
	res, err := c.do(ctx, http.MethodGet, "/v1/streams/"+url.PathEscape(stream)+"/events?"+query.Encode(), nil, nil)
	if err != nil {
		return from, err
	}
	defer res.Body.Close()
	next, err := strconv.ParseInt(res.Header.Get("X-Start-Offset"), 10, 64)
	if err != nil {
		return from, &Error{Status: http.StatusOK, Code: "http_error", Detail: fmt.Sprintf("read the answer of %s: it lacks X-Start-Offset", c.base)}
	}
	return readRecords(ctx, c, bufio.NewScanner(res.Body), event.Offset(next), fn)
}

func readRecords(ctx context.Context, c *Client, lines *bufio.Scanner, next event.Offset, fn func(Record) error) (event.Offset, error) {
	lines.Buffer(nil, maxRecordBytes)
	for lines.Scan() {
		var record Record
		if err := json.Unmarshal(lines.Bytes(), &record); err != nil {
			if broken := lines.Err(); broken != nil { // the line is what had come of it
				return next, c.transportError(ctx, broken)
			}
			return next, &Error{Status: http.StatusOK, Code: "http_error", Detail: fmt.Sprintf("read the answer of %s: %v", c.base, err)}
		}
		if err := fn(record); err != nil {
			return next, err
		}
		next = record.Offset + 1
	}
	if err := lines.Err(); err != nil {
		return next, c.transportError(ctx, err)
	}
	return next, nil
}
