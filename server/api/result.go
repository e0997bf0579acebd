package api

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// flushBytes is how much of an answer is gathered before it is written.
const flushBytes = 64 << 10

// encoder writes one result in one format, by appending to dst.
type encoder interface {
	contentType() string
	begin(dst []byte, columns []plan.Column) []byte
	// row appends row i of the batch that appenders were made for; n counts the rows before it.
	row(dst []byte, appenders []appender, i int, n int64) []byte
	end(dst []byte, stats resultStats) []byte
	// fail ends an answer that has begun; ok is false where the format has no way to say it, so that the connection must be broken off.
	fail(dst []byte, p problem) (out []byte, ok bool)
	// appender makes the function that renders one value of a column.
	appender(column plan.Column, values *exec.Batch, index int) appender
}

// appender appends value i of a column.
type appender func(dst []byte, i int) []byte

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
	Truncated       bool    `json:"truncated,omitempty"`
}

// chooseEncoder goes by the request's format, else by what the client accepts.
func chooseEncoder(request sqlRequest, accept string) (encoder, error) {
	format := request.format
	if format == "" {
		format = formatOf(accept)
	}
	switch format {
	case "json":
		return &jsonEncoder{values: jsonValues{bigintAsText: request.bigintAsText}}, nil
	case "ndjson":
		return &ndjsonEncoder{values: jsonValues{bigintAsText: request.bigintAsText}}, nil
	case "csv":
		return &csvEncoder{}, nil
	case "arrow", "parquet":
		return nil, event.Errorf(event.CodeNotSupported, "format %s is not supported", format).WithHint("use json, ndjson or csv")
	default:
		return nil, event.Errorf(event.CodeBadRequest, "there is no format %q", format).WithHint("use json, ndjson or csv")
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
}

// send streams the rows. The first batch is fetched before anything is written, so that a query which fails at its start has an
// ordinary error for an answer; a later failure is told inside the answer or by breaking it off.
func (r *result) send(w http.ResponseWriter, e encoder) error {
	batch, err := r.rows.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.Header().Set("Content-Type", e.contentType())
	buffer := e.begin(make([]byte, 0, flushBytes+flushBytes/4), r.rows.Columns())
	truncated := false
	for err == nil && !truncated {
		if buffer, truncated, err = r.writeBatch(w, e, buffer, batch); err != nil {
			return err
		}
		if !truncated {
			batch, err = r.rows.Next()
		}
	}
	if err != nil && !errors.Is(err, io.EOF) {
		tail, ok := e.fail(buffer, newProblem(asFault(err)))
		if !ok {
			return err
		}
		_, writeErr := w.Write(tail)
		return writeErr
	}
	_, err = w.Write(e.end(buffer, r.stats(truncated)))
	return err
}

// writeBatch appends a batch's rows up to the limit, writing whenever enough has gathered.
func (r *result) writeBatch(w io.Writer, e encoder, buffer []byte, batch *exec.Batch) (rest []byte, truncated bool, err error) {
	appenders := make([]appender, len(batch.Columns))
	for c, column := range r.rows.Columns() {
		appenders[c] = e.appender(column, batch, c)
	}
	for i := range batch.Rows {
		if r.sent == r.limit {
			return buffer, true, nil
		}
		buffer = e.row(buffer, appenders, i, r.sent)
		r.sent++
		if len(buffer) >= flushBytes {
			if _, err := w.Write(buffer); err != nil {
				return nil, false, err
			}
			buffer = buffer[:0]
		}
	}
	return buffer, false, nil
}

func (r *result) stats(truncated bool) resultStats {
	s := r.rows.Stats()
	return resultStats{
		RowCount: r.sent, ElapsedMS: float64(r.now().Sub(r.started).Microseconds()) / 1000,
		RowsScanned: s.RowsScanned, BytesScanned: s.BytesScanned, SegmentsScanned: s.SegmentsScanned, SegmentsPruned: s.SegmentsPruned,
		PeakMemoryBytes: s.PeakMemoryBytes, SpilledBytes: s.SpilledBytes, Truncated: truncated,
	}
}
