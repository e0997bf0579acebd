package parquetbody

import (
	"bytes"
	"encoding/binary"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/ingest/decode/columnar"
)

// schema is what a file's columns become. It does not change, and serves all files that have the same.
type schema struct {
	arrow   *arrow.Schema
	plan    *columnar.Plan
	columns []columnShape
	leaves  []leafColumn // in the order of the file
}

// columnShape is one column of the rows, with the leaves that it has in the file.
type columnShape struct {
	first, leaves int
	// flat is set where the column is one leaf with one value for each row; root describes others.
	flat  bool
	types []leafType
	root  *node
}

// leafColumn is a leaf of the file.
type leafColumn struct {
	kind                       parquet.Kind
	width, deepest, deepestRep int
}

// noKind is the physical type that the library gives a column without values.
const noKind parquet.Kind = -1

// schemas are those of the last files, by the text that says them: to read one takes longer than to read a file of a few rows.
var schemas = schemaCache{known: map[string]*schema{}}

const (
	// maxSchemas and maxSchemaText bound what is kept of schemas.
	maxSchemas    = 64
	maxSchemaText = 64 << 10
)

type schemaCache struct {
	mu    sync.Mutex
	known map[string]*schema
}

// of gives the schema of a text.
func (c *schemaCache) of(text []byte) (*schema, error) {
	c.mu.Lock()
	known := c.known[string(text)]
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := newSchema(text)
	if err != nil || len(text) > maxSchemaText {
		return made, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= maxSchemas {
		clear(c.known)
	}
	c.known[string(text)] = made
	return made, nil
}

// newSchema reads the list of columns of a footer. The Parquet library knows what they mean: it is given a file that has nothing else.
func newSchema(text []byte) (*schema, error) {
	if text == nil {
		return nil, parquet.ErrMissingRootColumn
	}
	file := append([]byte(nil), magic...)
	file = append(file, 1<<4|typeI32, 2) // the version: 1
	file = append(append(file, 1<<4|typeList), text...)
	file = append(file, 1<<4|typeI64, 0, 1<<4|typeList, typeStruct, 0) // no rows, no row groups
	file = binary.LittleEndian.AppendUint32(file, uint32(len(file)-len(magic)))
	file = append(file, magic...)
	opened, err := parquet.OpenFile(bytes.NewReader(file), int64(len(file)), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	out := &schema{}
	var fields []arrow.Field
	logical := logicalTypes(opened.Metadata().Schema)
	for _, node := range opened.Root().Columns() {
		first := len(out.leaves)
		out.leaves = appendLeaves(out.leaves, node)
		shape := columnShape{first: first, leaves: len(out.leaves) - first, flat: node.Leaf() && !node.Repeated()}
		field, err := shape.open(node, logical)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
		out.columns = append(out.columns, shape)
	}
	out.arrow = arrow.NewSchema(fields, nil)
	out.plan, err = columnar.NewPlan(out.arrow)
	return out, err
}

// logicalTypes are those of the leaves, in the order of the file: the library forgets some that it does not know what to do with.
func logicalTypes(elements []format.SchemaElement) (leaves []any) {
	for i := range elements {
		if e := &elements[i]; !e.NumChildren.Valid || e.NumChildren.V == 0 {
			leaves = append(leaves, e.LogicalType.Value)
		}
	}
	return leaves
}

// appendLeaves lists the leaves of a column in the order of the file.
func appendLeaves(leaves []leafColumn, c *parquet.Column) []leafColumn {
	if c.Leaf() {
		return append(leaves, leafColumn{c.Type().Kind(), width(c.Type()), c.MaxDefinitionLevel(), c.MaxRepetitionLevel()})
	}
	for _, child := range c.Columns() {
		leaves = appendLeaves(leaves, child)
	}
	return leaves
}

// open chooses how a column of the rows is read.
func (s *columnShape) open(c *parquet.Column, logical []any) (arrow.Field, error) {
	if s.flat {
		t, err := leafTypeOf(c, logical)
		s.types = []leafType{t}
		return field(c.Name(), t.arrow, t.extension), err
	}
	a := &assembler{}
	var err error
	s.root, err = a.add(c, logical, 0)
	s.types = a.types
	return field(c.Name(), arrow.BinaryTypes.String, "arrow.json"), err
}

func field(name string, t arrow.DataType, extension string) arrow.Field {
	f := arrow.Field{Name: name, Type: t, Nullable: true}
	if extension != "" {
		f.Metadata = arrow.NewMetadata([]string{"ARROW:extension:name"}, []string{extension})
	}
	return f
}
