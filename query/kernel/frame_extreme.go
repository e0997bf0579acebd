package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// extremeStates are the rows that hold the least or greatest value so far, counted from 1; 0 stands for none. Of equal values the
// first stays. One form serves every type that has an order.
type extremeStates struct {
	compare func(i, j int) int
	valid   event.Bitmap
	sign    int // -1 for max
}

func (e extremeStates) of(row int) int32 {
	if !e.valid.Valid(row) {
		return 0
	}
	return int32(row) + 1
}

func (e extremeStates) join(a, b *int32) {
	if *a == 0 || (*b != 0 && e.compare(int(*b)-1, int(*a)-1)*e.sign < 0) {
		*a = *b
	}
}

func (e extremeStates) drop(*int32) {}

func extremeFrames(c FrameCall) (arrow.Array, error) {
	values := c.Args[0].Expand(c.Rows)
	if c.Before != nil { // its value stands behind those of the rows
		before, err := c.Before.Result(1)
		if err != nil {
			return nil, err
		}
		if values, err = Concat([]arrow.Array{values, before}); err != nil {
			return nil, err
		}
	}
	rows := make([]int32, c.results())
	states := extremeStates{valid: validityOf(values), sign: 1}
	if c.Fn.Name == "max" {
		states.sign = -1
	}
	if values.DataType().ID() != arrow.NULL {
		states.compare = Comparer(values, values, c.Fn.Args[0])
	}
	last := int32(0)
	if c.Before != nil {
		last = states.of(c.Rows)
	}
	c.continued(func(i int) { rows[i] = last })
	if err := fold(c, states, rows); err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i]--
	}
	return TakeOrNull(values, rows), nil
}
