package kernel

import (
	"encoding/binary"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// Filter returns the rows, ascending, for which all conjuncts are true. Each conjunct can only fail on rows that those before
// it kept, so that `x <> 0 AND 10 / x > 1` is safe. Columns that no conjunct reads may be nil.
func Filter(ctx *Context, conjuncts []*Program, columns []arrow.Array, rows int) ([]int32, error) {
	if len(conjuncts) == 0 {
		return sequence(rows), nil
	}
	first, err := conjuncts[0].Eval(ctx, columns, rows)
	if err != nil {
		return nil, err
	}
	kept := True(first, rows, nil)
	for _, p := range conjuncts[1:] {
		if len(kept) == 0 {
			break
		}
		var err error
		if kept, err = p.narrow(ctx, columns, rows, kept); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// gatherBelow is the share of rows, one in so many, below which gathering the rows still kept costs less than computing a
// conjunct for all.
const gatherBelow = 4

func (p *Program) narrow(ctx *Context, columns []arrow.Array, rows int, kept []int32) ([]int32, error) {
	if len(kept) == rows || len(kept)*gatherBelow > rows {
		out, err := p.Eval(ctx, columns, rows)
		if err == nil {
			return intersect(kept, out, rows), nil
		}
		if len(kept) == rows {
			return nil, err
		}
	}
	out, err := p.evalOn(ctx, columns, rows, kept)
	if err != nil {
		return nil, err
	}
	met, _ := split(kept, out)
	return met, nil
}

// intersect leaves those of the kept rows for which the condition, computed for all rows, is true.
func intersect(kept []int32, condition Operand, rows int) []int32 {
	if len(kept) == rows {
		return True(condition, rows, kept[:0])
	}
	met := trueBits(condition, rows)
	out := kept[:0]
	for _, row := range kept {
		if met.Valid(int(row)) {
			out = append(out, row)
		}
	}
	return out
}

// True appends to into[:0] the rows for which a BOOLEAN operand is true: neither false nor NULL.
func True(o Operand, rows int, into []int32) []int32 {
	met := trueBits(o, rows)
	if into == nil {
		into = make([]int32, 0, rows-met.Nulls(rows))
	}
	into = into[:0]
	word := 0
	for ; word+8 <= len(met); word += 8 {
		into = appendSetBits(into, binary.LittleEndian.Uint64(met[word:]), word*8, rows)
	}
	for ; word < len(met); word++ {
		into = appendSetBits(into, uint64(met[word]), word*8, rows)
	}
	return into
}

func appendSetBits(into []int32, word uint64, first, rows int) []int32 {
	for word != 0 {
		row := first + bits.TrailingZeros64(word)
		if row >= rows {
			break
		}
		into = append(into, int32(row))
		word &= word - 1
	}
	return into
}

// trueBits marks the rows for which a BOOLEAN operand is true. Bits past the last row mean nothing.
func trueBits(o Operand, rows int) event.Bitmap {
	if _, ok := o.Array.(*array.Boolean); !ok {
		return event.NewBitmap(rows) // an untyped NULL
	}
	return both(booleans(o, rows), o.validity(rows))
}
