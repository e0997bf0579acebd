package client

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/charset"
)

const (
	// inFlight is how many requests a load keeps under way: enough that the server decodes one while it syncs another.
	inFlight = 4
	// mostRetries bounds how often one request is sent again to a server that is too busy.
	mostRetries = 30
	// lostRetries bounds it where the connection fails: one that is not there stays away.
	lostRetries = 5
	// restartRetries bounds it where a server that was there in this load is so no longer: it is likely to be started again, and 20 attempts
	// give it 21 seconds.
	restartRetries = 20
	// keptReasons is how many rejections a report explains.
	keptReasons = 20
)

// LoadOptions says how Load sends a file; the zero value sends to a stream whose time column the server chooses.
type LoadOptions struct {
	// TimeColumn names the event-time column when the load makes the stream.
	TimeColumn string
	// ChunkBytes is the size of one request; 0 means 4 MiB.
	ChunkBytes int
	// ContentType is the media type of a file that is no newline-delimited JSON, and is sent in one request; empty for NDJSON.
	ContentType string
	// Format is the format's name, for one without a media type of its own. ContentType must be set beside it unless the file is to be sent in many
	// requests: then each line must be a row.
	Format string
	// Rows names the member of JSON documents whose array has the rows; empty where they are rows themselves.
	Rows string
	// DateOrder is dmy or mdy, for CSV with dates such as 03/01/2026; empty leaves those texts.
	DateOrder string
	// Delimiter separates the cells of CSV; empty lets the header tell. Nulls are the texts that mean NULL in it; none is the empty text.
	Delimiter string
	// Escape takes its meaning from a quote in quoted cells of CSV; empty leaves it to a second quote.
	Escape string
	Nulls  []string
	// Header is true where the first line of CSV names the columns, false where it is a row; empty leaves it to the line. Columns are their names, with commas
	// between them; empty where the line has them.
	Header  string
	Columns string
	// Charset is the encoding of a file of text; empty for UTF-8, or UTF-16 with a mark.
	Charset string
	// Identity names the file. If it is set, what was sent from it before is not stored again: of NDJSON lines in the same place, of other
	// formats the file as a whole, whose content the name must then cover.
	Identity string
	// Progress, if not nil, is told how many bytes have been read.
	Progress func(n int)
}

// LoadReport says what became of the rows.
type LoadReport struct {
	Accepted, Rejected int64
	// Duplicates are the rows that an earlier load of the same file had stored already.
	Duplicates int64
	// Reasons explains the first rejections.
	Reasons []LineError
	// Hint says what would help where every row was rejected, or what would have been better; it may be empty.
	Hint string
}

// LineError says why a line of a file was rejected. Lines count from 1, blank ones included, as editors do. Line is 0 for files that are
// not made of lines, where the reason tells the row.
type LineError struct {
	Line   int64
	Reason string
}

// Load sends lines, of newline-delimited JSON or of text, in requests of whole lines, several at a time, or a file of another format; plain or compressed by
// gzip or zstd.
// Rejected rows are counted in the report and are no error. The report also tells what had been accepted before an error.
func (c *Client) Load(ctx context.Context, stream string, r io.Reader, opts LoadOptions) (LoadReport, error) {
	if opts.ChunkBytes <= 0 {
		opts.ChunkBytes = chunkBytes
	}
	set, err := charset.Find(opts.Charset)
	if err != nil {
		return LoadReport{}, err
	}
	l := &load{client: c, stream: stream, time: opts.TimeColumn, format: opts.Format, identity: opts.Identity}
	if opts.ContentType != "" {
		err := l.sendWhole(ctx, r, opts, set)
		return l.result(), err
	}
	plain, err := Decompress(counted{r, opts.Progress})
	if err != nil {
		return LoadReport{}, &SourceError{Err: err}
	}
	defer plain.Close()
	err = l.run(ctx, newChunker(charset.NewReader(plain, set), opts.ChunkBytes))
	return l.result(), err
}

// binary reports whether the file is no text.
func (o LoadOptions) binary() bool {
	return strings.HasPrefix(o.ContentType, "application/vnd.apache.")
}

// counted tells how many bytes are read.
type counted struct {
	io.Reader
	progress func(n int)
}

// Read reads on.
func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.progress != nil {
		c.progress(n)
	}
	return n, err
}

