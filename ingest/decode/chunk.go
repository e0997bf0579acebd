package decode

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
)

// Chunk is a run of rows of one body, whatever its format was: as JSON texts, or as typed columns of which texts are made only where
// something has to look at those. A Chunk does not change once it has been made, and is used by one goroutine at a time.
type Chunk struct {
	// Lines holds the rows as newline-delimited JSON. Formats that are not lines set Texts instead, where a row may hold line
	// breaks.
	Lines []byte
	Texts [][]byte
	// Free, if not nil, takes back the memory of Lines and of Texts, once its rows are stored and nothing refers to it any more. It need not be called.
	Free func()
	// Kept is the memory that Texts lie in and that Free lets go of, where it is not known by their length; 0 otherwise. Rows of Columns may have such a
	// memory too, for Spell.
	Kept int64
	// Columns is set instead of both by formats that have typed values: one array for each of Fields, Rows long. Whoever makes a Chunk so
	// vouches for names that are distinct and allowed, and for text that is valid UTF-8.
	Columns []arrow.Array
	Rows    int
	// Types are those of Columns where Fields leave them to the values; nil where Fields say them all.
	Types []event.Type
	// Spell gives the texts of the rows of Columns as they came, for a schema that does not have those types. It is called once at most; nil
	// writes the values.
	Spell func() [][]byte
	// Numbers says which row of the request each text is, from 0; nil if the rows follow one another, and those of the chunk before.
	Numbers []int64
	// Refused are rows that could not be turned into texts. Their Line is the row's place in the chunk, among texts and refused ones
	// alike, or its number in the request if Numbers is set.
	Refused []Rejected
	// Fields are what the format itself says of the columns, in order; it need not name all.
	Fields []Field
	// Digest is a hash of the bytes that the chunk was made from, where its texts depend on more than those; else it is zero. Hash makes it
	// where somebody asks.
	Digest [16]byte
	Hash   func() [16]byte

	spelled [][]byte // what RowTexts has made of Columns
	joined  []*Chunk // what the chunk was made of by Join
}

// Sum is a hash by which the chunk can be told from another one, and known again if the same bytes come a second time.
func (c *Chunk) Sum() [16]byte {
	if digest := c.digest(); digest != [16]byte{} {
		return digest
	}
	if c.Columns != nil {
		return c.sumColumns()
	}
	return c.SumTexts()
}

// SumTexts is Sum by the rows' texts, which is what it was for all chunks before there were columns: for requests that were begun then.
func (c *Chunk) SumTexts() [16]byte {
	if c.joined != nil {
		return sumOf(c.joined, (*Chunk).SumTexts)
	}
	if digest := c.digest(); digest != [16]byte{} {
		return digest
	}
	texts := c.Texts
	if c.Columns != nil {
		texts = c.RowTexts()
	}
	if texts == nil && c.Refused == nil {
		return xxh3.Hash128(c.Lines).Bytes()
	}
	h := xxh3.New128()
	for _, text := range texts {
		_, _ = h.Write(append(binary.AppendUvarint(nil, uint64(len(text))), text...)) // never fails
	}
	c.sumRefused(h)
	return h.Sum128().Bytes()
}

func (c *Chunk) digest() [16]byte {
	if c.Hash != nil {
		c.Digest, c.Hash = c.Hash(), nil
	}
	return c.Digest
}

func (c *Chunk) sumRefused(h *xxh3.Hasher128) {
	for _, r := range c.Refused {
		_, _ = h.Write(binary.AppendUvarint(nil, uint64(r.Line)))
		_, _ = h.Write(r.Raw)
	}
}

// Field is a column as a format declares it.
type Field struct {
	Name string
	// Type is what the column of a new stream becomes; of kind Unknown, the values decide.
	Type event.Type
}

// rowBytes is what a row takes beside its values: its event time and its number.
const rowBytes = 16

// Bytes is about the memory that the chunk's rows take.
func (c *Chunk) Bytes() int {
	n := len(c.Lines) + c.Rows*rowBytes
	for _, values := range c.Columns {
		n += int(event.ArrayBytes(values))
	}
	for _, text := range c.Texts {
		n += len(text)
	}
	for _, r := range c.Refused {
		n += len(r.Raw)
	}
	return n
}

// Empty reports whether the chunk has no row.
func (c *Chunk) Empty() bool { return len(c.Lines) == 0 && len(c.Texts) == 0 && c.Rows == 0 }

// RowTexts are the rows as JSON texts, of a chunk that has them as such or as columns.
func (c *Chunk) RowTexts() [][]byte {
	switch {
	case c.Columns == nil:
		return c.Texts
	case c.spelled == nil && c.Spell != nil:
		c.spelled = c.Spell()
	case c.spelled == nil:
		c.spelled = c.writeTexts()
	}
	return c.spelled
}

