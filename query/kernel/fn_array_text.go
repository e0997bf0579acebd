package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerArrayText(r arrayRegistry) {
	r.strict("array_to_string/at", func(f *plan.Function) kernel {
		return func(c *call) (arrow.Array, error) { return joinElements(c, *f.Args[0].Elem, nil) }
	})
	r.lax("array_to_string/att", func(f *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
		operands := []Operand{{Array: args[0]}, {Array: args[1]}}
		c := &call{ctx: &Context{}, args: operands, rows: rows, valid: jointValidity(operands, rows)}
		return joinElements(c, *f.Args[0].Elem, args[2])
	})
	r.lax("string_to_array/tt", stringToArray)
	r.lax("string_to_array/ttt", stringToArray)
	for form, source := range map[string]patternSource{"/tt": {}, "/ttt": {flags: 2}} {
		r.strict("regexp_split_to_array"+form, func(*plan.Function) kernel {
			return source.implementation(splitByMatches).strict
		})
		r.strict("regexp_match"+form, func(*plan.Function) kernel {
			return source.implementation(matchGroups).strict
		})
	}
}

// textLists builds arrays of TEXT.
type textLists struct {
	values  *array.StringBuilder
	offsets []int32
	size    int
}

func newTextLists(rows int) *textLists {
	return &textLists{values: array.NewStringBuilder(memory.DefaultAllocator), offsets: make([]int32, 1, rows+1)}
}

func (b *textLists) add(s string) error {
	if b.size += len(s); b.size > maxTextBytes {
		return errTooMuchText()
	}
	b.values.Append(s)
	return nil
}

func (b *textLists) end() { b.offsets = append(b.offsets, int32(b.values.Len())) }

func (b *textLists) finish(valid event.Bitmap) arrow.Array {
	return event.NewLists(b.offsets, b.values.NewArray(), valid)
}

// joinElements writes elements with a separator between them. NULLs are left out unless nulls, by row, has a text for them.
func joinElements(c *call, elem event.Type, nulls arrow.Array) (arrow.Array, error) {
	l, separators := listsOf(c.args[0]), textsOf(c.args[1])
	converted, err := Cast(c.ctx, Operand{Array: l.values}, elem, textual, l.values.Len())
	if err != nil {
		return nil, err
	}
	values := textsOf(converted)
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		first := true
		for from, to := l.span(i); from < to; from++ {
			null := l.values.IsNull(from)
			if null && (nulls == nil || nulls.IsNull(i)) {
				continue
			}
			if !first {
				dst = append(dst, separators.at(i)...)
			}
			first = false
			if null {
				dst = append(dst, event.StringAt(nulls, i)...)
			} else {
				dst = append(dst, values.at(from)...)
			}
		}
		return dst, nil
	})
}

// stringToArray cuts text at a separator; NULL as separator cuts between all characters. What equals the third argument becomes NULL.
func stringToArray(_ *plan.Function, args []arrow.Array, rows int) (arrow.Array, error) {
	b, valid := newTextLists(rows), validityOf(args[0])
	for i := range rows {
		if args[0].IsValid(i) {
			for _, part := range splitText(event.StringAt(args[0], i), args[1], i) {
				if len(args) == 3 && args[2].IsValid(i) && part == event.StringAt(args[2], i) {
					b.values.AppendNull()
				} else if err := b.add(part); err != nil {
					return nil, err
				}
			}
		}
		b.end()
	}
	return b.finish(valid), nil
}

func splitText(s string, separators arrow.Array, i int) []string {
	switch {
	case s == "":
		return nil
	case separators.IsNull(i):
		return strings.Split(s, "")
	case event.StringAt(separators, i) == "":
		return []string{s}
	default:
		return strings.Split(s, event.StringAt(separators, i))
	}
}

func splitByMatches(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	values, b := textsOf(c.args[0]), newTextLists(c.rows)
	for i := range c.rows {
		if c.valid.Valid(i) {
			re, err := find(i)
			if err != nil {
				return nil, err
			}
			parts := re.Split(values.at(i), -1)
			if len(parts) == 0 { // an empty text at matches of nothing
				parts = []string{""}
			}
			for _, part := range parts {
				if err := b.add(part); err != nil {
					return nil, err
				}
			}
		}
		b.end()
	}
	return b.finish(c.valid), nil
}

// matchGroups gives the groups of the first match, or the match itself where the pattern has none; NULL where nothing matches.
func matchGroups(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	values, b := textsOf(c.args[0]), newTextLists(c.rows)
	for i := range c.rows {
		if c.valid.Valid(i) {
			re, err := find(i)
			if err != nil {
				return nil, err
			}
			found := re.FindStringSubmatchIndex(values.at(i))
			if found == nil {
				c.setNull(i)
			}
			if len(found) > 2 {
				found = found[2:]
			}
			for k := 0; k < len(found); k += 2 {
				if found[k] < 0 {
					b.values.AppendNull()
				} else if err := b.add(values.at(i)[found[k]:found[k+1]]); err != nil {
					return nil, err
				}
			}
		}
		b.end()
	}
	return b.finish(c.valid), nil
}
