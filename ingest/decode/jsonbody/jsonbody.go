// Package jsonbody takes a body of JSON documents apart into rows: objects, and the elements of arrays. Mostly there is one document; more may
// follow one another, with or without white space between them, as programs write them that append to a file.
//
// What always holds: memory is bounded by a chunk and a row, whatever the body holds; chunks are a function of the body's bytes, not of
// how they arrive; an element becomes a row only after the text around it was JSON so far. Whether the element itself is
// acceptable is left to package decode. A Reader is used by one goroutine.
package jsonbody

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// chunkBytes is how much text a chunk has before it is given away, as for lines.
	chunkBytes = 256 << 10
	// firstRead is how much is read at a time at first, and readBytes in a body that has shown to be larger.
	firstRead = 2 << 10
	readBytes = 64 << 10
	// firstBlock is the memory for the first rows of a chunk.
	firstBlock = 2 << 10
	// maxDepth bounds the memory that the nesting of brackets takes; rows are turned away at a small fraction of it.
	maxDepth = 1 << 16
)

// Reader reads one body.
type Reader struct {
	src  io.Reader
	read []byte // what was read and not looked at yet
	err  error  // how the source ended
	buf  []byte
	at   int64 // bytes looked at

	started, array, ended bool
	// open holds the brackets of the element under way that are not closed; escaped and quoted tell where in a string it is.
	open            []byte
	quoted, escaped bool
	// due is what must or may come between elements.
	due due

	// member names the member of the documents' objects that holds the rows; empty where the documents themselves are rows. path is its names, where the
	// array lies in objects inside of those.
	member  string
	path    []string
	wrapper wrapper

	chunk decode.Chunk
	size  int // of the chunk's texts
	// text is where the chunk's rows lie; the element under way is at its end, from begun on. memory are its block and those before it.
	text    []byte
	begun   int
	memory  []*decode.Block
	holding decode.Holding
}

// due says what may come next inside the outer array.
type due uint8

const (
	valueOrEnd due = iota
	value
	commaOrEnd
	element // the next byte belongs to the element under way
)

// NewReader reads from src. hold is asked for the memory that a chunk takes until Next returns it, and may be nil: see decode.Holding.
func NewReader(src io.Reader, hold func(bytes int64) error) *Reader {
	return &Reader{src: src, buf: make([]byte, firstRead), holding: decode.Holding{Hold: hold}}
}

// NewMemberReader reads documents that are objects, and takes the elements of the array in a member as rows. All else that is in the objects is
// passed over. A member of an object inside of them is named with points between the names: hits.hits.
func NewMemberReader(src io.Reader, member string, hold func(bytes int64) error) *Reader {
	r := NewReader(src, hold)
	r.member, r.path = member, strings.Split(member, ".")
	return r
}

// Next returns the next chunk of rows, or io.EOF after the last. Text that is not JSON outside of rows is an error of the request;
// rows before it are given first.
func (r *Reader) Next() (*decode.Chunk, error) {
	for r.err == nil || len(r.read) > 0 {
		if len(r.read) == 0 {
			r.fill()
			continue
		}
		if fault := r.scan(); fault != nil {
			r.err, r.read = fault, nil
		}
		if r.full() {
			return r.give(), nil
		}
	}
	if len(r.chunk.Texts) > 0 {
		return r.give(), nil
	}
	if errors.Is(r.err, io.EOF) && !r.ended {
		r.err = r.incomplete()
	}
	if errors.Is(r.err, io.EOF) && r.member != "" && !r.wrapper.found {
		r.err = event.Errorf(event.CodeBadRequest, "no object of the body has an array in its member %q", r.member)
	}
	return nil, r.err
}

// fill reads more: as much at a time as the body has shown to give.
func (r *Reader) fill() {
	if size := min(4*len(r.buf), readBytes); int(r.at) >= len(r.buf) && size > len(r.buf) {
		if r.err = r.hold(r.memory, size); r.err != nil {
			return
		}
		r.buf = make([]byte, size)
	}
	var n int
	n, r.err = r.src.Read(r.buf)
	r.read = r.buf[:n]
}

// full reports whether the chunk is to be given away.
func (r *Reader) full() bool {
	return r.size >= chunkBytes || len(r.chunk.Texts) >= decode.MaxChunkRows
}

func (r *Reader) give() *decode.Chunk {
	out := r.chunk
	out.Kept, out.Free = decode.BlockBytes(r.memory), decode.Keep(r.memory)
	for _, block := range r.memory {
		block.Release()
	}
	r.chunk, r.size, r.text, r.begun, r.memory = decode.Chunk{}, 0, nil, 0, nil
	_ = r.hold(nil, len(r.buf)) // less is never refused
	return &out
}

// hold asks for the memory of blocks and of so many bytes more.
func (r *Reader) hold(blocks []*decode.Block, more int) error {
	return r.holding.Set(decode.BlockBytes(blocks) + int64(more))
}

func (r *Reader) incomplete() error {
	if !r.started {
		return event.Errorf(event.CodeBadRequest, "the body is empty").WithHint("send a JSON object, or an array of them")
	}
	return event.Errorf(event.CodeBadRequest, "not valid JSON: the body ends inside of its %s", map[bool]string{true: "array", false: "object"}[r.array])
}

func (r *Reader) invalid(why string) error {
	return event.Errorf(event.CodeBadRequest, "not valid JSON at byte %d: %s", r.at+1, why)
}

