package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// kernel computes a strict function over the rows of a call that are valid. The other rows of its result are NULL and may hold
// anything in memory.
type kernel func(c *call) (arrow.Array, error)

// call is one computation of a strict function.
type call struct {
	ctx  *Context
	args []Operand
	rows int
	// result is the type to give, with precision and scale.
	result event.Type
	// valid marks the rows in which no argument is NULL; nil means all. The call owns it: a kernel clears rows by setNull.
	valid event.Bitmap
}

// setNull makes the result of row i NULL.
func (c *call) setNull(i int) {
	if c.valid == nil {
		c.valid = allValid(c.rows)
	}
	c.valid.Clear(i)
}

// strict wraps a kernel: NULL constants decide the result at once, constants alone give a constant, and a function of one
// dictionary column runs once per distinct value.
func strict(result event.Type, k kernel) Func {
	return func(ctx *Context, args []Operand, rows int) (Operand, error) {
		varying, at := 0, 0
		for i, a := range args {
			switch {
			case a.Const && isNull(a.Array):
				return null(result), nil
			case !a.Const:
				varying, at = varying+1, i
			}
		}
		if varying == 0 {
			out, err := run(result, k, ctx, args, 1)
			return Operand{Array: out, Const: true}, err
		}
		if d, ok := args[at].Array.(*array.Dictionary); ok && varying == 1 && d.Dictionary().Len() <= rows {
			return overDictionary(result, k, ctx, args, at, rows)
		}
		out, err := run(result, k, ctx, args, rows)
		return Operand{Array: out}, err
	}
}

// run calls a kernel unless no row is valid: what depends on constants alone must not fail for the sake of NULLs either.
func run(result event.Type, k kernel, ctx *Context, args []Operand, rows int) (arrow.Array, error) {
	c := &call{ctx: ctx, args: args, rows: rows, result: result, valid: jointValidity(args, rows)}
	if c.valid.Nulls(rows) == rows {
		return event.NewNulls(result, rows), nil
	}
	return k(c)
}

// overDictionary computes a function for each distinct value of its one dictionary argument and looks the rows up in the
// outcome. A dictionary may hold entries that no row uses, so a failure among them counts only if the rows repeat it.
func overDictionary(result event.Type, k kernel, ctx *Context, args []Operand, at, rows int) (Operand, error) {
	d := args[at].Array.(*array.Dictionary)
	if d.Dictionary().Len() == 0 {
		return Operand{Array: event.NewNulls(result, rows)}, nil
	}
	distinct := append([]Operand(nil), args...)
	distinct[at] = Operand{Array: d.Dictionary()}
	out, err := run(result, k, ctx, distinct, d.Dictionary().Len())
	if err != nil {
		out, err = run(result, k, ctx, args, rows)
		return Operand{Array: out}, err
	}
	return Operand{Array: throughCodes(out, d)}, nil
}

// throughCodes gives each row of a dictionary column the value that was computed for its code.
func throughCodes(values arrow.Array, d *array.Dictionary) arrow.Array {
	codes, valid := codesOf(d), validityOf(d)
	text, ok := values.(*array.String)
	if !ok {
		return gather(values, codes, valid)
	}
	if text.NullN() == 0 {
		return event.NewDictionary(codes, text, valid)
	}
	valid = gatherValidity(text, codes, valid)
	return event.NewDictionary(zeroInvalid(codes, valid), withoutNulls(text), valid)
}

// zeroInvalid copies codes with 0 under every NULL.
func zeroInvalid(codes []int32, valid event.Bitmap) []int32 {
	out := make([]int32, len(codes))
	for i, code := range codes {
		if valid.Valid(i) {
			out[i] = code
		}
	}
	return out
}

// mapFixed computes a fixed-width result row by row, for functions whose own work outweighs a call.
func mapFixed[T arrow.FixedWidthType](c *call, dt arrow.DataType, f func(i int) (T, error)) (arrow.Array, error) {
	out := make([]T, c.rows)
	for i := range out {
		if !c.valid.Valid(i) {
			continue
		}
		v, err := f(i)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return event.NewFixed(dt, out, c.valid), nil
}

// mapBooleans computes a BOOLEAN result row by row.
func mapBooleans(c *call, f func(i int) (bool, error)) (arrow.Array, error) {
	out := event.NewBitmap(c.rows)
	for i := range c.rows {
		if !c.valid.Valid(i) {
			continue
		}
		v, err := f(i)
		if err != nil {
			return nil, err
		}
		if v {
			out.Set(i)
		}
	}
	return event.NewBooleans(out, c.rows, c.valid), nil
}

// mapText computes a text result row by row: f appends the value of row i to dst.
func mapText(c *call, f func(dst []byte, i int) ([]byte, error)) (arrow.Array, error) {
	offsets := make([]int32, 1, c.rows+1)
	var data []byte
	for i := range c.rows {
		if c.valid.Valid(i) {
			var err error
			if data, err = f(data, i); err != nil {
				return nil, err
			}
			if len(data) > maxTextBytes {
				return nil, errTooMuchText()
			}
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, c.valid), nil
}