// SourceError says that what is to be loaded cannot be read.
type SourceError struct {
	// Line is where, counted from 1; 0 where that is not known.
	Line int64
	Err  error
}

// Error says what is wrong.
func (e *SourceError) Error() string {
	text := e.Err.Error()
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		text = "the compressed data is cut off"
	}
	if e.Line > 0 {
		return fmt.Sprintf("read line %d and on: %s", e.Line, text)
	}
	return "read it: " + text
}

// Unwrap is the reader's error.
func (e *SourceError) Unwrap() error { return e.Err }

// source keeps why it could not be read to its end.
type source struct {
	io.Reader
	broken atomic.Pointer[SourceError]
}

// Read reads on.
func (s *source) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.broken.Store(&SourceError{Err: err})
	}
	return n, err
}

// load is one file on its way.
type load struct {
	client   *Client
	stream   string
	time     string
	format   string
	identity string
	// met says that a connection to the server was made.
	met atomic.Bool

	mu struct {
		sync.Mutex
		report LoadReport
		// advice is the first hint of a request that stored rows.
		advice string
	}
}

func (l *load) run(ctx context.Context, chunks *chunker) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(inFlight)
	readErr := l.sendAll(ctx, group, chunks)
	// A failed request ends ctx and with it the reading, so its error is the one that explains.
	return cmp.Or(group.Wait(), readErr)
}

func (l *load) sendAll(ctx context.Context, group *errgroup.Group, chunks *chunker) error {
	for first := true; ctx.Err() == nil; first = false {
		next, err := chunks.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return &SourceError{Line: chunks.line, Err: err}
		}
		if first {
			// The first request may make the stream; the others must find it made.
			if err := l.send(ctx, next); err != nil {
				return err
			}
			continue
		}
		group.Go(func() error { return l.send(ctx, next) })
	}
	return ctx.Err()
}

// send delivers one chunk.
func (l *load) send(ctx context.Context, c chunk) error {
	options := IngestOptions{TimeColumn: l.time, Format: l.format, Key: l.key(c)}
	result, err := l.deliver(ctx, options.Key != "", func() (*IngestResult, error) {
		return l.client.Ingest(ctx, l.stream, bytes.NewReader(c.lines), options)
	})
	if result != nil {
		l.count(c, result)
	}
	if err != nil {
		return fmt.Errorf("lines from %d on: %w", c.firstLine, err)
	}
	return nil
}

// sendWhole delivers a file in one request. It is sent again only if it can be read again.
func (l *load) sendWhole(ctx context.Context, file io.Reader, opts LoadOptions, set *charset.Charset) error {
	options := IngestOptions{
		TimeColumn: l.time, ContentType: opts.ContentType, Format: opts.Format, Rows: opts.Rows, DateOrder: opts.DateOrder, Key: l.key(chunk{}),
		Delimiter: opts.Delimiter, Escape: opts.Escape, Nulls: opts.Nulls, Header: opts.Header, Columns: opts.Columns,
	}
	again, seeks := file.(io.Seeker)
	first := true
	result, err := l.deliver(ctx, options.Key != "" && seeks, func() (*IngestResult, error) {
		if !first {
			if _, err := again.Seek(0, io.SeekStart); err != nil {
				return nil, &SourceError{Err: err}
			}
		}
		first = false
		plain, err := Decompress(counted{file, opts.Progress})
		if err != nil {
			return nil, &SourceError{Err: err}
		}
		defer plain.Close()
		source := &source{Reader: plain}
		body := io.Reader(source)
		if !opts.binary() {
			body = charset.NewReader(source, set)
		}
		result, err := l.client.Ingest(ctx, l.stream, body, options)
		if broken := source.broken.Load(); broken != nil { // what the connection says is only what came of it
			return result, broken
		}
		return result, err
	})
	if result != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.mu.report = LoadReport{Accepted: result.Accepted, Rejected: result.Rejected, Duplicates: result.Duplicates}
		l.hint(result)
		for _, e := range result.Errors {
			l.mu.report.Reasons = append(l.mu.report.Reasons, LineError{Reason: fmt.Sprintf("row %d: %s", e.Row+1, e.Reason)})
		}
	}
	return err
}

