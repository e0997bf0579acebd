package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerArrayJSON(r arrayRegistry) {
	r.strict("jsonb_elements/j", func(*plan.Function) kernel { return jsonParts('[', false, appendJSON) })
	r.strict("jsonb_elements_text/j", func(*plan.Function) kernel { return jsonParts('[', false, appendJSONAsText) })
	r.strict("jsonb_values/j", func(*plan.Function) kernel { return jsonParts('{', false, appendJSON) })
	r.strict("jsonb_values_text/j", func(*plan.Function) kernel { return jsonParts('{', false, appendJSONAsText) })
	r.strict("jsonb_keys/j", func(*plan.Function) kernel { return jsonParts('{', true, nil) })
	r.strict("to_jsonb/a", func(f *plan.Function) kernel {
		return func(c *call) (arrow.Array, error) { return arrayToJSON(c, *f.Args[0].Elem) }
	})
}

// jsonParts lists the elements of a JSON array, or the names or values of an object's members. A document of another kind has none, and
// is an error.
func jsonParts(open byte, keys bool, form jsonForm) kernel {
	return func(c *call) (arrow.Array, error) {
		documents, b := textsOf(c.args[0]), newTextLists(c.rows)
		for i := range c.rows {
			if c.valid.Valid(i) {
				document := documents.at(i)
				// A dictionary may hold an empty entry that no row uses.
				if at := jsonscan.SkipSpace(document, 0); at == len(document) || document[at] != open {
					return nil, errJSONKind(open, document)
				}
				if err := addParts(b, document, keys, form); err != nil {
					return nil, err
				}
			}
			b.end()
		}
		return b.finish(c.valid), nil
	}
}

func addParts(b *textLists, document string, keys bool, form jsonForm) error {
	for it := jsonscan.ItemsOf(document); it.Next(); {
		if keys {
			if err := b.add(jsonscan.Unquote(it.Key)); err != nil {
				return err
			}
			continue
		}
		part, ok := form(nil, it.Value)
		if !ok {
			b.values.AppendNull()
		} else if err := b.add(string(part)); err != nil {
			return err
		}
	}
	return nil
}

func errJSONKind(open byte, document string) error {
	kind := "an array"
	if open == '{' {
		kind = "an object"
	}
	return event.Errorf(event.CodeInvalidValue, "%.40s is not %s", document, kind)
}

// arrayToJSON writes arrays as JSON.
func arrayToJSON(c *call, elem event.Type) (arrow.Array, error) {
	l := listsOf(c.args[0])
	var write func(dst []byte, i int) []byte
	if elem.Kind == event.Array {
		inner, err := arrayToJSON(&call{ctx: c.ctx, args: []Operand{{Array: l.values}}, rows: l.values.Len(), valid: validityOf(l.values)}, *elem.Elem)
		if err != nil {
			return nil, err
		}
		texts := textsOf(Operand{Array: inner})
		write = func(dst []byte, i int) []byte { return append(dst, texts.at(i)...) }
	} else {
		var err error
		if write, err = jsonWriter(Operand{Array: l.values}, elem, l.values.Len()); err != nil {
			return nil, err
		}
	}
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		dst = append(dst, '[')
		from, to := l.span(i)
		for at := from; at < to; at++ {
			if at > from {
				dst = append(dst, ',')
			}
			if l.values.IsNull(at) {
				dst = append(dst, "null"...)
			} else {
				dst = write(dst, at)
			}
		}
		return append(dst, ']'), nil
	})
}
