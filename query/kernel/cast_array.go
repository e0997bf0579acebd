package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// castArray converts between arrays, and between arrays and what stands for them in text or JSON; ok is false for other pairs.
func castArray(from, to event.Type) (f Func, ok bool) {
	switch {
	case from.Kind == event.Array && to.Kind == event.Array:
		return strict(to, func(c *call) (arrow.Array, error) { return castElements(c, *from.Elem, *to.Elem) }), true
	case from.Kind == event.Array && to.Kind == event.Text:
		return strict(to, func(c *call) (arrow.Array, error) { return arrayToText(c, *from.Elem) }), true
	case from.Kind == event.Array && to.Kind == event.JSONB:
		return strict(to, func(c *call) (arrow.Array, error) { return arrayToJSON(c, *from.Elem) }), true
	case from.Kind == event.Text && to.Kind == event.Array:
		return strict(to, func(c *call) (arrow.Array, error) { return textToArray(c, to) }), true
	case from.Kind == event.JSONB && to.Kind == event.Array:
		return strict(to, func(c *call) (arrow.Array, error) { return jsonToArray(c, *to.Elem) }), true
	default:
		return nil, false
	}
}

func castElements(c *call, from, to event.Type) (arrow.Array, error) {
	l := listsOf(Operand{Array: c.column(0)})
	b := newListBuilder(c.rows, c.valid)
	for i := range c.rows {
		if c.valid.Valid(i) {
			b.pickSpan(l.span(i))
		}
		b.end(false)
	}
	taken := TakeOrNull(l.values, b.picks) // without what no row has, which must not fail
	converted, err := Cast(c.ctx, Operand{Array: taken}, from, to, taken.Len())
	if err != nil {
		return nil, err
	}
	return event.NewLists(b.offsets, Decode(converted.Expand(taken.Len())), b.valid), nil
}

// arrayToText writes arrays as PostgreSQL does: {1,NULL,"a b"}.
func arrayToText(c *call, elem event.Type) (arrow.Array, error) {
	l := listsOf(c.args[0])
	converted, err := Cast(c.ctx, Operand{Array: l.values}, elem, textual, l.values.Len())
	if err != nil {
		return nil, err
	}
	values := textsOf(converted)
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		dst = append(dst, '{')
		from, to := l.span(i)
		for at := from; at < to; at++ {
			if at > from {
				dst = append(dst, ',')
			}
			switch {
			case l.values.IsNull(at):
				dst = append(dst, "NULL"...)
			case elem.Kind == event.Array:
				dst = append(dst, values.at(at)...)
			default:
				dst = event.AppendListItem(dst, values.at(at))
			}
		}
		return append(dst, '}'), nil
	})
}

func textToArray(c *call, to event.Type) (arrow.Array, error) {
	values, b := textsOf(c.args[0]), newTextLists(c.rows)
	for i := range c.rows {
		if c.valid.Valid(i) {
			items, ok := event.ParseList(values.at(i))
			if !ok {
				return nil, event.Errorf(event.CodeInvalidValue, "%.80q is not a value of %s", values.at(i), to)
			}
			for _, item := range items {
				if item.Null {
					b.values.AppendNull()
				} else if err := b.add(item.Text); err != nil {
					return nil, err
				}
			}
		}
		b.end()
	}
	elements := b.values.NewArray()
	converted, err := Cast(c.ctx, Operand{Array: elements}, textual, *to.Elem, elements.Len())
	if err != nil {
		return nil, err
	}
	return event.NewLists(b.offsets, Decode(converted.Expand(elements.Len())), c.valid), nil
}
