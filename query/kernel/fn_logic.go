package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerLogic(r registry) {
	r.lax("and(BOOLEAN, BOOLEAN)", conjunction)
	r.lax("or(BOOLEAN, BOOLEAN)", disjunction)
	r.strict("not(BOOLEAN)", negation)
}

// truth splits a BOOLEAN operand into the rows where it is true and those where it is false; NULLs are neither.
func truth(o Operand, rows int) (trues, falses event.Bitmap) {
	trues, falses = booleans(o, rows), orAll(o.validity(rows), rows)
	for i, valid := range falses {
		falses[i] = valid &^ trues[i]
		trues[i] &= valid
	}
	return trues, falses
}

// conjunction is false where either side is, true where both are, else NULL.
func conjunction(_ *Context, args []Operand, rows int) (Operand, error) {
	constant := args[0].Const && args[1].Const
	if constant {
		rows = 1
	}
	trues, falses := truth(args[0], rows)
	otherTrues, otherFalses := truth(args[1], rows)
	for i := range trues {
		trues[i] &= otherTrues[i]
		falses[i] |= otherFalses[i]
	}
	return fromTruth(trues, falses, rows, constant), nil
}

// disjunction is true where either side is, false where both are, else NULL.
func disjunction(_ *Context, args []Operand, rows int) (Operand, error) {
	constant := args[0].Const && args[1].Const
	if constant {
		rows = 1
	}
	trues, falses := truth(args[0], rows)
	otherTrues, otherFalses := truth(args[1], rows)
	for i := range trues {
		trues[i] |= otherTrues[i]
		falses[i] &= otherFalses[i]
	}
	return fromTruth(trues, falses, rows, constant), nil
}

// fromTruth makes a BOOLEAN operand; it takes over the memory of falses.
func fromTruth(trues, falses event.Bitmap, rows int, constant bool) Operand {
	for i := range falses {
		falses[i] |= trues[i]
	}
	return Operand{Array: event.NewBooleans(trues, rows, falses), Const: constant}
}

func negation(c *call) (arrow.Array, error) {
	out := booleans(c.args[0], c.rows)
	invert(out)
	return event.NewBooleans(out, c.rows, c.valid), nil
}
