package segments

import (
	"bytes"
	"cmp"
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// rowOrder is how the rows of a stream's segments are sorted: by event time, then by the columns that the stream asks for, then by
// partition and offset.
type rowOrder struct {
	schema *event.Schema
	by     []event.Column
}

// newRowOrder leaves out what cannot be sorted by: columns that are gone, and JSONB, which has no order of its own.
func newRowOrder(schema *event.Schema, by []event.FieldID) rowOrder {
	out := rowOrder{schema: schema}
	for _, id := range by {
		if column, ok := schema.ByID(id); ok && column.Type.Kind != event.JSONB && id != schema.TimeColumn {
			out.by = append(out.by, column)
		}
	}
	return out
}

// ids are the columns of the order behind the time, for the footer.
func (o rowOrder) ids() []event.FieldID {
	var out []event.FieldID
	for _, column := range o.by {
		out = append(out, column.ID)
	}
	return out
}

// fixedSorting is how many columns readSorting gives behind those that the stream asks for: event time, arrival time, partition, offset.
const fixedSorting = 4

// columns lists what readSorting reads.
func (o rowOrder) columns() []event.Column {
	out := append([]event.Column{}, o.by...)
	timeColumn := o.schema.TimeColumn
	if timeColumn == 0 {
		timeColumn = event.FieldIngestedAt
	}
	for _, id := range []event.FieldID{timeColumn, event.FieldIngestedAt, event.FieldPartition, event.FieldOffset} {
		column, _ := o.schema.ByID(id)
		out = append(out, column)
	}
	return out
}

// sortTies puts rows of equal time, which stand in the order of partition and offset, into that of the columns. parts are by column of
// the schema, then batch.
func (o rowOrder) sortTies(rows []place, parts [][]arrow.Array) {
	if len(o.by) == 0 {
		return
	}
	var keys [][]arrow.Array // by column of the order, then batch
	for i, column := range o.schema.All() {
		at := slices.IndexFunc(o.by, func(c event.Column) bool { return c.ID == column.ID })
		if at >= 0 {
			keys = append(keys, make([][]arrow.Array, max(0, at+1-len(keys)))...)
			keys[at] = parts[i]
		}
	}
	compare := func(a, b place) int {
		for _, key := range keys {
			if by := compareValues(key[a.batch], int(a.row), key[b.batch], int(b.row)); by != 0 {
				return by
			}
		}
		return 0
	}
	for from := 0; from < len(rows); {
		to := from + 1
		for to < len(rows) && rows[to].time == rows[from].time {
			to++
		}
		slices.SortStableFunc(rows[from:to], compare)
		from = to
	}
}

// readSorting reads what rows from..to of the part's row group are sorted by.
func (p part) readSorting(ctx context.Context, order rowOrder, from, to int, memory *event.Buffers) ([]arrow.Array, error) {
	columns := order.columns()
	out := make([]arrow.Array, len(columns))
	for i, column := range columns {
		source, ok := findSource(p.reader, column)
		if !ok {
			out[i] = event.NewNulls(column.Type, to-from)
			continue
		}
		read, _, err := p.reader.Read(ctx, []event.FieldID{source.ID}, p.group, from, to, memory)
		if err != nil {
			return nil, err
		}
		if out[i], err = conformed(read[0], source, column); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sortKeys are columns to sort by, the one that matters most first.
type sortKeys []arrow.Array

func (k sortKeys) compare(i int, o sortKeys, j int) int {
	for c := range k {
		if by := compareValues(k[c], i, o[c], j); by != 0 {
			return by
		}
	}
	return 0
}

// compareValues orders value i of a column and value j of another of the same type. NULL sorts last, NaN before it.
func compareValues(a arrow.Array, i int, b arrow.Array, j int) int {
	if a.IsNull(i) || b.IsNull(j) {
		return cmp.Compare(boolInt(a.IsNull(i)), boolInt(b.IsNull(j)))
	}
	switch a := a.(type) {
	case *array.Boolean:
		return cmp.Compare(boolInt(a.Value(i)), boolInt(b.(*array.Boolean).Value(j)))
	case *array.Int64:
		return cmp.Compare(a.Value(i), b.(*array.Int64).Value(j))
	case *array.Int32:
		return cmp.Compare(a.Value(i), b.(*array.Int32).Value(j))
	case *array.Int16:
		return cmp.Compare(a.Value(i), b.(*array.Int16).Value(j))
	case *array.Date32:
		return cmp.Compare(a.Value(i), b.(*array.Date32).Value(j))
	case *array.Timestamp:
		return cmp.Compare(a.Value(i), b.(*array.Timestamp).Value(j))
	case *array.Float64:
		return compareFloats(a.Value(i), b.(*array.Float64).Value(j))
	case *array.Float32:
		return compareFloats(float64(a.Value(i)), float64(b.(*array.Float32).Value(j)))
	case *array.Decimal128:
		return a.Value(i).Cmp(b.(*array.Decimal128).Value(j))
	case *array.FixedSizeBinary:
		return bytes.Compare(a.Value(i), b.(*array.FixedSizeBinary).Value(j))
	case *array.Binary:
		return bytes.Compare(a.Value(i), b.(*array.Binary).Value(j))
	default:
		return cmp.Compare(event.StringAt(a, i), event.StringAt(b, j))
	}
}

// compareFloats puts NaN last.
func compareFloats(a, b float64) int {
	if a != a || b != b {
		return cmp.Compare(boolInt(a != a), boolInt(b != b))
	}
	return cmp.Compare(a, b)
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
