// Package bulkbody takes the bodies of Elasticsearch's bulk requests apart: lines of JSON in pairs, of which the first says what is to be done and
// where, and the second is the row.
//
// Rows can be added, by the actions index and create. What else a request asks for, to delete and to update, is refused item by item. The id that an
// action gives its row becomes the member _id of the row.
//
// What always holds: items are numbered in the body from 0, whatever becomes of them; memory is bounded by a chunk and a row, and where
// items go to several streams by a few bytes for each of at most MaxItems;
// chunks are a function of the body's bytes, not of how they arrive. A Reader is used by one goroutine.
package bulkbody

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// MaxItems bounds the items of a body for several streams: what became of each is told in the answer.
const MaxItems = 500_000

const (
	// chunkBytes is how much text is read before its rows are given away, which may be spread over several streams.
	chunkBytes = 1 << 20
	// firstRead is how much is read at a time at first, and readBytes in a body that has shown to be larger.
	firstRead = 4 << 10
	readBytes = 64 << 10
	// maxIndexes bounds the indexes of one body.
	maxIndexes = 1000
	// shownBytes is how much of a line a fault quotes.
	shownBytes = 60
)

// Options say where rows go.
type Options struct {
	// Stream takes all rows, whatever their index; empty gives each index a stream.
	Stream string
	// Index is that of actions that name none.
	Index string
	// Hold is asked for the memory that a part of the body takes until Next returns it; see decode.Holding. It may be nil.
	Hold func(bytes int64) error
}

// Item is what the body asks for in one place.
type Item struct {
	Action Action
	// Index is a place in the reader's Indexes.
	Index uint32
}

// Reader reads one body.
type Reader struct {
	in      *bufio.Reader
	src     io.Reader
	options Options
	text    []byte // the present line
	lines   int64  // read so far
	err     error

	last    parsed // the action that was read last
	number  int    // of the next item
	items   []Item
	indexes []string
	places  map[string]uint32
	parts   []*part // of this chunk
	part    map[string]*part
	refused []decode.Rejected
	holding decode.Holding
	taken   int64 // what the rows of this chunk take
}

// part is the rows of one stream in a chunk.
type part struct {
	stream string
	chunk  decode.Chunk
}

// NewReader reads from src.
func NewReader(src io.Reader, options Options) *Reader {
	return &Reader{
		in: bufio.NewReaderSize(src, firstRead), src: src, options: options, places: map[string]uint32{}, holding: decode.Holding{Hold: options.Hold},
	}
}

// Items are the items read so far, of a body for several streams; Indexes are what their places stand for.
func (r *Reader) Items() []Item { return r.items }

// Indexes are the names of indexes that items have.
func (r *Reader) Indexes() []string { return r.indexes }

// Next returns the rows of the next part of the body, by stream, and the items that are no rows of any; io.EOF after the last. A line that is no
// action where one must be is an error of the request: where the items behind it begin cannot be told.
func (r *Reader) Next() ([]decode.StreamChunk, []decode.Rejected, error) {
	r.parts, r.part, r.refused = nil, map[string]*part{}, nil
	first := r.number
	for bytes := 0; r.err == nil && bytes < chunkBytes && r.number < first+decode.MaxChunkRows; {
		var n int
		n, r.err = r.item()
		bytes += n
		if err := r.hold(n); err != nil {
			r.err = err
		}
	}
	if len(r.parts) == 0 && len(r.refused) == 0 {
		return nil, nil, r.err
	}
	out := make([]decode.StreamChunk, len(r.parts))
	for i, p := range r.parts {
		out[i] = decode.StreamChunk{Stream: p.stream, Chunk: &p.chunk}
	}
	r.taken = 0
	return out, r.refused, r.hold(0)
}

// itemBytes is what an item takes beside its text.
const itemBytes = 64

// heldStep is how much the items of a chunk may take until more is asked for.
const heldStep = 4 << 10

// hold asks for the memory of an item of so many bytes, with that of what is kept of the body for its answer.
func (r *Reader) hold(bytes int) error {
	if bytes > 0 {
		r.taken += int64(bytes) + itemBytes
	}
	all := r.taken + int64(r.in.Size()+cap(r.text)) + int64(unsafe.Sizeof(Item{}))*int64(cap(r.items))
	return r.holding.Set((all + heldStep - 1) / heldStep * heldStep)
}

