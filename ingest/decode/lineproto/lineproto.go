// Package lineproto takes InfluxDB line protocol apart into rows of one stream for each measurement.
//
// The grammar is that of InfluxDB 1 and 2: measurement[,tag=value...] field=value[,field=value...] [timestamp], a line for each point.
//
// What always holds: a line that is refused leaves no trace in the rows of others; a row's columns and the text that is made of its line
// say the same; memory is bounded by a chunk, a row and the cache of series; chunks are a function of the body's bytes, not of how they
// arrive. A Reader is used by one goroutine.
package lineproto

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// chunkBytes is how much text is parsed before its rows are given away. They are spread over the measurements, so it is more than for
	// lines of JSON.
	chunkBytes = 1 << 20
	firstBytes = 2 << 10
	// maxStreams bounds the measurements of one body.
	maxStreams = 1000
)

// Options say how a body is to be read.
type Options struct {
	// Unit of the timestamps; 0 is nanoseconds.
	Unit Unit
	// Stream takes all points, whatever their measurement, which then is a column of its own where it would be another stream's; empty
	// gives each measurement a stream.
	Stream string
	// TimeColumn gives the name of a stream's event-time column; nil, or an empty answer, is the column time.
	TimeColumn func(stream string) string
	// Hold is asked for the memory that a part of the body takes until Next returns it; see decode.Holding. It may be nil.
	Hold func(bytes int64) error
}

// Reader reads one body.
type Reader struct {
	src     io.Reader
	err     error
	buf     []byte          // what was read; rows point into it, so it is never written again
	blocks  [][]byte        // what buf was and is in this part of the body
	memory  []*decode.Block // where they are, which the reader holds
	at      int             // how much of buf is parsed
	before  int             // how much of this part was parsed in blocks before
	block   int             // how much memory was asked for last
	long    bool            // the rest of a line that was too long is passed over
	first   bool            // nothing was parsed yet
	number  int64           // of the next point
	begun   int64           // the number of the first point of this part of the body
	widest  int             // how many columns a table of this part has at most
	wide    bool            // the next point has too many new columns for the rows of this part
	parser  parser
	tables  []*table          // of this part of the body
	current map[string]*table // the same by measurement
	last    *table            // that of the line before
	// known are the last tables of all measurements so far, whose columns the next ones begin with.
	known   map[string]*table
	streams map[string]bool
	refused []decode.Rejected
	options Options
	holding decode.Holding
}

// NewReader reads from src.
func NewReader(src io.Reader, options Options) *Reader {
	return &Reader{
		src: src, options: options, first: true, holding: decode.Holding{Hold: options.Hold}, streams: map[string]bool{}, known: map[string]*table{},
		parser: parser{unit: options.Unit.orDefault(), series: map[string]*series{}},
	}
}

// Next returns the rows of the next part of the body, with the lines of each stream that were refused, and apart from those the lines
// that do not even name one; io.EOF after the last. Lines are numbered in the body from 0, without blank ones and comments.
func (r *Reader) Next() ([]decode.StreamChunk, []decode.Rejected, error) {
	r.tables, r.current, r.refused = nil, map[string]*table{}, nil
	r.leave(len(r.memory) - 1)
	r.blocks, r.last = [][]byte{r.buf}, nil
	r.begun, r.widest, r.wide = r.number, 0, false
	r.before = -r.at
	for r.before+r.at < chunkBytes && !r.full() {
		if r.line() {
			continue
		}
		if r.err != nil && (!errors.Is(r.err, io.EOF) || r.at == len(r.buf)) {
			break
		}
		if err := r.fill(); err != nil {
			r.err = err
			break
		}
	}
	if len(r.tables) == 0 && len(r.refused) == 0 {
		if errors.Is(r.err, io.EOF) {
			r.buf, r.at = nil, 0
			r.leave(len(r.memory))
		}
		return nil, nil, r.err
	}
	return r.give(), r.refused, nil
}

// give gives away the rows of the tables. What their lines lie in is kept by each of them, and counted in equal parts.
func (r *Reader) give() (out []decode.StreamChunk) {
	for _, t := range r.tables {
		if t.rows > 0 || len(t.refused) > 0 {
			chunk := t.chunk(r.blocks)
			chunk.Free = decode.Keep(r.memory)
			out = append(out, decode.StreamChunk{Stream: t.stream, Chunk: chunk})
			t.forget()
		}
	}
	for _, part := range out {
		part.Chunk.Kept = decode.BlockBytes(r.memory[:len(r.memory)-1]) / int64(len(out))
	}
	_ = r.holding.Set(decode.BlockBytes(r.memory[len(r.memory)-1:])) // less is never refused
	return out
}

var byteOrderMark = []byte("\ufeff")

