// Package csvbody takes comma-separated values (RFC 4180) apart into rows: columns where the stream has columns that the cells fit, else JSON.
//
// What always holds: a cell becomes a number or a boolean only where its column can hold it and its text is one as JSON writes it, so that
// nothing is lost; memory is bounded by a chunk and a row; chunks are a function of the body's bytes and the options, not of how the
// bytes arrive. A Reader is used by one goroutine.
package csvbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/celltext"
)

// chunkBytes is how much text the first chunk has before it is given away, and largeBytes those behind it, as for lines.
const (
	chunkBytes = 256 << 10
	largeBytes = 1 << 20
)

// Options say how a body is written. The zero value lets the header tell, and means NULL for a cell that is empty and not quoted.
type Options struct {
	// Delimiter stands between cells; 0 is the one that the header has: a comma, or where it has none, tabs, semicolons or bars.
	Delimiter byte
	// Escape takes its meaning from a quote within a quoted cell, and from itself, as a backslash does in what MySQL writes; 0 leaves it to a second quote.
	Escape byte
	// Nulls are the texts that mean NULL where they are not quoted; nil is the empty text alone.
	Nulls []string
	// Header says whether the first line names the columns; the zero value leaves it to the line.
	Header Header
	// Columns are the names of the columns; nil where the first line has them. Beside them that is a row, unless Header says otherwise. Each is another.
	Columns []string
	// Order says how dates such as 03/01/2026 are read: cells that are such a date, with or without a time of day, then stand for the same with the
	// year first. Without it they are texts.
	Order event.DateOrder
	// Schema gives the stream's present schema, or nil if there is none yet: it decides what cells become. It may be nil itself.
	Schema func() *event.Schema
	// Keyed keeps all chunks as small as the first: those of a request with a key were so from the first version on, and its repetition is known by them.
	Keyed bool
	// Hold is asked for the memory that a chunk takes until Next returns it; see decode.Holding. It may be nil.
	Hold func(bytes int64) error
}

// Validate refuses delimiters that could not be told from what cells are made of.
func (o Options) Validate() error {
	if c := o.Delimiter; c == '"' || c == '\n' || c == '\r' || c >= utf8.RuneSelf {
		return event.Errorf(event.CodeBadRequest, "%q cannot stand between cells", string(rune(c))).WithHint("use one ASCII character such as , ; | or a tab")
	}
	if c := o.Escape; c == '\n' || c == '\r' || c >= utf8.RuneSelf || c != 0 && c == o.Delimiter {
		return event.Errorf(event.CodeBadRequest, "%q cannot stand before a quote", string(rune(c))).WithHint("use one ASCII character such as a backslash")
	}
	return nil
}

// Reader reads one body.
type Reader struct {
	options Options
	records records
	header  []string
	guessed bool       // that the first line is a row, as columns have names without it
	source  string     // what has told how many cells a row has
	doubt   *firstLine // what was taken for the header; nil where there is no doubt of it
	names   []string   // what labels gives
	fields  []decode.Field
	rows    int // about how many a chunk has
	chunk   int // how much text the next has
	batch   *batch
}

// NewReader reads from src under valid options.
func NewReader(src io.Reader, options Options) *Reader {
	if options.Nulls == nil {
		options.Nulls = []string{""}
	}
	if options.Escape == '"' { // which is so without a word
		options.Escape = 0
	}
	r := &Reader{options: options, source: "the header", chunk: chunkBytes}
	if options.Columns != nil && options.Header == LikelyHeader {
		r.options.Header, r.guessed = WithoutHeader, true
	}
	r.records = records{
		src: src, delimiter: options.Delimiter, escape: options.Escape, most: chunkBytes, width: len(options.Columns), rows: r.options.Header == WithoutHeader,
	}
	r.records.holding.Hold, r.records.beside = options.Hold, r.held
	return r
}

// held is what the present chunk takes beside its text.
func (r *Reader) held() int64 {
	if r.batch == nil {
		return 0
	}
	return r.batch.held()
}

// Next returns the next chunk of rows, or io.EOF after the last. A header that cannot be used is an error of the request.
func (r *Reader) Next() (*decode.Chunk, error) {
	if r.header == nil {
		if err := r.readHeader(); err != nil {
			return nil, err
		}
	}
	b := r.begin()
	r.batch = b
	for b.size < r.chunk && len(b.all) < decode.MaxChunkRows {
		if line := b.quick(); line != nil {
			b.size += len(line)
			b.all = append(b.all, line)
			continue
		}
		rec, err := r.records.next()
		if errors.Is(err, io.EOF) && len(b.all) > 0 {
			break
		}
		if err != nil {
			return r.broken(b, err)
		}
		b.add(rec)
		b.expect()
	}
	if err := r.judge(b.all); err != nil {
		return nil, err
	}
	return b.chunk(), nil
}

