package exec

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// batchBytes estimates the memory that a batch's rows take. Dictionaries' values are left out: batches share them.
func batchBytes(b *Batch) int64 {
	var total int64
	for _, c := range b.Columns {
		if c != nil {
			total += arrayBytes(c)
		}
	}
	return total
}

func arrayBytes(a arrow.Array) int64 {
	rows := int64(a.Len())
	validity := rows / 8
	switch a := a.(type) {
	case *array.Boolean:
		return rows/8 + validity
	case *array.String:
		return 4*rows + int64(len(a.ValueBytes())) + validity
	case *array.Dictionary:
		return 4*rows + validity
	case *array.List:
		return 4*rows + validity + int64(a.ListValues().Data().SizeInBytes())
	case *array.Binary:
		return 4*rows + int64(len(a.ValueBytes())) + validity
	case *array.MonthDayNanoInterval, *array.Decimal128, *array.FixedSizeBinary:
		return 16*rows + validity
	case *array.Null:
		return 0
	default:
		return 8*rows + validity
	}
}

// joinBatches lays batches of the same columns end to end.
func joinBatches(batches []*Batch) (*Batch, error) {
	out := &Batch{Columns: make([]arrow.Array, len(batches[0].Columns))}
	for _, b := range batches {
		out.Rows += b.Rows
	}
	if out.Rows > math.MaxInt32 {
		return nil, event.Errorf(event.CodeTooLarge, "a sort of more than %d rows", math.MaxInt32)
	}
	for i := range out.Columns {
		parts := make([]arrow.Array, 0, len(batches))
		for _, b := range batches {
			if b.Columns[i] != nil {
				parts = append(parts, b.Columns[i])
			}
		}
		if len(parts) < len(batches) {
			continue // nobody reads it
		}
		var err error
		if out.Columns[i], err = kernel.Concat(parts); err != nil {
			return nil, fmt.Errorf("sort: %w", err)
		}
	}
	return out, nil
}
