package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// answerWriter writes one result in one format. It may hold bytes back until flush or end.
type answerWriter interface {
	contentType() string
	begin(to io.Writer, columns []plan.Column) error
	write(batch *exec.Batch) error
	flush() error
	end(stats resultStats) error
	// fail ends an answer that has begun; told is false where the format has no way to say it, so that the connection must be broken off.
	fail(p problem) (told bool, err error)
}

// resultStats is the stats member of an answer.
type resultStats struct {
	RowCount        int64   `json:"-"`
	ElapsedMS       float64 `json:"elapsed_ms"`
	RowsScanned     int64   `json:"rows_scanned"`
	BytesScanned    int64   `json:"bytes_scanned"`
	SegmentsScanned int     `json:"segments_scanned"`
	SegmentsPruned  int     `json:"segments_pruned"`
	PeakMemoryBytes int64   `json:"peak_memory_bytes"`
	SpilledBytes    int64   `json:"spilled_bytes,omitempty"`
	OffsetsSkipped  int64   `json:"offsets_skipped,omitempty"`
	Truncated       bool    `json:"truncated,omitempty"`
	// Views are those that were read, by name.
	Views map[string]viewStats `json:"views,omitempty"`
}

// viewStats says how far a view was when it was read.
type viewStats struct {
	Vector  map[string][]int64 `json:"vector"`
	LagRows int64              `json:"lag_rows"`
}

// resultFormats are all that results come in, in the order in which they are named to users.
var resultFormats = []string{"json", "ndjson", "csv", "arrow", "parquet"}

// chooseWriter goes by the request's format, else by what the client accepts.
func chooseWriter(request sqlRequest, accept string) (answerWriter, error) {
	format := request.format
	if format == "" {
		format = formatOf(accept)
	}
	values := jsonValues{bigintAsText: request.bigintAsText, zone: request.zone}
	switch format {
	case "json":
		return &textWriter{encoder: &jsonEncoder{values: values}}, nil
	case "ndjson":
		return &textWriter{encoder: &ndjsonEncoder{values: values}}, nil
	case "csv":
		return &textWriter{encoder: &csvEncoder{zone: request.zone}}, nil
	case "arrow":
		return &arrowWriter{zone: request.zone}, nil
	case "parquet":
		return &parquetWriter{}, nil
	default:
		return nil, event.Errorf(event.CodeBadRequest, "there is no format %q", format).WithHint("use %s", strings.Join(resultFormats, ", "))
	}
}

func formatOf(accept string) string {
	for media := range strings.SplitSeq(accept, ",") {
		media, _, _ = strings.Cut(media, ";")
		switch strings.TrimSpace(media) {
		case "application/x-ndjson":
			return "ndjson"
		case "text/csv":
			return "csv"
		case "application/vnd.apache.arrow.stream":
			return "arrow"
		case "application/vnd.apache.parquet":
			return "parquet"
		}
	}
	return "json"
}

// result sends one answer.
type result struct {
	rows    Rows
	limit   int64
	started time.Time
	now     func() time.Time
	sent    int64
	flushed time.Time
}

// flushEvery is how long rows of a slow query may wait for more.
const flushEvery = 100 * time.Millisecond

// send streams the rows. The first batch is fetched before anything is written, so that a query which fails at its start has an
// ordinary error for an answer; a later failure is told inside the answer or by breaking it off.
func (r *result) send(w http.ResponseWriter, out answerWriter) error {
	batch, err := r.rows.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.Header().Set("Content-Type", out.contentType())
	to := &countedWriter{to: w}
	if err := out.begin(to, r.rows.Columns()); err != nil {
		return err
	}
	truncated := false
	for err == nil {
		if batch, truncated = r.cut(batch); batch.Rows > 0 {
			if err := out.write(batch); err != nil {
				return err
			}
			r.sent += int64(batch.Rows)
		}
		if truncated {
			break
		}
		if err := r.flush(w, out, to); err != nil {
			return err
		}
		batch, err = r.rows.Next()
	}
	if err != nil && !errors.Is(err, io.EOF) {
		told, writeErr := out.fail(newProblem(asFault(err)))
		if !told {
			return err
		}
		return writeErr
	}
	if truncated {
		if err := sayTruncated(w); err != nil {
			return err
		}
	}
	return out.end(r.stats(truncated))
}

// sayTruncated adds a trailer, since only json has statistics that say that rows are missing. An answer that was not sent in part would get a
// length instead of trailers.
func sayTruncated(w http.ResponseWriter) error {
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	w.Header().Set(http.TrailerPrefix+"X-Truncated", "true")
	return nil
}

// cut takes off what is beyond the limit.
func (r *result) cut(batch *exec.Batch) (_ *exec.Batch, truncated bool) {
	left := r.limit - r.sent
	if int64(batch.Rows) <= left {
		return batch, false
	}
	out := &exec.Batch{Columns: make([]arrow.Array, len(batch.Columns)), Rows: int(left)}
	for i, c := range batch.Columns {
		out.Columns[i] = array.NewSlice(c, 0, left)
	}
	return out, true
}

// countedWriter counts the bytes of an answer.
type countedWriter struct {
	to    io.Writer
	bytes int64
}

// Write passes bytes on.
func (w *countedWriter) Write(p []byte) (int, error) {
	n, err := w.to.Write(p)
	w.bytes += int64(n)
	return n, err
}

// flush sends what has been written to the client: the first rows at once, later ones when the last time is a while ago. As long as
// nothing has been written the answer has not begun.
func (r *result) flush(w http.ResponseWriter, out answerWriter, to *countedWriter) error {
	now := r.now()
	if now.Sub(r.flushed) < flushEvery {
		return nil
	}
	if err := out.flush(); err != nil || to.bytes == 0 {
		return err
	}
	r.flushed = now
	if err := http.NewResponseController(w).Flush(); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

func (r *result) stats(truncated bool) resultStats {
	s := r.rows.Stats()
	var views map[string]viewStats
	if len(s.Views) > 0 {
		views = make(map[string]viewStats, len(s.Views))
	}
	for _, v := range s.Views {
		views[v.Name] = viewStats{Vector: v.Vector, LagRows: v.LagRows}
	}
	return resultStats{
		RowCount: r.sent, ElapsedMS: float64(r.now().Sub(r.started).Microseconds()) / 1000,
		RowsScanned: s.RowsScanned, BytesScanned: s.BytesScanned, SegmentsScanned: s.SegmentsScanned, SegmentsPruned: s.SegmentsPruned,
		PeakMemoryBytes: s.PeakMemoryBytes, SpilledBytes: s.SpilledBytes, OffsetsSkipped: s.OffsetsSkipped, Truncated: truncated,
		Views: views,
	}
}
