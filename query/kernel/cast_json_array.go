package kernel

import (
	"encoding/base64"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// jsonToArray reads JSON arrays, as arrayToJSON writes them. A JSON null is NULL, as a whole and as an element.
func jsonToArray(c *call, elem event.Type) (arrow.Array, error) {
	documents, b := textsOf(c.args[0]), newTextLists(c.rows)
	form, from := elementForm(elem)
	for i := range c.rows {
		if c.valid.Valid(i) {
			document := documents.at(i)
			switch at := jsonscan.SkipSpace(document, 0); {
			case kindOfJSON(document) == jsonNull:
				c.setNull(i)
			case at == len(document) || document[at] != '[':
				return nil, errJSONKind('[', document)
			default:
				if err := addElements(b, document, form); err != nil {
					return nil, err
				}
			}
		}
		b.end()
	}
	elements := b.values.NewStringArray()
	if elem.Kind == event.Bytea {
		return event.NewLists(b.offsets, event.AsBinary(elements), c.valid), nil
	}
	converted, err := Cast(c.ctx, Operand{Array: elements}, from, elem, elements.Len())
	if err != nil {
		return nil, err
	}
	return event.NewLists(b.offsets, Decode(converted.Expand(elements.Len())), c.valid), nil
}

// elementForm is how the elements of a JSON array are taken out of it, and the type that they are converted from then.
func elementForm(elem event.Type) (jsonForm, event.Type) {
	switch elem.Kind {
	case event.Text, event.Interval, event.Time:
		return appendJSONAsText, textual
	case event.Bytea:
		return appendBase64, textual
	default:
		return appendJSON, event.Type{Kind: event.JSONB}
	}
}

func addElements(b *textLists, document string, form jsonForm) error {
	for it := jsonscan.ItemsOf(document); it.Next(); {
		part, ok := form(nil, it.Value)
		switch {
		case kindOfJSON(it.Value) == jsonNull:
			b.values.AppendNull()
		case !ok:
			return errUnreadable(it.Value, event.Bytea)
		default:
			if err := b.add(string(part)); err != nil {
				return err
			}
		}
	}
	return nil
}

// appendBase64 is the form of bytes.
func appendBase64(dst []byte, value string) ([]byte, bool) {
	if kindOfJSON(value) != jsonString {
		return dst, false
	}
	decoded, err := base64.StdEncoding.AppendDecode(dst, []byte(jsonscan.Unquote(value)))
	return decoded, err == nil
}
