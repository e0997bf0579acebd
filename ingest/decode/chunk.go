package decode

import (
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
)

// Chunk is a run of rows of one body, whatever its format was: each row is there as JSON text, which is what the log keeps.
// A Chunk does not change once it has been made.
type Chunk struct {
	// Lines holds the rows as newline-delimited JSON. Formats that are not lines set Texts instead, where a row may hold line
	// breaks.
	Lines []byte
	Texts [][]byte
	// Numbers says which row of the request each text is, from 0; nil if the rows follow one another, and those of the chunk before.
	Numbers []int64
	// Refused are rows that could not be turned into texts. Their Line is the row's place in the chunk, among texts and refused ones
	// alike, or its number in the request if Numbers is set.
	Refused []Rejected
	// Fields are what the format itself says of the columns, in order; it need not name all.
	Fields []Field
	// Columns holds the values that Texts spells, one array for each of Fields, which then names every member of every text. It
	// is nil where a format has nothing better than its texts.
	Columns []arrow.Array
	// Digest is a hash of the bytes that the chunk was made from, where its texts depend on more than those; else it is zero.
	Digest [16]byte
}

// Sum is a hash by which the chunk can be told from another one, and known again if the same bytes come a second time.
func (c *Chunk) Sum() [16]byte {
	if c.Digest != [16]byte{} {
		return c.Digest
	}
	if c.Texts == nil && c.Refused == nil {
		return xxh3.Hash128(c.Lines).Bytes()
	}
	h := xxh3.New128()
	for _, text := range c.Texts {
		_, _ = h.Write(append(binary.AppendUvarint(nil, uint64(len(text))), text...)) // never fails
	}
	for _, r := range c.Refused {
		_, _ = h.Write(binary.AppendUvarint(nil, uint64(r.Line)))
		_, _ = h.Write(r.Raw)
	}
	return h.Sum128().Bytes()
}

// Field is a column as a format declares it.
type Field struct {
	Name string
	// Type is what the column of a new stream becomes; of kind Unknown, the values decide.
	Type event.Type
}

// Bytes is about the memory that the chunk's rows take.
func (c *Chunk) Bytes() int {
	n := len(c.Lines)
	for _, text := range c.Texts {
		n += len(text)
	}
	for _, r := range c.Refused {
		n += len(r.Raw)
	}
	return n
}

// Empty reports whether the chunk has no text of a row.
func (c *Chunk) Empty() bool { return len(c.Lines) == 0 && len(c.Texts) == 0 }

// rows walks the chunk's texts.
func (c *Chunk) rows() lines {
	if c.Texts != nil {
		return lines{texts: c.Texts}
	}
	return splitLines(c.Lines)
}

// Decode decodes the chunk under a schema. Rejected rows carry their number in the request; first is the number of the chunk's first row,
// which counts where the chunk does not number its rows itself. See NDJSON for the rest.
func (c *Chunk) Decode(schema *event.Schema, options Options, first int64) (*Rows, error) {
	rows, err := c.decode(schema, options)
	if err != nil || rows.Drift {
		return rows, err
	}
	places := c.places(rows.Count + len(rows.Rejected))
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
	return decodeRows(c.rows(), c.Bytes(), schema, options)
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