// broken gives the rows that were whole before the body broke off; the error comes again with the next call.
func (r *Reader) broken(b *batch, err error) (*decode.Chunk, error) {
	if fault := r.judge(b.all); fault != nil {
		return nil, fault
	}
	if len(b.all) == 0 {
		return nil, err
	}
	return b.chunk(), nil
}

// labels are the header's names as members begin: quoted, with a colon.
func (r *Reader) labels() []string {
	if r.names == nil {
		for _, name := range r.header {
			r.names = append(r.names, string(event.AppendJSONString(nil, name))+":")
		}
	}
	return r.names
}

// isNull reports whether a cell means NULL.
func (r *Reader) isNull(c cell) bool {
	if c.quoted {
		return false
	}
	for _, null := range r.options.Nulls {
		if string(c.text) == null {
			return true
		}
	}
	return false
}

// withoutSurplus takes cells off the end of a row that the header has no name for, as long as nothing is in them: programs that write a delimiter behind
// every cell, the last too, do not always do so in the header.
func (r *Reader) withoutSurplus(cells []cell) []cell {
	for len(cells) > len(r.header) {
		if last := cells[len(cells)-1]; last.quoted || len(last.text) > 0 {
			break
		}
		cells = cells[:len(cells)-1]
	}
	return cells
}

// order puts the year first in cells that are dates in the order of the body.
func (r *Reader) order(cells []cell) {
	if r.options.Order == event.AnyOrder {
		return
	}
	for i := range cells {
		text := cells[i].text
		if date, ok := r.options.Order.YearFirst(unsafe.String(unsafe.SliceData(text), len(text))); ok {
			cells[i].text = []byte(date)
		}
	}
}

// batch gathers the records of a chunk: as columns while every cell is a value of the column that the stream has. Else cells become JSON
// when all are there, for a new column's type depends on all of them.
type batch struct {
	reader  *Reader
	all     [][]byte // the records so far, those that are refused among them
	refused []decode.Rejected
	size    int
	// cells are nil where texts are needed.
	cells   *decode.Cells
	writers []celltext.Writer
	// lines is set where cells may read whole lines.
	lines bool
	// block is how large the present block of the body is.
	block int
}

// begin begins a chunk, which is likely to have as many rows as the one before.
func (r *Reader) begin() *batch {
	b := &batch{reader: r, all: make([][]byte, 0, r.rows), block: r.records.block}
	if schema := r.schema(); schema != nil {
		b.cells, b.writers = decode.NewCells(schema, r.header, r.rows, r.chunk), r.writers(schema, nil)
	}
	if b.cells != nil && r.options.Order == event.AnyOrder && r.options.Escape == 0 {
		b.lines = b.cells.Written(decode.CellForm{Delimiter: r.records.delimiter, Nulls: r.options.Nulls, AsJSON: b.writers})
	}
	return b
}

// rowBytes is what a row takes beside its cells.
const rowBytes = 24

// held is the memory of the chunk so far, beside its text.
func (b *batch) held() int64 {
	n := rowBytes * int64(cap(b.all))
	for _, r := range b.refused {
		n += rowBytes + int64(len(r.Raw))
	}
	if b.cells != nil {
		n += b.cells.Held()
	}
	return n
}

// expect says how many rows there will be, where the body has gone on in another block: those to come are likely to be like those before.
func (b *batch) expect() {
	if block := b.reader.records.block; block != b.block {
		if rows := len(b.all); b.cells != nil {
			b.cells.Expect(min(rows+rows*min(block, b.reader.chunk-b.size)/max(b.size, 1), decode.MaxChunkRows))
		}
		b.block = block
	}
}

// quick adds the next line straight to the columns where there is nothing unusual about it; else it gives nil.
func (b *batch) quick() []byte {
	if !b.lines || b.cells == nil {
		return nil
	}
	text := b.reader.records.unread()
	end := b.cells.ReadLine(text)
	if end == 0 {
		return nil
	}
	return b.reader.records.pass(end)
}

func (r *Reader) schema() *event.Schema {
	if r.options.Schema == nil {
		return nil
	}
	return r.options.Schema()
}

func (b *batch) add(rec record) {
	b.size += len(rec.raw)
	reason, want := rec.fault, len(b.reader.header)
	if rec.cells = b.reader.withoutSurplus(rec.cells); reason == "" && len(rec.cells) != want {
		reason = fmt.Sprintf("the row has %d cells, %s %d", len(rec.cells), b.reader.source, want)
	}
	if reason == "" && !utf8.Valid(rec.raw) {
		reason = invalidCell(b.reader.header, rec.cells)
	}
	b.reader.order(rec.cells)
	if reason != "" {
		b.refused = append(b.refused, decode.Rejected{Line: len(b.all), Reason: reason, Raw: bytes.Clone(rec.raw)}) // it may outlive the chunk
	} else if b.cells != nil && !b.store(rec.cells) {
		b.cells = nil
	}
	b.all = append(b.all, rec.raw)
}

