package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// replayPage is how many rejected rows are read at a time.
	replayPage = 500
	// replaysInFlight is how many rows are under way: the server syncs them together.
	replaysInFlight = 16
)

// ReplayOptions say which rejected rows ReplayRejected sends; the zero value is for all.
type ReplayOptions struct {
	// From leaves out rows that were rejected before it, as SQL writes a time.
	From string
	// DryRun reads the rows and sends none.
	DryRun bool
}

// ReplayOutcome is what became of one rejected row.
type ReplayOutcome int

// The outcomes.
const (
	ReplayAccepted  ReplayOutcome = iota // stored now
	ReplayDuplicate                      // an earlier replay has stored it
	ReplayRejected                       // it still cannot be stored
	ReplayUnsent                         // not sent, because the run was dry
)

// ReplayCount counts rows with one outcome and one reason. For rows still rejected it is why they are now, else why they once were.
type ReplayCount struct {
	Outcome ReplayOutcome
	Reason  string
}

// rejectedRow is a row of a stream of rejected rows.
type rejectedRow struct {
	offset, bytes int64
	at, reason    string
	raw           []byte
}

// ReplayRejected sends the rejected rows of a stream to it again, each in a request with a key of its own, by which the server knows rows that
// an earlier replay has stored for as long as it remembers keys. Rows that are rejected once more are not kept a second time. The counts
// are true also beside an error.
func (c *Client) ReplayRejected(ctx context.Context, stream string, opts ReplayOptions) (map[ReplayCount]int64, error) {
	r := &replay{client: c, stream: stream, options: opts, counts: map[ReplayCount]int64{}}
	if r.options.From == "" {
		r.options.From = "0001-01-01"
	}
	err := r.run(ctx)
	return r.counts, err
}

// replay is one run of ReplayRejected.
type replay struct {
	client  *Client
	stream  string
	options ReplayOptions
	mu      sync.Mutex
	counts  map[ReplayCount]int64
}

// run goes up to the rows that there are when it begins: others may come faster than it sends.
func (r *replay) run(ctx context.Context) error {
	end, err := r.end(ctx)
	if err != nil {
		return err
	}
	for after := int64(-1); after < end; {
		rows, err := r.page(ctx, after, end)
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := r.sendAll(ctx, rows); err != nil {
			return err
		}
		after = rows[len(rows)-1].offset
	}
	return nil
}

// end is the offset of the newest rejected row; -1 where the stream has none.
func (r *replay) end(ctx context.Context) (int64, error) {
	result, err := r.client.Query(ctx, "SELECT max(_offset) FROM "+r.table(), QueryOptions{})
	var refused *Error
	if errors.As(err, &refused) && refused.Code == event.CodeNotFound {
		_, err := r.client.Partitions(ctx, r.stream) // says so if the stream itself is not there
		return -1, err
	}
	if err != nil {
		return -1, err
	}
	if result.Rows[0][0] == nil {
		return -1, nil
	}
	return wholeNumber(result.Rows[0][0])
}

// table is the name of the stream of rejected rows, which is kept in one partition.
func (r *replay) table() string { return `"` + r.stream + `_rejected"` }

func (r *replay) page(ctx context.Context, after, end int64) ([]rejectedRow, error) {
	result, err := r.client.Query(ctx, "SELECT _offset, raw_bytes, rejected_at, reason, raw FROM "+r.table()+
		" WHERE _offset > $1 AND _offset <= $2 AND rejected_at >= CAST($3 AS TIMESTAMPTZ) ORDER BY _offset LIMIT "+strconv.Itoa(replayPage),
		QueryOptions{Params: []any{after, end, r.options.From}})
	if err != nil {
		return nil, err
	}
	rows := make([]rejectedRow, len(result.Rows))
	for i, values := range result.Rows {
		row := &rows[i]
		var errs [3]error
		row.offset, errs[0] = wholeNumber(values[0])
		row.bytes, errs[1] = wholeNumber(values[1])
		row.at, row.reason = fmt.Sprint(values[2]), fmt.Sprint(values[3])
		row.raw, errs[2] = base64.StdEncoding.DecodeString(fmt.Sprint(values[4]))
		if err := errors.Join(errs[:]...); err != nil {
			return nil, fmt.Errorf("read rejected row: %w", err)
		}
	}
	return rows, nil
}

func wholeNumber(value any) (int64, error) {
	n, ok := value.(json.Number)
	if !ok {
		return 0, fmt.Errorf("%v is not a number", value)
	}
	return n.Int64()
}

func (r *replay) sendAll(ctx context.Context, rows []rejectedRow) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(replaysInFlight)
	for i := range rows {
		group.Go(func() error {
			became, err := r.send(ctx, &rows[i])
			if err != nil {
				return err
			}
			r.mu.Lock()
			defer r.mu.Unlock()
			r.counts[became]++
			return nil
		})
	}
	return group.Wait()
}

// send delivers one row, waiting while the server is too busy. A request that broke off may be sent again, for it has a key.
func (r *replay) send(ctx context.Context, row *rejectedRow) (ReplayCount, error) {
	if row.bytes > int64(len(row.raw)) {
		return ReplayCount{ReplayRejected, "only a part of the row was kept: it is too long"}, nil
	}
	if r.options.DryRun {
		return ReplayCount{ReplayUnsent, row.reason}, nil
	}
	options := IngestOptions{Key: r.key(row), OnError: "batch", Replay: true}
	if bytes.ContainsAny(row.raw, "\r\n") { // it was an element of a document, and is no line
		options.ContentType = "application/json"
	}
	for attempt := 1; ; attempt++ {
		result, err := r.client.Ingest(ctx, r.stream, bytes.NewReader(row.raw), options)
		var refused *Error
		switch {
		case err == nil && result.Accepted > 0:
			return ReplayCount{ReplayAccepted, row.reason}, nil
		case err == nil && result.Duplicates > 0:
			return ReplayCount{ReplayDuplicate, row.reason}, nil
		case err == nil:
			return ReplayCount{ReplayRejected, "the row is empty"}, nil
		case !errors.As(err, &refused):
			return ReplayCount{}, fmt.Errorf("rejected row %d: %w", row.offset, err)
		case refused.Ingest != nil && len(refused.Ingest.Errors) > 0:
			return ReplayCount{ReplayRejected, refused.Ingest.Errors[0].Reason}, nil
		case refused.Status == http.StatusBadRequest:
			return ReplayCount{ReplayRejected, refused.Detail}, nil
		case refused.Status != http.StatusTooManyRequests || attempt > mostRetries:
			return ReplayCount{}, fmt.Errorf("rejected row %d: %w", row.offset, err)
		}
		if err := pause(ctx, retryDelay(refused.RetryAfter, attempt)); err != nil {
			return ReplayCount{}, err
		}
	}
}

// key names the rejected row, not what it says: equal rows are sent as often as they came.
func (r *replay) key(row *rejectedRow) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d %s\n", r.stream, row.offset, row.at)
	h.Write(row.raw)
	return "replay-" + hex.EncodeToString(h.Sum(nil)[:16])
}
