// Package fieldbody makes rows of JSON of lines that are made of names and texts, such as logs in columns and logfmt. What a line says is for a Form to tell;
// what the texts become depends on the stream's columns, as for cells of CSV.
//
// What always holds: nothing of a text is lost but its spelling; memory is bounded by a chunk and a row; chunks are a function of the lines that come, and of
// the stream. A Reader is used by one goroutine.
package fieldbody

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/celltext"
)

const (
	// chunkFields and chunkText are how many fields a chunk has, and about how much JSON, before it is given away: a line may become many times its size,
	// as each of its texts gets a name.
	chunkFields = 32 << 10
	chunkText   = 2 << 20
	// fieldBytes is what a Field takes.
	fieldBytes = int64(unsafe.Sizeof(Field{}))
	// fieldMarks are the quotes, colon and comma of a member.
	fieldMarks = len(`"":"",`)
)

// Field is a text under its name. The bytes of both stay as they are until the chunk is made.
type Field struct {
	Name, Text []byte
	// Quoted texts are numbers or booleans only where the stream's column is one.
	Quoted bool
}

// Form says what lines mean.
type Form interface {
	// Head takes a line that is no row, and reports whether it is one. An error ends the request.
	Head(line []byte) (bool, error)
	// Fields appends those of a row, without those that have no value. reason says why the line is none.
	Fields(dst []Field, line []byte) (fields []Field, reason string)
}

// Hinter is a Form that may find something to tell whoever has sent the body.
type Hinter interface{ Hint() string }

// Lines gives a body as chunks of whole lines, and io.EOF after the last. A line that is longer than a row may be is cut behind the first byte too many.
type Lines interface {
	Next() ([]byte, error)
}

// Options are all optional.
type Options struct {
	// Schema gives the stream's present schema, or nil if there is none yet.
	Schema func() *event.Schema
	// Hold is asked for the memory that making a chunk takes; see decode.Holding.
	Hold func(bytes int64) error
	// Recycle takes back the memory of a chunk of Lines.
	Recycle func(lines []byte)
}

// Reader reads one body.
type Reader struct {
	lines   Lines
	form    Form
	options Options
	whole   []byte // the present chunk of lines
	rest    []byte // what of it was not given away
	fields  []Field
	holding decode.Holding
}

// NewReader reads lines of a form.
func NewReader(lines Lines, form Form, options Options) *Reader {
	return &Reader{lines: lines, form: form, options: options, holding: decode.Holding{Hold: options.Hold}}
}

// Next returns the next chunk of rows, or io.EOF after the last.
func (r *Reader) Next() (*decode.Chunk, error) {
	for {
		if len(r.rest) == 0 {
			var err error
			if r.whole, err = r.lines.Next(); err != nil {
				return nil, err
			}
			r.rest = r.whole
		}
		chunk, err := r.chunk()
		if err != nil {
			return nil, err
		}
		if len(r.rest) == 0 && r.options.Recycle != nil {
			r.options.Recycle(r.whole)
			r.whole, r.rest = nil, nil
		}
		if len(chunk.Texts)+len(chunk.Refused) > 0 {
			return chunk, nil
		}
	}
}

// Hint is what the form has to tell of what was read so far; "" is nothing.
func (r *Reader) Hint() string {
	if form, ok := r.form.(Hinter); ok {
		return form.Hint()
	}
	return ""
}

// rows are those of a chunk in the making.
type rows struct {
	fields  []Field
	ends    []int // of each row, in fields
	refused []decode.Rejected
	size    int // about how much JSON they are
}

