package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

func registerJSONAccess(r registry) {
	r.strict("->(JSONB, TEXT)", getMember(appendJSON))
	r.strict("->(JSONB, BIGINT)", getElement(appendJSON))
	r.strict("->>(JSONB, TEXT)", getMember(appendJSONAsText))
	r.strict("->>(JSONB, BIGINT)", getElement(appendJSONAsText))
}

// jsonForm appends a JSON value in the form wanted, or reports that it is NULL.
type jsonForm func(dst []byte, value string) (out []byte, ok bool)

func appendJSON(dst []byte, value string) ([]byte, bool) { return append(dst, value...), true }

// appendJSONAsText gives strings without quotes and escapes, and JSON null as NULL.
func appendJSONAsText(dst []byte, value string) ([]byte, bool) {
	switch {
	case value == "null":
		return dst, false
	case len(value) >= 2 && value[0] == '"':
		return jsonscan.AppendUnquoted(dst, value[1:len(value)-1]), true
	default:
		return append(dst, value...), true
	}
}

func getMember(form jsonForm) kernel {
	return func(c *call) (arrow.Array, error) {
		documents, names := textsOf(c.args[0]), textsOf(c.args[1])
		var last jsonscan.Name
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			if name := names.at(i); !last.Is(name) {
				last = jsonscan.NameOf(name)
			}
			value, ok := last.In(documents.at(i))
			if ok {
				dst, ok = form(dst, value)
			}
			if !ok {
				c.setNull(i)
			}
			return dst, nil
		})
	}
}

func getElement(form jsonForm) kernel {
	return func(c *call) (arrow.Array, error) {
		documents, indexes := textsOf(c.args[0]), fixed[int64](c.args[1])
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			value, ok := jsonscan.Element(documents.at(i), indexes.at(i))
			if ok {
				dst, ok = form(dst, value)
			}
			if !ok {
				c.setNull(i)
			}
			return dst, nil
		})
	}
}
