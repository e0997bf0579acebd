package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/tidemarkdb/tidemark/event"
)

// column is typed access to an operand of fixed width. mask is 0 for a constant and all ones otherwise, so that
// values[i&mask] is the value of row i in both forms and one loop serves them all.
type column[T arrow.FixedWidthType] struct {
	values []T
	mask   int
}

func fixed[T arrow.FixedWidthType](o Operand) column[T] {
	return column[T]{values: arrow.GetValues[T](o.Array.Data(), 1), mask: o.mask()}
}

func (c column[T]) at(i int) T { return c.values[i&c.mask] }

func (o Operand) mask() int {
	if o.Const {
		return 0
	}
	return -1
}

// texts is access to a TEXT, JSONB or BYTEA operand, plain or dictionary. Only valid rows may be asked for: the code of a NULL means
// nothing.
type texts struct {
	values *array.String
	codes  []int32 // nil where the values stand in row order
	mask   int
}

func textsOf(o Operand) texts {
	if b, ok := o.Array.(*array.Binary); ok {
		return texts{values: event.AsText(b), mask: o.mask()}
	}
	if d, ok := o.Array.(*array.Dictionary); ok {
		return texts{values: d.Dictionary().(*array.String), codes: codesOf(d), mask: o.mask()}
	}
	return texts{values: o.Array.(*array.String), mask: o.mask()}
}

func (t *texts) at(i int) string {
	i &= t.mask
	if t.codes != nil {
		i = int(t.codes[i])
	}
	return t.values.Value(i)
}

// booleans copies a BOOLEAN operand into a bitmap that starts at bit 0. Bits of NULL rows mean nothing.
func booleans(o Operand, rows int) event.Bitmap {
	b := o.Array.(*array.Boolean)
	if o.Const {
		if b.Value(0) {
			return filled(rows, 0xff)
		}
		return event.NewBitmap(rows)
	}
	out := event.NewBitmap(rows)
	if rows > 0 {
		bitutil.CopyBitmap(b.Data().Buffers()[1].Bytes(), b.Data().Offset(), rows, out, 0)
	}
	return out
}

// codesOf is the codes of a dictionary column, one for each row.
func codesOf(d *array.Dictionary) []int32 {
	return arrow.GetValues[int32](d.Data(), 1)
}

func isText(a arrow.Array) bool {
	switch a.(type) {
	case *array.String, *array.Dictionary:
		return true
	default:
		return false
	}
}

// maxTextBytes is how much text one array can hold: offsets are 32 bits wide.
const maxTextBytes = math.MaxInt32

func errTooMuchText() error {
	return event.Errorf(event.CodeTooLarge, "the text computed for one batch exceeds 2 GiB")
}