// item reads an action and its row, and gives the bytes of both.
func (r *Reader) item() (bytes int, err error) {
	if err := r.line(); err != nil {
		return 0, err
	}
	bytes = len(r.text)
	action, err := r.action()
	if err != nil {
		return bytes, err
	}
	place, known := r.place(action.index)
	if r.options.Stream == "" {
		if len(r.items) == MaxItems {
			return bytes, event.Errorf(event.CodeTooLarge, "a bulk request may have %d items", MaxItems).WithHint("send it in parts")
		}
		r.items = append(r.items, Item{Action: action.action, Index: place})
	}
	r.number++
	if !action.action.hasRow() {
		r.refuse(action, "rows cannot be deleted one by one: they are only added", r.text)
		return bytes, nil
	}
	switch err := r.line(); {
	case errors.Is(err, io.EOF):
		r.refuse(action, "no line with the row follows the action", r.text)
		return bytes, err
	case err != nil:
		r.items = r.items[:max(len(r.items)-1, 0)]
		return bytes, err
	case action.action == Update:
		r.refuse(action, "rows cannot be updated: they are only added", r.text)
	case action.index == "" && r.options.Stream == "":
		r.refuse(action, "neither the action nor the address names an index", r.text)
	case !known:
		r.refuse(action, fmt.Sprintf("the request has more than %d indexes", maxIndexes), r.text)
	default:
		r.add(action)
	}
	return bytes + len(r.text), nil
}

// line reads the next line that is not blank into text, without its break and the spaces around it. One that is longer than a row may be is cut after the
// first byte too many, which the decoder turns away, and keeps its spaces: without them what is left may be short enough, or nothing.
func (r *Reader) line() error {
	if r.in.Size() < readBytes && r.lines > 0 && r.in.Buffered() == 0 {
		r.in = bufio.NewReaderSize(r.src, readBytes) // nothing is lost, and an end that was seen is seen again
	}
	for {
		text := r.text[:0]
		err := bufio.ErrBufferFull
		for errors.Is(err, bufio.ErrBufferFull) {
			var piece []byte
			piece, err = r.in.ReadSlice('\n')
			text = append(text, piece[:min(len(piece), decode.MaxRowBytes+1-len(text))]...)
		}
		r.lines++
		if r.lines == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if text = bytes.TrimSuffix(text, []byte{'\n'}); len(text) <= decode.MaxRowBytes {
			text = bytes.Trim(text, " \t\r")
		}
		if err == nil || errors.Is(err, io.EOF) {
			r.text = text
		}
		if len(text) > 0 && errors.Is(err, io.EOF) {
			return nil // the last line needs no break
		}
		if len(text) > 0 || err != nil {
			return err
		}
	}
}

// action reads the present line as one.
func (r *Reader) action() (parsed, error) {
	if r.last.line != nil && bytes.Equal(r.last.line, r.text) {
		return r.last, nil
	}
	action, ok := parseAction(r.text)
	if !ok {
		return parsed{}, event.Errorf(event.CodeBadRequest, "line %d is no action of a bulk request: it begins with %q", r.lines,
			bytes.ToValidUTF8(r.text[:min(len(r.text), shownBytes)], nil)).
			WithHint(`a line such as {"index":{"_index":"logs"}} stands before each row`)
	}
	if action.index == "" {
		action.index = r.options.Index
	}
	action.line = bytes.Clone(r.text)
	r.last = action
	return action, nil
}

// place is the place of an index among all; false if there are too many.
func (r *Reader) place(index string) (uint32, bool) {
	at, ok := r.places[index]
	switch {
	case ok:
		return at, true
	case len(r.indexes) == maxIndexes:
		return 0, false
	}
	at = uint32(len(r.indexes))
	r.places[index], r.indexes = at, append(r.indexes, index)
	return at, true
}

// add puts the row on the present line into its stream.
func (r *Reader) add(action parsed) {
	p := r.partOf(action)
	p.chunk.Texts = append(p.chunk.Texts, withID(r.text, action.id))
	p.chunk.Numbers = append(p.chunk.Numbers, int64(r.number-1))
}

// partOf is the part of the stream of an action's index.
func (r *Reader) partOf(action parsed) *part {
	stream := r.options.Stream
	if stream == "" {
		stream = decode.StreamName(action.index)
	}
	p := r.part[stream]
	if p == nil {
		p = &part{stream: stream, chunk: decode.Chunk{Texts: [][]byte{}, Numbers: []int64{}}}
		r.part[stream], r.parts = p, append(r.parts, p)
	}
	return p
}

// refuse sets the present item aside: beside the rows of its stream, if it names one.
func (r *Reader) refuse(action parsed, reason string, raw []byte) {
	into := &r.refused
	if _, known := r.places[action.index]; known && (action.index != "" || r.options.Stream != "") {
		into = &r.partOf(action).chunk.Refused
	}
	*into = append(*into, decode.Rejected{Line: r.number - 1, Reason: reason, Raw: bytes.Clone(raw)})
}

// withID is a row with the id that its action gives it, in memory of its own. A member of the row's own that has the name counts instead.
func withID(row []byte, id string) []byte {
	if id == "" || row[0] != '{' {
		return bytes.Clone(row)
	}
	out := event.AppendJSONString(append(make([]byte, 0, len(row)+len(id)+len(`"_id":"",`)), `{"_id":`...), id)
	rest := bytes.TrimLeft(row[1:], " \t\r")
	if len(rest) > 0 && rest[0] != '}' {
		out = append(out, ',')
	}
	return append(out, rest...)
}
