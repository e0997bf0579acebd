// Package linebody takes lines of text, such as those of logs, for rows: the line as it came, and the time that it begins with. A line without one,
// such as those of a stack trace, has that of the line before it, and the first lines that of the first one behind them: with the time of arrival they would
// be far away, and ahead of what is to come.
//
// What always holds: no byte of a line is changed, and none is looked at but for its time; a line that is not UTF-8, or longer than a row may be, is
// refused; rows are a function of the body's bytes, but for the times of those before the first that has one. A Reader is used by one goroutine.
package linebody

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// TimeColumn is the event-time column of a stream that lines make.
	TimeColumn = "time"
	// LineColumn has the lines.
	LineColumn = "line"
)

// Lines gives a body as chunks of whole lines, and io.EOF after the last. A line that is longer than a row may be is cut behind the first byte too many.
type Lines interface {
	Next() ([]byte, error)
}

// Options say which column takes the times.
type Options struct {
	// Time gives the name of the stream's event-time column, or "" for TimeColumn. It may be nil.
	Time func() string
	// Recycle, if not nil, takes back the memory of a chunk of Lines.
	Recycle func(lines []byte)
}

// Reader reads one body.
type Reader struct {
	lines   Lines
	options Options
	whole   []byte // the present chunk of lines
	rest    []byte // what of it was not given away
	last    clock
}

// clock is the time of the line that had one last.
type clock struct {
	micros int64
	known  bool
}

// NewReader reads lines.
func NewReader(lines Lines, options Options) *Reader { return &Reader{lines: lines, options: options} }

// Next returns the next chunk of rows, or io.EOF after the last.
func (r *Reader) Next() (*decode.Chunk, error) {
	for len(r.rest) == 0 {
		var err error
		if r.whole, err = r.lines.Next(); err != nil {
			return nil, err
		}
		r.rest = r.whole
	}
	chunk := r.chunk()
	if len(r.rest) == 0 && r.options.Recycle != nil {
		r.options.Recycle(r.whole)
		r.whole, r.rest = nil, nil
	}
	return chunk, nil
}

// chunk makes rows of the lines that are there, as many as a chunk may have.
func (r *Reader) chunk() *decode.Chunk {
	b := newBatch(r.rest, &r.last)
	before := r.rest
	for len(r.rest) > 0 && b.places < decode.MaxChunkRows {
		line, rest, blank := decode.CutLine(r.rest)
		if r.rest = rest; !blank {
			b.add(line)
		}
	}
	name := TimeColumn
	if r.options.Time != nil {
		if known := r.options.Time(); known != "" {
			name = known
		}
	}
	return b.chunk(name, before[:len(before)-len(r.rest)])
}

// batch is rows in the making.
type batch struct {
	last    *clock
	places  int // lines so far, those that are refused among them
	times   []int64
	valid   event.Bitmap
	offsets []int32
	data    []byte
	refused []decode.Rejected
}

func newBatch(lines []byte, last *clock) *batch {
	rows := min(bytes.Count(lines, []byte{'\n'})+1, decode.MaxChunkRows)
	return &batch{
		last: last, times: make([]int64, 0, rows), valid: event.NewBitmap(rows),
		offsets: append(make([]int32, 0, rows+1), 0), data: make([]byte, 0, len(lines)),
	}
}

// add takes a line. A byte order mark may stand before the first line of a body.
func (b *batch) add(line []byte) {
	reason := ""
	switch {
	case len(line) > decode.MaxRowBytes:
		reason = fmt.Sprintf("the row has more than the %d bytes allowed", decode.MaxRowBytes)
	case !utf8.Valid(line):
		reason = "invalid UTF-8"
	}
	if b.places++; reason != "" {
		b.refused = append(b.refused, decode.Rejected{Line: b.places - 1, Reason: reason, Raw: bytes.Clone(line)})
		return
	}
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	if micros, ok := decode.LineTime(line); ok {
		b.begin(micros)
	}
	if b.last.known {
		b.valid.Set(len(b.times))
	}
	b.times = append(b.times, b.last.micros)
	b.data = append(b.data, line...)
	b.offsets = append(b.offsets, int32(len(b.data)))
}

// begin notes the time of the next line, which those before it have too if they are the body's first.
func (b *batch) begin(micros int64) {
	if !b.last.known {
		for i := range b.times {
			b.times[i] = micros
			b.valid.Set(i)
		}
	}
	*b.last = clock{micros: micros, known: true}
}

// chunk gives the rows away. Its hash is that of the lines, for the name of a column says nothing of them.
func (b *batch) chunk(timeColumn string, lines []byte) *decode.Chunk {
	rows, sum := len(b.times), xxh3.Hash128(lines).Bytes()
	out := &decode.Chunk{Refused: b.refused, Digest: sum}
	if rows == 0 {
		return out
	}
	out.Rows = rows
	out.Fields = []decode.Field{
		{Name: timeColumn, Type: event.Type{Kind: event.TimestampTZ}}, {Name: LineColumn, Type: event.Type{Kind: event.Text}},
	}
	out.Columns = append(out.Columns, event.NewTimestamps(b.times, b.valid), event.NewStrings(b.offsets, b.data, nil))
	return out
}
