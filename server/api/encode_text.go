package api

import (
	"io"

	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// flushBytes is how much of an answer is gathered before it is written.
const flushBytes = 64 << 10

// encoder renders the rows of one result as text, by appending to dst.
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

// textWriter is the answerWriter of formats that are written row by row.
type textWriter struct {
	encoder encoder
	to      io.Writer
	columns []plan.Column
	buffer  []byte
	rows    int64
}

func (w *textWriter) contentType() string { return w.encoder.contentType() }

func (w *textWriter) begin(to io.Writer, columns []plan.Column) error {
	w.to, w.columns = to, columns
	w.buffer = w.encoder.begin(make([]byte, 0, flushBytes+flushBytes/4), columns)
	return nil
}

func (w *textWriter) write(batch *exec.Batch) error {
	appenders := make([]appender, len(batch.Columns))
	for c, column := range w.columns {
		appenders[c] = w.encoder.appender(column, batch, c)
	}
	for i := range batch.Rows {
		w.buffer = w.encoder.row(w.buffer, appenders, i, w.rows)
		w.rows++
		if len(w.buffer) >= flushBytes {
			if err := w.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *textWriter) flush() error {
	if len(w.buffer) == 0 {
		return nil
	}
	_, err := w.to.Write(w.buffer)
	w.buffer = w.buffer[:0]
	return err
}

func (w *textWriter) end(stats resultStats) error {
	_, err := w.to.Write(w.encoder.end(w.buffer, stats))
	return err
}

func (w *textWriter) fail(p problem) (told bool, err error) {
	tail, ok := w.encoder.fail(w.buffer, p)
	if !ok {
		return false, nil
	}
	_, err = w.to.Write(tail)
	return true, err
}
