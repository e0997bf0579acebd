package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
)

const (
	defaultConsumeLimit = 1000
	maxConsumeLimit     = 100_000
	// maxConsumeWait is shorter than what proxies commonly give an answer to begin.
	maxConsumeWait = 30 * time.Second
)

// consumption is what a request to consume asks for.
type consumption struct {
	partition event.Partition
	from      event.Offset
	limit     int
	wait      time.Duration
}

// getEvents gives a partition's records from a place on, an object a line, and waits for the first if asked to. X-Start-Offset says
// where the place is: what to go on from when there was no record.
func (s *Server) getEvents(w http.ResponseWriter, r *http.Request) error {
	stream, err := s.Ingest.Stream(r.PathValue("stream"))
	if err != nil {
		return err
	}
	c, err := parseConsumption(r.URL.Query(), stream)
	if err != nil {
		return err
	}
	deadline := time.NewTimer(c.wait)
	defer deadline.Stop()
	for {
		published := stream.Published()
		given, err := c.give(r.Context(), w, stream)
		if given || err != nil {
			return err
		}
		if c.wait == 0 || !s.awaitMore(r.Context(), published, deadline.C) {
			break
		}
		if now, err := s.Ingest.Stream(r.PathValue("stream")); err != nil {
			return err
		} else if now != stream {
			return event.Errorf(event.CodeNotFound, "stream %q was dropped, and made anew", r.PathValue("stream"))
		}
	}
	c.header(w)
	return nil
}

// header is that of an answer with what there is from the place on.
func (c *consumption) header(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Start-Offset", strconv.FormatInt(int64(c.from), 10))
}

// give answers with the records that there are, and reports whether there was one. If not, the place is behind what was looked at: offsets
// without a record are not waited at, as they would be there again at once.
func (c *consumption) give(ctx context.Context, w http.ResponseWriter, stream *ingest.Stream) (given bool, err error) {
	var buffer []byte
	next, err := stream.Consume(ctx, c.partition, c.from, c.limit, func(record ingest.Record) error {
		if !given {
			given = true
			c.header(w)
			buffer = make([]byte, 0, flushBytes)
		}
		buffer = appendRecord(buffer, c.partition, record)
		if len(buffer) < flushBytes {
			return nil
		}
		_, err := w.Write(buffer)
		buffer = buffer[:0]
		return err
	})
	if err != nil {
		return given, err
	}
	if !given {
		c.from = next
		return false, nil
	}
	_, err = w.Write(buffer)
	return true, err
}

// appendRecord writes one line. The key is null: rows that came as JSON have none.
func appendRecord(dst []byte, partition event.Partition, record ingest.Record) []byte {
	dst = strconv.AppendInt(append(dst, `{"partition":`...), int64(partition), 10)
	dst = strconv.AppendInt(append(dst, `,"offset":`...), int64(record.Offset), 10)
	dst = event.AppendTimestamp(append(dst, `,"timestamp":"`...), record.Timestamp*1000)
	dst = append(append(dst, `","key":null,"value":`...), record.Value...)
	return append(dst, "}\n"...)
}

// awaitMore returns when there is more to look at, or false when the time to wait is over.
func (s *Server) awaitMore(ctx context.Context, published <-chan struct{}, over <-chan time.Time) bool {
	select {
	case <-published:
		return true
	case <-over:
	case <-s.Stopping:
	case <-ctx.Done():
	}
	return false
}

func parseConsumption(query url.Values, stream *ingest.Stream) (consumption, error) {
	c := consumption{limit: defaultConsumeLimit}
	partition, err := parseCount(query, "partition", 0, int64(stream.Partitions())-1)
	if err != nil {
		return c, err
	}
	c.partition = event.Partition(partition)
	if query.Has("limit") {
		limit, err := parseCount(query, "limit", 1, maxConsumeLimit)
		if err != nil {
			return c, err
		}
		c.limit = int(limit)
	}
	if text := query.Get("wait"); text != "" {
		if c.wait, err = time.ParseDuration(text); err != nil || c.wait < 0 || c.wait > maxConsumeWait {
			return c, event.Errorf(event.CodeBadRequest, "wait is %q; it must be a duration of at most %s", text, maxConsumeWait)
		}
	}
	c.from, err = parsePlace(query, stream, c.partition)
	return c, err
}

// parsePlace finds where to begin: at an offset, a time, or an end of the partition. Without any of them it is the beginning.
func parsePlace(query url.Values, stream *ingest.Stream, p event.Partition) (event.Offset, error) {
	earliest, latest := stream.Bounds(p)
	switch {
	case query.Has("offset"):
		if end := query.Get("offset"); end == "earliest" || end == "latest" {
			return 0, event.Errorf(event.CodeBadRequest, "offset is %q; it must be a whole number", end).WithHint("from=%s begins there", end)
		}
		offset, err := parseCount(query, "offset", int64(earliest), int64(latest))
		return event.Offset(offset), err
	case query.Has("time"):
		micros, ok := event.ParseTimestamp(query.Get("time"))
		if !ok {
			return 0, event.Errorf(event.CodeBadRequest, "time is %q; it must be a timestamp", query.Get("time")).
				WithHint("as in time=2026-01-31T12:00:00Z")
		}
		return stream.OffsetAt(p, ceilMilliseconds(micros))
	case query.Get("from") == "latest":
		return latest, nil
	case query.Get("from") == "" || query.Get("from") == "earliest":
		return earliest, nil
	default:
		return 0, event.Errorf(event.CodeBadRequest, "from is %q; it may be earliest or latest", query.Get("from"))
	}
}

// ceilMilliseconds rounds up, so that a record in the same millisecond but before the time is not found.
func ceilMilliseconds(micros int64) int64 {
	out := micros / 1000
	if micros%1000 > 0 {
		out++
	}
	return out
}

// parseCount reads a whole number within bounds; a parameter that is missing is the lower one.
func parseCount(query url.Values, name string, low, high int64) (int64, error) {
	text := query.Get(name)
	if text == "" {
		return low, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < low || n > high {
		return 0, event.Errorf(event.CodeBadRequest, "%s is %q; it must be a whole number from %d to %d", name, text, low, high)
	}
	return n, nil
}