// writeTexts makes texts of the columns.
func (c *Chunk) writeTexts() [][]byte {
	names, types := make([]string, len(c.Fields)), make([]event.Type, len(c.Fields))
	for i, f := range c.Fields {
		names[i], types[i] = f.Name, c.typeOf(i)
	}
	return RowTexts(names, types, c.Columns, c.Rows)
}

// typeOf is the type of a column of Columns.
func (c *Chunk) typeOf(i int) event.Type {
	if c.Types != nil {
		return c.Types[i]
	}
	return c.Fields[i].Type
}

// rows walks the chunk's texts.
func (c *Chunk) rows() lines {
	if c.Texts != nil || c.Columns != nil {
		return lines{texts: c.RowTexts()}
	}
	return splitLines(c.Lines)
}

// Counted reports whether rows, rejected ones too, are numbered by their place in the chunk, from the number of its first row.
func (c *Chunk) Counted() bool { return c.Numbers == nil && len(c.Refused) == 0 }

// Decode decodes the chunk under a schema. Rejected rows carry their number in the request; first is the number of the chunk's first row,
// which counts where the chunk does not number its rows itself. See NDJSON for the rest.
func (c *Chunk) Decode(schema *event.Schema, options Options, first int64) (*Rows, error) {
	rows, err := c.decode(schema, options)
	if err != nil || rows.Drift {
		return rows, err
	}
	places := c.places(rows.Count + len(rows.Rejected) + rows.MoreRejected)
	for i := range rows.Rejected {
		r := &rows.Rejected[i]
		switch {
		case c.Numbers != nil:
			r.Line = int(c.Numbers[r.Line])
		case places != nil:
			r.Line = int(first) + places[r.Line]
		default:
			r.Line += int(first)
		}
	}
	if len(c.Refused) == 0 {
		return rows, nil
	}
	for _, r := range c.Refused {
		if c.Numbers == nil {
			r.Line += int(first)
		}
		rows.Rejected = append(rows.Rejected, r)
	}
	slices.SortStableFunc(rows.Rejected, func(a, b Rejected) int { return a.Line - b.Line })
	return rows, nil
}

// decode takes the columns as they came where the schema has the same, and reads the texts otherwise.
func (c *Chunk) decode(schema *event.Schema, options Options) (*Rows, error) {
	if c.Columns != nil {
		if rows := c.take(schema, options); rows != nil {
			return rows, nil
		}
	}
	rows := c.rows()
	size := len(rows.rest)
	for _, text := range rows.texts {
		size += len(text)
	}
	return decodeRows(rows, size, schema, options)
}

// places gives each text its place among all rows of the chunk; nil if none was refused.
func (c *Chunk) places(texts int) []int {
	if len(c.Refused) == 0 || c.Numbers != nil {
		return nil
	}
	out := make([]int, 0, texts)
	refused := c.Refused
	for place := 0; len(out) < texts; place++ {
		if len(refused) > 0 && refused[0].Line == place {
			refused = refused[1:]
			continue
		}
		out = append(out, place)
	}
	return out
}

// Infer makes the first schema of a stream from its first rows: see the function Infer. Declared columns come first, in their order.
func (c *Chunk) Infer(timeColumn string) (*event.Schema, error) { return infer(c, timeColumn) }

// PossibleTimes names the fields, sorted, that could be the event time though they are not called so: their first values are texts that
// can be read as times.
func (c *Chunk) PossibleTimes() []string { return possibleTimes(c) }

// Has reports whether a row has a member of a name, or the format a column.
func (c *Chunk) Has(name string) bool {
	if slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Name == name }) {
		return true
	}
	var reader memberReader
	lines := c.rows()
	for row, ok := lines.next(); ok; row, ok = lines.next() {
		members, _ := reader.read(row)
		if slices.ContainsFunc(members, func(m member) bool { return m.name == name }) {
			return true
		}
	}
	return false
}

// Evolve gives the next version of a schema, which can hold every acceptable row of the chunk: see the function Evolve.
func (c *Chunk) Evolve(schema *event.Schema, exact func(event.FieldID) bool) (*event.Schema, error) {
	return evolve(c, schema, exact), nil
}

// Infer is Chunk.Infer for newline-delimited JSON.
func Infer(lines []byte, timeColumn string) (*event.Schema, error) {
	return infer(&Chunk{Lines: lines}, timeColumn)
}

// Evolve is Chunk.Evolve for newline-delimited JSON.
func Evolve(lines []byte, schema *event.Schema, exact func(event.FieldID) bool) (*event.Schema, error) {
	return evolve(&Chunk{Lines: lines}, schema, exact), nil
}
