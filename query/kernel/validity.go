package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/tidemarkdb/tidemark/event"
)

// isNull reports whether a constant, an array of one value, is NULL. Unlike the array's own method it knows the array that has no
// values at all.
func isNull(a arrow.Array) bool {
	return a.DataType().ID() == arrow.NULL || a.IsNull(0)
}

// allValid is a Bitmap of n rows without NULLs, to clear some from.
func allValid(n int) event.Bitmap { return filled(n, 0xff) }

// filled is a Bitmap of n rows that are all alike.
func filled(n int, pattern byte) event.Bitmap {
	out := event.NewBitmap(n)
	if pattern != 0 {
		for i := range out {
			out[i] = pattern
		}
	}
	return out
}

// validityOf copies an array's validity; nil where nothing is NULL.
func validityOf(a arrow.Array) event.Bitmap {
	switch {
	case a.DataType().ID() == arrow.NULL:
		return event.NewBitmap(a.Len())
	case a.NullN() == 0:
		return nil
	}
	out := event.NewBitmap(a.Len())
	bitutil.CopyBitmap(a.NullBitmapBytes(), a.Data().Offset(), a.Len(), out, 0)
	return out
}

// validity is the validity of an operand over all rows of a batch.
func (o Operand) validity(rows int) event.Bitmap {
	switch {
	case !o.Const:
		return validityOf(o.Array)
	case isNull(o.Array):
		return event.NewBitmap(rows)
	default:
		return nil
	}
}

// jointValidity marks the rows in which no argument is NULL.
func jointValidity(args []Operand, rows int) event.Bitmap {
	var out event.Bitmap
	for _, a := range args {
		out = both(out, a.validity(rows))
	}
	return out
}

// both intersects two validities; it may reuse a's memory.
func both(a, b event.Bitmap) event.Bitmap {
	if a == nil {
		return b
	}
	if b != nil {
		for i := range a {
			a[i] &= b[i]
		}
	}
	return a
}

// orAll is the bitmap itself, written out where nil stands for all rows.
func orAll(b event.Bitmap, rows int) event.Bitmap {
	if b == nil {
		return allValid(rows)
	}
	return b
}