// deliver makes a request, and makes it again while the server is too busy to take any of it. One that failed otherwise, after some of its rows
// were taken or without saying so, is only made again if it has a key, for else that could store rows twice. The result says what
// all attempts have done together.
func (l *load) deliver(ctx context.Context, keyed bool, request func() (*IngestResult, error)) (*IngestResult, error) {
	before := int64(0) // rows that attempts so far have stored
	for attempt := 1; ; attempt++ {
		result, err := request()
		l.meet(err)
		var refused *Error
		if errors.As(err, &refused) && refused.Ingest != nil {
			result = refused.Ingest
		}
		if result != nil {
			again := min(before, result.Duplicates)
			before = again + result.Accepted
			result.Accepted, result.Duplicates = before, result.Duplicates-again
		}
		if err == nil || refused != nil && refused.Code == event.CodeRejected {
			return result, nil
		}
		after, most := "", l.patience(err)
		if refused != nil {
			after, most = refused.RetryAfter, mostRetries
		}
		var source *SourceError
		if attempt > most || ctx.Err() != nil || errors.As(err, &source) || !worthwhile(refused, keyed, result != nil) {
			return result, err
		}
		if err := pause(ctx, retryDelay(after, attempt)); err != nil {
			return result, err
		}
	}
}

// meet notes whether the server was there for a request that ended with err.
func (l *load) meet(err error) {
	var unreachable *UnreachableError
	if !errors.As(err, &unreachable) {
		l.met.Store(true)
	}
}

// patience is how often a request is sent again that failed without an answer.
func (l *load) patience(err error) int {
	var unreachable *UnreachableError
	if l.met.Load() && errors.As(err, &unreachable) {
		return restartRetries
	}
	return lostRetries
}

// worthwhile reports whether a request that failed is to be made again. refused is the server's answer, or nil if there was none; began says
// that the server took the body up.
func worthwhile(refused *Error, keyed, began bool) bool {
	switch {
	case refused == nil:
		return keyed // the connection failed
	case refused.Status == http.StatusTooManyRequests:
		return keyed || !began
	default:
		return keyed && refused.Status == http.StatusServiceUnavailable
	}
}

// key is the Idempotency-Key of a chunk: the same for the same lines in the same place of the same file.
func (l *load) key(c chunk) string {
	if l.identity == "" {
		return ""
	}
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %d\n", l.stream, l.identity, c.firstLine)
	if c.lines != nil && l.format != "" { // the same lines in another format are other rows
		fmt.Fprintf(h, "%q\n", l.format)
	}
	h.Write(c.lines)
	return "load-" + hex.EncodeToString(h.Sum(nil)[:16])
}

func (l *load) count(c chunk, result *IngestResult) {
	l.mu.Lock()
	defer l.mu.Unlock()
	report := &l.mu.report
	report.Accepted += result.Accepted
	report.Rejected += result.Rejected
	report.Duplicates += result.Duplicates
	l.hint(result)
	for _, e := range result.Errors {
		report.Reasons = append(report.Reasons, LineError{Line: c.lineOf(e.Row), Reason: e.Reason})
	}
	// Chunks end in any order; the report is about the first lines of the file.
	slices.SortFunc(report.Reasons, func(a, b LineError) int { return cmp.Compare(a.Line, b.Line) })
	report.Reasons = report.Reasons[:min(len(report.Reasons), keptReasons)]
}

func (l *load) result() LoadReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	report := l.mu.report
	if report.Accepted+report.Duplicates > 0 { // the other hint was about a part of the rows
		report.Hint = l.mu.advice
	}
	return report
}

// hint keeps the first hint of a request whose rows were all rejected apart from that of one that stored rows.
func (l *load) hint(result *IngestResult) {
	if result.Accepted > 0 {
		l.mu.advice = cmp.Or(l.mu.advice, result.Hint)
		return
	}
	l.mu.report.Hint = cmp.Or(l.mu.report.Hint, result.Hint)
}

// retryDelay honours the server's Retry-After in seconds, and otherwise waits a little longer each time.
func retryDelay(retryAfter string, attempt int) time.Duration {
	if seconds, err := strconv.Atoi(retryAfter); err == nil && seconds >= 0 && seconds <= 60 {
		return time.Duration(seconds) * time.Second
	}
	return min(time.Duration(attempt)*100*time.Millisecond, 2*time.Second)
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