// scan looks at what was read, up to the end of a chunk.
func (r *Reader) scan() error {
	for len(r.read) > 0 && !r.full() {
		if r.due == element {
			if err := r.inside(); err != nil {
				return err
			}
			continue
		}
		step := r.between
		if r.wrapper.open && !r.array {
			step = r.around
		}
		if err := step(r.read[0]); err != nil {
			return err
		}
	}
	return nil
}

// between looks at a byte outside of any row. The byte that starts a row is left for inside.
func (r *Reader) between(c byte) error {
	switch {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r':
	case !r.started:
		return r.start(c)
	case r.ended && (c == '{' || c == '['):
		r.ended, r.array = false, false
		return r.start(c)
	case r.ended:
		return r.invalid("text after the end of the document")
	case c == ']' && r.due != value:
		r.ended = !r.wrapper.open
		r.array = r.array && r.ended
	case c == ',' && r.due == commaOrEnd:
		r.due = value
	case r.due != commaOrEnd && c != ']' && c != ',':
		r.due = element
		return nil
	case r.due == commaOrEnd:
		return r.invalid("a comma or ] is missing")
	default:
		return r.invalid("a value is missing")
	}
	r.pass(1)
	return nil
}

func (r *Reader) pass(n int) {
	r.read = r.read[n:]
	r.at += int64(n)
}

var byteOrderMark = []byte("\ufeff")

// start looks at the first byte that is no space.
func (r *Reader) start(c byte) error {
	switch c {
	case '{':
		r.started, r.due = true, element
		if r.member != "" {
			r.wrapper, r.due = wrapper{open: true, found: r.wrapper.found}, valueOrEnd
			r.pass(1)
		}
	case '[':
		if r.member != "" {
			return r.invalid("the body must be objects with the rows in their member " + strconv.Quote(r.member))
		}
		r.started, r.array, r.due = true, true, valueOrEnd
		r.pass(1)
	case byteOrderMark[0]:
		return r.skipMark()
	default:
		return r.invalid("the body must be an object or an array of objects")
	}
	return nil
}

// skipMark passes over a byte order mark, which may come in parts.
func (r *Reader) skipMark() error {
	mark := append(make([]byte, 0, len(byteOrderMark)), r.read[:min(len(r.read), len(byteOrderMark))]...)
	have := len(mark)
	if have < len(byteOrderMark) {
		mark = mark[:len(byteOrderMark)]
		if _, err := io.ReadFull(r.src, mark[have:]); err != nil {
			return r.invalid("the body must be an object or an array of objects")
		}
	}
	if r.at > 0 || !bytes.Equal(mark, byteOrderMark) {
		return r.invalid("the body must be an object or an array of objects")
	}
	r.pass(have)
	r.at = int64(len(byteOrderMark))
	return nil
}

// inside takes bytes of the row under way, up to its end at most.
func (r *Reader) inside() error {
	for i, c := range r.read {
		switch {
		case r.escaped:
			r.escaped = false
		case r.quoted:
			r.escaped, r.quoted = c == '\\', c != '"'
		case c == '"':
			r.quoted = true
		case c == '{' || c == '[':
			if len(r.open) == maxDepth {
				r.pass(i)
				return r.invalid("nested too deeply")
			}
			r.open = append(r.open, c+2) // in ASCII a closing bracket is two after its opening one
		case len(r.open) == 0 && (c == ',' || c == ']'):
			return r.endRow(i)
		case c == '}' || c == ']':
			if len(r.open) == 0 || r.open[len(r.open)-1] != c {
				r.pass(i)
				return r.invalid("a bracket closes what was not opened")
			}
			r.open = r.open[:len(r.open)-1]
			if len(r.open) == 0 {
				return r.endRow(i + 1)
			}
		}
	}
	return r.keep(len(r.read))
}

// keep adds n bytes to the row, but of a row that is too long no more than shows that it is.
func (r *Reader) keep(n int) error {
	more := r.read[:min(n, max(decode.MaxRowBytes+1-(len(r.text)-r.begun), 0))]
	if len(r.text)+len(more) > cap(r.text) {
		if err := r.grow(len(more)); err != nil {
			return err
		}
	}
	r.text = append(r.text, more...)
	r.pass(n)
	return nil
}

// grow goes on with the row in another block, where so many bytes more have room.
func (r *Reader) grow(more int) error {
	row := r.text[r.begun:]
	size := max(firstBlock, min(4*cap(r.text), chunkBytes))
	for size < len(row)+more {
		size *= 2
	}
	if err := r.hold(r.memory, len(r.buf)+size); err != nil {
		return err
	}
	next := decode.NewBlock(size)
	r.text, r.begun, r.memory = append(next.Room(), row...), 0, append(r.memory, next)
	return nil
}

// endRow gives the row, which has n bytes more, to the chunk. The text that follows a scalar up to the comma is blank or wrong, which the decoder finds out.
func (r *Reader) endRow(n int) error {
	if err := r.keep(n); err != nil {
		return err
	}
	text := bytes.TrimRight(oneLine(r.text[r.begun:]), " \t\r\n")
	text = text[:len(text):len(text)]
	r.begun = len(r.text)
	r.chunk.Texts = append(r.chunk.Texts, text)
	r.size += len(text)
	r.due, r.ended = commaOrEnd, !r.array
	return nil
}

// oneLine turns line breaks outside of strings into spaces, for the log's readers expect a row on one line. Inside of strings they are
// wrong, and are left for the decoder to find.
func oneLine(text []byte) []byte {
	if bytes.IndexByte(text, '\n') < 0 && bytes.IndexByte(text, '\r') < 0 {
		return text
	}
	quoted, escaped := false, false
	for i, c := range text {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '\n' || c == '\r':
			text[i] = ' '
		}
	}
	return text
}
