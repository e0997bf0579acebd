package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// Cast converts values to another type as `::` does. A value that has no counterpart is an *event.Error, as is a pair of
// types between which there is no cast.
func Cast(ctx *Context, in Operand, from, to event.Type, rows int) (Operand, error) {
	f, err := castFunc(from, to)
	if err != nil {
		return Operand{}, err
	}
	return f(ctx, []Operand{in}, rows)
}

// conversion names a pair of types that a cast leads between.
type conversion struct{ from, to event.Kind }

// casts holds all of them but those from a type to itself.
var casts = withDeclaredTypes(map[conversion]kernel{
	{event.BigInt, event.Double}:  bigintToDouble,
	{event.BigInt, event.Boolean}: bigintToBoolean,
	{event.Double, event.BigInt}:  doubleToBigint,
	{event.Boolean, event.BigInt}: booleanToBigint,

	{event.Boolean, event.Text}:     booleanToText,
	{event.BigInt, event.Text}:      bigintToText,
	{event.Double, event.Text}:      doubleToText,
	{event.TimestampTZ, event.Text}: timestampToText,
	{event.Interval, event.Text}:    intervalToText,
	{event.JSONB, event.Text}:       same,

	{event.Text, event.Boolean}:     textToBoolean,
	{event.Text, event.BigInt}:      textToBigint,
	{event.Text, event.Double}:      textToDouble,
	{event.Text, event.TimestampTZ}: textToTimestamp,
	{event.Text, event.Interval}:    textToInterval,
	{event.Text, event.JSONB}:       textToJSON,

	{event.Boolean, event.JSONB}:     toJSON(event.Boolean),
	{event.BigInt, event.JSONB}:      toJSON(event.BigInt),
	{event.Double, event.JSONB}:      toJSON(event.Double),
	{event.TimestampTZ, event.JSONB}: toJSON(event.TimestampTZ),

	{event.JSONB, event.Boolean}:     jsonToBoolean,
	{event.JSONB, event.BigInt}:      jsonToBigint,
	{event.JSONB, event.Double}:      jsonToDouble,
	{event.JSONB, event.TimestampTZ}: jsonToTimestamp,
})

// castFunc is the function that converts one type to another.
func castFunc(from, to event.Type) (Func, error) {
	switch {
	case from.Equal(to):
		return func(_ *Context, args []Operand, _ int) (Operand, error) { return args[0], nil }, nil
	case from.Kind == event.Unknown:
		return castUnknown(to)
	}
	if f, ok := castArray(from, to); ok {
		return f, nil
	}
	if from.Kind == event.TimestampTZ && from.Clock && to.Kind == event.Text {
		return strict(to, clockToText), nil
	}
	k, ok := casts[conversion{from.Kind, to.Kind}]
	if !ok {
		return nil, event.Errorf(event.CodeTypeMismatch, "cannot cast %s to %s", from, to)
	}
	return strict(to, k), nil
}

// castUnknown gives a type to a NULL that has none. A quoted literal that has not been given one is text.
func castUnknown(to event.Type) (Func, error) {
	text := event.Type{Kind: event.Text}
	fromText, err := castFunc(text, to)
	if err != nil {
		return nil, err
	}
	return func(ctx *Context, args []Operand, rows int) (Operand, error) {
		if args[0].Array.DataType().ID() != arrow.NULL {
			return fromText(ctx, args, rows)
		}
		return Operand{Array: event.NewNulls(to, args[0].Array.Len()), Const: args[0].Const}, nil
	}, nil
}

// same serves types that look alike in memory.
func same(c *call) (arrow.Array, error) { return c.args[0].Array, nil }
