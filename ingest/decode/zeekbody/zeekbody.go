// Package zeekbody takes the logs that Zeek writes in columns apart into rows of JSON, the same as Zeek's own: lines of #separator, #fields and #types say how
// the lines behind them are written.
//
// What always holds: a value becomes a number, a boolean or an array only where #types says that it is one and it is spelled so, else a string, so
// that nothing is lost; a value that is not set is no member of its row; lines that begin with # are no rows. A Reader is used by one goroutine.
package zeekbody

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// Magic begins a log.
const Magic = "#separator"

// Lines gives a body as chunks of whole lines, and io.EOF after the last. A line that is longer than a row may be is cut behind the first byte too many.
type Lines interface {
	Next() ([]byte, error)
}

// Reader reads one body, which may be several logs one after another.
type Reader struct {
	lines Lines
	rest  []byte // of the present chunk of lines
	head  head
}

// NewReader reads lines.
func NewReader(lines Lines) *Reader { return &Reader{lines: lines, head: newHead()} }

// Next returns the next chunk of rows, or io.EOF after the last. A row before any #fields, and a head that cannot be used, are errors of the request.
func (r *Reader) Next() (*decode.Chunk, error) {
	for {
		if len(r.rest) == 0 {
			var err error
			if r.rest, err = r.lines.Next(); err != nil {
				return nil, err
			}
		}
		chunk, err := r.chunk()
		if err != nil {
			return nil, err
		}
		if len(chunk.Texts)+len(chunk.Refused) > 0 {
			return chunk, nil
		}
	}
}

// chunk makes rows of the lines that are there, as many as a chunk may have.
func (r *Reader) chunk() (*decode.Chunk, error) {
	out := &decode.Chunk{Texts: [][]byte{}}
	text := make([]byte, 0, 2*len(r.rest))
	for places := 0; len(r.rest) > 0 && places < decode.MaxChunkRows; {
		line, rest, _ := decode.CutLine(r.rest)
		r.rest = rest
		switch {
		case len(line) == 0:
			continue
		case line[0] == '#' && len(line) > decode.MaxRowBytes:
			return nil, event.Errorf(event.CodeBadRequest, "a line of the head has more than the %d bytes allowed", decode.MaxRowBytes)
		case line[0] == '#':
			if err := r.head.read(line); err != nil {
				return nil, err
			}
			continue
		case r.head.columns == nil:
			return nil, event.Errorf(event.CodeBadRequest, "no line of #fields stands before the first row").WithHint("a log of Zeek begins with its head")
		}
		start := len(text)
		if reason := r.refuses(line); reason != "" {
			out.Refused = append(out.Refused, decode.Rejected{Line: places, Reason: reason, Raw: bytes.Clone(line)})
		} else {
			text = r.head.row(text, line)
			out.Texts = append(out.Texts, text[start:len(text):len(text)])
		}
		places++
	}
	return out, nil
}

// refuses says why a line cannot be a row; "" if it can.
func (r *Reader) refuses(line []byte) string {
	cells, fields := bytes.Count(line, r.head.separator)+1, len(r.head.columns)
	switch {
	case len(line) > decode.MaxRowBytes:
		return fmt.Sprintf("the row has more than the %d bytes allowed", decode.MaxRowBytes)
	case cells != fields:
		return fmt.Sprintf("the row has %d cells, #fields %d", cells, fields)
	case !utf8.Valid(line):
		return "invalid UTF-8"
	default:
		return ""
	}
}