// chunk makes rows of the lines that are there, as many as a chunk may have.
func (r *Reader) chunk() (*decode.Chunk, error) {
	b, before := rows{fields: r.fields[:0]}, r.rest
	for places := 0; len(r.rest) > 0 && places < decode.MaxChunkRows && len(b.fields) < chunkFields && b.size < chunkText; {
		line, rest, blank := decode.CutLine(r.rest)
		if r.rest = rest; blank {
			continue
		}
		plain := bytes.TrimPrefix(line, []byte("\ufeff"))
		head, err := r.form.Head(plain)
		switch {
		case err != nil:
			return nil, err
		case head && len(line) > decode.MaxRowBytes:
			return nil, event.Errorf(event.CodeBadRequest, "a line of the head has more than the %d bytes allowed", decode.MaxRowBytes)
		case head:
			continue
		case len(line) <= decode.MaxRowBytes:
			line = plain
		}
		b.add(r.form, line, places)
		places++
	}
	sum := xxh3.Hash128(before[:len(before)-len(r.rest)]).Bytes()
	r.fields = b.fields[:0]
	if err := r.holding.Set(fieldBytes*int64(cap(b.fields)) + 2*int64(b.size)); err != nil {
		return nil, err
	}
	out := b.write(r.schema(), sum)
	if cap(r.fields) > 2*chunkFields {
		r.fields = nil
	}
	return out, r.holding.Set(fieldBytes * int64(cap(r.fields)))
}

func (r *Reader) schema() *event.Schema {
	if r.options.Schema == nil {
		return nil
	}
	return r.options.Schema()
}

// add takes a line.
func (b *rows) add(form Form, line []byte, place int) {
	first := len(b.fields)
	var reason string
	switch {
	case len(line) > decode.MaxRowBytes:
		reason = fmt.Sprintf("the row has more than the %d bytes allowed", decode.MaxRowBytes)
	case !utf8.Valid(line):
		reason = "invalid UTF-8"
	default:
		b.fields, reason = form.Fields(b.fields, line)
	}
	if reason != "" {
		b.fields = b.fields[:first]
		b.refused = append(b.refused, decode.Rejected{Line: place, Reason: reason, Raw: bytes.Clone(line)})
		b.size += len(line)
		return
	}
	for _, f := range b.fields[first:] {
		b.size += len(f.Name) + len(f.Text) + fieldMarks
	}
	b.ends = append(b.ends, len(b.fields))
}

// write makes JSON of the rows.
func (b *rows) write(schema *event.Schema, sum [16]byte) *decode.Chunk {
	columns := columnsOf(b.fields, schema)
	text, texts := make([]byte, 0, b.size+2*len(b.ends)), make([][]byte, 0, len(b.ends))
	first := 0
	for _, end := range b.ends {
		start := len(text)
		text = append(text, '{')
		for i, f := range b.fields[first:end] {
			if i > 0 {
				text = append(text, ',')
			}
			c := columns[string(f.Name)]
			text = c.write(append(text, c.label...), f.Text)
		}
		text = append(text, '}')
		texts, first = append(texts, text[start:len(text):len(text)]), end
	}
	return &decode.Chunk{Texts: texts, Kept: int64(cap(text)), Refused: b.refused, Digest: sum}
}

// column is how the texts of a name are written.
type column struct {
	label string // the name as a member begins: quoted, with a colon
	guess *celltext.Guess
	write celltext.Writer
}

// columnsOf chooses how texts become JSON: as the stream's column wants them, or as all of the chunk suggest.
func columnsOf(fields []Field, schema *event.Schema) map[string]*column {
	out := make(map[string]*column)
	for _, f := range fields {
		c := out[string(f.Name)]
		if c == nil {
			c = newColumn(string(f.Name), schema)
			out[string(f.Name)] = c
		}
		switch {
		case c.guess == nil:
		case f.Quoted:
			c.guess.AddQuoted(f.Text)
		default:
			c.guess.Add(f.Text)
		}
	}
	for _, c := range out {
		if c.guess != nil {
			c.write = c.guess.Writer()
		}
	}
	return out
}

func newColumn(name string, schema *event.Schema) *column {
	c := &column{label: string(event.AppendJSONString(nil, name)) + ":"}
	if schema != nil {
		if at := slices.IndexFunc(schema.Columns, func(c event.Column) bool { return c.Name == name }); at >= 0 {
			known := schema.Columns[at]
			c.write = celltext.For(known.Type.Kind, known.ID == schema.TimeColumn)
			return c
		}
	}
	c.guess = &celltext.Guess{}
	return c
}