// line parses the next line; false if more has to be read for it first.
func (r *Reader) line() bool {
	atEnd := errors.Is(r.err, io.EOF)
	if r.first && (atEnd || len(r.buf) >= len(byteOrderMark)) {
		r.first = false
		r.buf = bytes.TrimPrefix(r.buf, byteOrderMark)
		r.blocks[len(r.blocks)-1] = r.buf
	}
	rest := r.buf[r.at:]
	if len(rest) == 0 || r.first {
		return false
	}
	if r.long {
		end := bytes.IndexByte(rest, '\n')
		r.long = end < 0
		r.at += max(end+1, 0)
		if r.long {
			r.at = len(r.buf)
		}
		return true
	}
	if n := blank(rest); n > 0 {
		r.at += n
		return true
	}
	if rest[0] == '#' {
		end := bytes.IndexByte(rest, '\n')
		if end < 0 && !atEnd {
			r.long = len(rest) > decode.MaxRowBytes
			return r.long
		}
		r.at += endOr(end, len(rest))
		return true
	}
	return r.point(rest, atEnd)
}

// endOr is the index behind a line break found at end, or n if none was.
func endOr(end, n int) int {
	if end < 0 {
		return n
	}
	return end + 1
}

// blank counts the spaces that a line may begin with, and the ends of lines.
func blank(text []byte) (n int) {
	for n < len(text) && (text[n] == ' ' || text[n] == '\t' || text[n] == '\n' || text[n] == '\r') {
		n++
	}
	return n
}

// point parses a line that is neither blank nor a comment.
func (r *Reader) point(rest []byte, atEnd bool) bool {
	if end := r.walk(rest); end > 0 {
		r.at += end
		r.number++
		return true
	}
	end, fault := r.parser.parse(rest)
	if fault != "" && end == len(rest) && !atEnd && len(rest) <= decode.MaxRowBytes {
		return false // with what is to come it may read otherwise
	}
	switch {
	case end > decode.MaxRowBytes || fault == incomplete && len(rest) > decode.MaxRowBytes:
		fault = fmt.Sprintf("the line has more than the %d bytes allowed", decode.MaxRowBytes)
	case fault == "" || fault == incomplete && r.parser.complete:
		if r.widens() {
			r.wide = true
			return true
		}
		fault = r.add(r.lineAt(end))
	case fault == incomplete:
		fault = "the line is incomplete"
	}
	if fault != "" {
		r.refuse(rest, fault)
	} else {
		r.at += end
	}
	r.number++
	return true
}

// refuse sets the line aside, and goes on behind its line break.
func (r *Reader) refuse(rest []byte, fault string) {
	into := &r.refused
	if s := r.parser.point.series; s != nil {
		if t, _ := r.tableOf(s.measurement); t != nil {
			into = &t.refused
		}
	}
	end := bytes.IndexByte(rest, '\n')
	r.long = end < 0
	n := endOr(end, len(rest))
	raw := bytes.Clone(bytes.TrimRight(rest[:min(n, decode.MaxRowBytes)], "\r\n")) // it may be looked at for longer than its chunk
	*into = append(*into, decode.Rejected{Line: int(r.number), Reason: fault, Raw: raw})
	r.at += n
}

// add puts the parsed point into its table, or says why it cannot be a row.
func (r *Reader) add(line lineRef) string {
	p := &r.parser.point
	t, fault := r.tableOf(p.series.measurement)
	if fault != "" {
		p.series = nil
		return fault
	}
	if fault = t.add(p, line, r.number); fault == "" {
		t.predictTags(p.series)
		r.last = t
	}
	r.widest = max(r.widest, len(t.columns))
	return fault
}

// full reports whether this part of the body has as many rows as it may have.
func (r *Reader) full() bool {
	rows := int(r.number - r.begun)
	return r.wide || rows >= decode.MaxChunkRows || rows*r.widest >= decode.MaxChunkCells
}

// widens reports whether the parsed point would give the rows before it more columns than they may have: it then begins the next part.
func (r *Reader) widens() bool {
	rows, p := int(r.number-r.begun), &r.parser.point
	likely := r.widest + len(p.fields) + len(p.series.tags)
	if rows == 0 || (rows+1)*likely <= decode.MaxChunkCells {
		return false
	}
	t := r.current[p.series.measurement]
	if t == nil {
		t = r.known[p.series.measurement]
	}
	if t == nil {
		return true
	}
	columns := len(t.columns)
	for i := range p.fields {
		if _, known := t.byName[string(p.fields[i].key)]; !known {
			columns++
		}
	}
	for i := range p.series.tags {
		if _, known := t.byName[p.series.tags[i].key]; !known {
			columns++
		}
	}
	return columns > r.widest && (rows+1)*columns > decode.MaxChunkCells
}

// lineAt is where the present line lies, which has n bytes.
func (r *Reader) lineAt(n int) lineRef {
	return lineRef{int32(len(r.blocks) - 1), int32(r.at), int32(r.at + n)}
}