// store adds a row to the columns; false if some cell is no value of its column.
func (b *batch) store(cells []cell) bool {
	for i, c := range cells {
		if !b.reader.isNull(c) && !b.cells.Add(i, c.text, b.writers[i]) {
			return false
		}
	}
	b.cells.EndRow()
	return true
}

// invalidCell says what is wrong with the text of a row, if anything.
func invalidCell(header []string, cells []cell) string {
	for i, c := range cells {
		if !utf8.Valid(c.text) {
			return fmt.Sprintf("field %q: invalid UTF-8", header[i])
		}
	}
	return ""
}

// chunk gives the records away.
func (b *batch) chunk() *decode.Chunk {
	r, all := b.reader, b.all
	r.rows = len(all) + len(all)/8
	out := &decode.Chunk{Fields: r.fields, Refused: b.refused, Hash: func() [16]byte { return r.hash(all) }}
	if b.size >= chunkBytes && r.chunk == chunkBytes && !r.options.Keyed {
		r.chunk, r.records.most, r.rows = largeBytes, largeBytes, r.rows*(largeBytes/chunkBytes)
	}
	out.Free = decode.Keep(r.records.memory)
	r.batch, out.Kept = nil, r.records.leave()
	rows, schema := b.rows(), r.schema()
	if b.cells == nil || len(rows) == 0 {
		var size int
		out.Texts, size = r.texts(rows, schema)
		out.Kept += int64(size)
		return out
	}
	out.Columns, out.Types = b.cells.Columns()
	out.Rows, out.Spell = len(rows), func() [][]byte {
		texts, _ := r.texts(rows, schema)
		return texts
	}
	return out
}

// rows are the records that were not refused.
func (b *batch) rows() [][]byte {
	if len(b.refused) == 0 {
		return b.all
	}
	out, refused := make([][]byte, 0, len(b.all)), b.refused
	for place, raw := range b.all {
		if len(refused) > 0 && refused[0].Line == place {
			refused = refused[1:]
			continue
		}
		out = append(out, raw)
	}
	return out
}

// hash is of the header and of records: what their JSON is depends on the stream too.
func (r *Reader) hash(records [][]byte) [16]byte {
	sum := xxh3.New128()
	for _, label := range r.labels() {
		_, _ = sum.WriteString(label) // never fails
	}
	for _, raw := range records {
		_, _ = sum.Write(raw)
		_, _ = sum.Write([]byte{'\n'})
	}
	return sum.Sum128().Bytes()
}

// texts writes records that were cut into cells before as JSON, and gives how much memory that takes.
func (r *Reader) texts(rows [][]byte, schema *event.Schema) (texts [][]byte, bytes int) {
	split, width := records{delimiter: r.records.delimiter, escape: r.records.escape}, len(r.header)
	size := 0
	cells := make([]cell, 0, len(rows)*width)
	for _, raw := range rows {
		cells = append(cells, r.withoutSurplus(split.split(raw).cells)...)
		size += len(raw)
	}
	r.order(cells)
	writers, labels := r.writers(schema, cells), r.labels()
	text := make([]byte, 0, size+size/2)
	out := make([][]byte, 0, len(rows))
	for ; len(cells) > 0; cells = cells[width:] {
		start := len(text)
		text = append(text, '{')
		for i, c := range cells[:width] {
			if r.isNull(c) {
				continue
			}
			if text[len(text)-1] != '{' {
				text = append(text, ',')
			}
			text = writers[i](append(text, labels[i]...), c.text)
		}
		text = append(text, '}')
		out = append(out, text[start:len(text):len(text)])
	}
	return out, cap(text)
}

// writers chooses how the cells of each column become JSON: as the stream's column wants them, or as all of them suggest.
func (r *Reader) writers(schema *event.Schema, cells []cell) []celltext.Writer {
	out := make([]celltext.Writer, len(r.header))
	for i, name := range r.header {
		if column := find(schema, name); column != nil {
			out[i] = celltext.For(column.Type.Kind, column.ID == schema.TimeColumn)
			continue
		}
		out[i] = r.sniff(i, cells)
	}
	return out
}

func find(schema *event.Schema, name string) *event.Column {
	if schema == nil {
		return nil
	}
	at := slices.IndexFunc(schema.Columns, func(c event.Column) bool { return c.Name == name })
	if at < 0 {
		return nil
	}
	return &schema.Columns[at]
}

// sniff chooses for a column that the stream does not have, by its cells.
func (r *Reader) sniff(column int, cells []cell) celltext.Writer {
	var seen celltext.Guess
	for at := column; at < len(cells); at += len(r.header) {
		if c := cells[at]; !r.isNull(c) {
			seen.Add(c.text)
		}
	}
	return seen.Writer()
}