// tableOf finds or opens the table of a measurement.
func (r *Reader) tableOf(measurement string) (t *table, fault string) {
	if t = r.current[measurement]; t != nil {
		return t, ""
	}
	if t = r.known[measurement]; t != nil && len(t.columns) > mostKnown {
		clear(r.parser.series) // they remember the places of columns
		r.parser.point.series.places, t = nil, nil
	}
	if t != nil {
		t = t.next()
	} else if t, fault = r.newTable(measurement); fault != "" {
		return nil, fault
	}
	r.tables = append(r.tables, t)
	r.widest = max(r.widest, len(t.columns))
	r.current[measurement], r.known[measurement] = t, t
	return t, ""
}

// mostKnown is how many columns of a table the next one begins with at most: each costs, whether it gets values or not.
const mostKnown = catalog.MaxColumns

// shortLine is a length that few lines go below.
const shortLine = 32

// newTable makes the table of a measurement that is new to the body.
func (r *Reader) newTable(measurement string) (t *table, fault string) {
	own := decode.StreamName(measurement)
	stream := own
	if r.options.Stream != "" {
		stream = r.options.Stream
	}
	if !r.streams[stream] {
		if len(r.streams) == maxStreams {
			return nil, fmt.Sprintf("the request has more than %d measurements", maxStreams)
		}
		r.streams[stream] = true
	}
	t = &table{stream: stream, timeColumn: "time", byName: make(map[string]int, likelyColumns), columns: make([]*column, 0, likelyColumns)}
	if r.options.TimeColumn != nil {
		if name := r.options.TimeColumn(stream); name != "" {
			t.timeColumn = name
		}
	}
	if own != stream {
		t.measurement = measurement
	}
	if len(r.known) == 0 { // those of many measurements would take much together
		line := max(bytes.IndexByte(r.buf[r.at:], '\n'), shortLine)
		t.expect = min((len(r.buf)-r.at)/line+1, decode.MaxChunkRows)
		t.lines, t.numbers = make([]lineRef, 0, t.expect), make([]int64, 0, t.expect)
	}
	t.speller = speller{unit: r.parser.unit, timeColumn: t.timeColumn, measurement: t.measurement}
	t.begin()
	return t, ""
}

// fill reads more. What was parsed is left behind.
func (r *Reader) fill() error {
	if len(r.buf) == cap(r.buf) {
		if err := r.grow(); err != nil {
			return err
		}
	}
	n, err := r.src.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf, r.err = r.buf[:len(r.buf)+n], err
	r.blocks[len(r.blocks)-1] = r.buf
	return nil
}

// leave lets go of the first so many blocks, of which nothing is left to be read.
func (r *Reader) leave(n int) {
	for range n {
		r.memory[0].Release()
		r.memory = r.memory[1:]
	}
}

// grow goes on in another block, which begins with the rest of the present one. It is taken to become values of about its own size.
func (r *Reader) grow() error {
	rest := r.buf[r.at:]
	block := max(firstBytes, min(4*r.block, chunkBytes))
	size := max(block, 2*len(rest))
	if err := r.holding.Set(decode.BlockBytes(r.memory) + r.held() + 2*int64(size)); err != nil {
		return err
	}
	next := decode.NewBlock(size)
	r.block = block
	r.buf = append(next.Room(), rest...)
	r.parser.forget() // names in the block
	r.blocks, r.memory = append(r.blocks, r.buf), append(r.memory, next)
	r.before, r.at = r.before+r.at, 0
	if parsed := r.before; parsed > 0 { // the rows to come are likely to be like those before
		for _, t := range r.tables {
			t.reserve(parsed, min(cap(r.buf), chunkBytes-parsed))
		}
	}
	return nil
}

// held is what the tables of this part of the body take.
func (r *Reader) held() (bytes int64) {
	for _, t := range r.tables {
		bytes += t.held()
	}
	return bytes
}

// Unit is the unit of timestamps, in nanoseconds.
type Unit int64

// auto is seconds, milliseconds, microseconds or nanoseconds, by the size of each timestamp, as InfluxDB 3 tells them apart.
const auto Unit = -1

// units by the names that InfluxDB's three APIs give them.
var units = map[string]Unit{
	"": 1, "n": 1, "ns": 1, "u": 1e3, "us": 1e3, "µ": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9, "m": 60e9, "h": 3600e9,
	"nanosecond": 1, "microsecond": 1e3, "millisecond": 1e6, "second": 1e9, "auto": auto,
}

// ParseUnit reads the parameter precision; empty is nanoseconds.
func ParseUnit(name string) (Unit, error) {
	unit, ok := units[name]
	if !ok {
		return 0, event.Errorf(event.CodeBadRequest, "precision %q is not known", name).WithHint("it is ns, us, ms, s, m, h or auto")
	}
	return unit, nil
}

func (u Unit) orDefault() Unit {
	if u == 0 {
		return 1
	}
	return u
}

// of is the unit of a timestamp.
func (u Unit) of(v int64) Unit {
	if u != auto {
		return u
	}
	switch seconds := max(v, -v) / 1e9; {
	case seconds < 0 || seconds >= 5e6: // the least of all is its own opposite
		return 1
	case seconds >= 5e3:
		return 1e3
	case seconds >= 5:
		return 1e6
	default:
		return 1e9
	}
}
