package kernel

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

func registerJSONBuilding(r registry) {
	r.strict("to_jsonb(BOOLEAN)", func(c *call) (arrow.Array, error) {
		a, mask := c.args[0].Array.(*array.Boolean), c.args[0].mask()
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return strconv.AppendBool(dst, a.Value(i&mask)), nil })
	})
	r.strict("to_jsonb(BIGINT)", bigintToText)
	r.strict("to_jsonb(DOUBLE PRECISION)", func(c *call) (arrow.Array, error) {
		a := fixed[float64](c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return event.AppendDouble(dst, a.at(i)), nil })
	})
	r.strict("to_jsonb(TEXT)", func(c *call) (arrow.Array, error) {
		a := textsOf(c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return event.AppendJSONString(dst, a.at(i)), nil })
	})
	r.strict("to_jsonb(TIMESTAMPTZ)", func(c *call) (arrow.Array, error) {
		a := fixed[int64](c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			return append(event.AppendTimestamp(append(dst, '"'), a.at(i)), '"'), nil
		})
	})
	r.strict("to_jsonb(INTERVAL)", func(c *call) (arrow.Array, error) {
		a := fixed[arrow.MonthDayNanoInterval](c.args[0])
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			return event.AppendJSONString(dst, event.FormatInterval(a.at(i))), nil
		})
	})
	for _, kind := range []event.Kind{event.Date, event.Time, event.UUID} {
		r.strict("to_jsonb("+event.Type{Kind: kind}.String()+")", declaredToJSON(kind))
	}
	r.strict("to_jsonb(JSONB)", unaryText(func(s string) string { return s }))
	for _, signature := range []string{"()", "(JSONB...)"} {
		r.lax("jsonb_build_array"+signature, buildArray)
		r.lax("jsonb_build_object"+signature, buildObject)
	}
	r.strict("||(JSONB, JSONB)", joinJSON)
	r.strict("-(JSONB, TEXT)", withoutKey)
	r.strict("-(JSONB, BIGINT)", withoutElement)
	r.strict("jsonb_pretty(JSONB)", unaryText(prettyJSON))
	r.strict("jsonb_strip_nulls(JSONB)", unaryText(func(s string) string { return string(appendWithoutNulls(nil, strings.TrimSpace(s), 0)) }))
}

// valueOr is an argument's JSON, or null.
func valueOr(part *texts, valid event.Bitmap, i int) string {
	if valid.Valid(i) {
		return part.at(i)
	}
	return "null"
}

func buildArray(_ *Context, args []Operand, rows int) (Operand, error) {
	return joined(args, rows, nil, func(dst []byte, i int, parts []texts, valid []event.Bitmap) ([]byte, error) {
		dst = append(dst, '[')
		for k := range parts {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, valueOr(&parts[k], valid[k], i)...)
		}
		return append(dst, ']'), nil
	})
}

// buildObject takes names and values in turn. The names come as JSON strings.
func buildObject(_ *Context, args []Operand, rows int) (Operand, error) {
	return joined(args, rows, nil, func(dst []byte, i int, parts []texts, valid []event.Bitmap) ([]byte, error) {
		if len(parts)%2 != 0 {
			return nil, event.Errorf(event.CodeInvalidValue, "jsonb_build_object takes names and values in turn")
		}
		dst = append(dst, '{')
		for k := 0; k < len(parts); k += 2 {
			name := valueOr(&parts[k], valid[k], i)
			if kindOfJSON(name) != jsonString {
				return nil, event.Errorf(event.CodeInvalidValue, "jsonb_build_object: the name of a member is a text, not %.40s", name)
			}
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = append(append(dst, name...), ':')
			dst = append(dst, valueOr(&parts[k+1], valid[k+1], i)...)
		}
		return append(dst, '}'), nil
	})
}

// joinJSON joins objects, of which the second wins, and arrays; anything else counts as an array of one element.
func joinJSON(c *call) (arrow.Array, error) {
	left, right := textsOf(c.args[0]), textsOf(c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		a, b := strings.TrimSpace(left.at(i)), strings.TrimSpace(right.at(i))
		w := itemWriter{dst: dst, separator: '['}
		if kindOfJSON(a) == jsonObject && kindOfJSON(b) == jsonObject {
			w.separator = '{'
			for items := jsonscan.ItemsOf(a); items.Next(); {
				if _, replaced := jsonscan.Member(b, jsonscan.Unquote(items.Key)); !replaced {
					w.member(items.Key, items.Value)
				}
			}
			for items := jsonscan.ItemsOf(b); items.Next(); {
				w.member(items.Key, items.Value)
			}
			return w.end("{", '}'), nil
		}
		for _, s := range []string{a, b} {
			if kindOfJSON(s) != jsonArray {
				w.member("", s)
				continue
			}
			for items := jsonscan.ItemsOf(s); items.Next(); {
				w.member("", items.Value)
			}
		}
		return w.end("[", ']'), nil
	})
}

// itemWriter writes an object or an array item by item. separator stands before the next item: first the opening bracket.
type itemWriter struct {
	dst       []byte
	separator byte
}

func (w *itemWriter) member(key, value string) {
	w.dst = append(w.dst, w.separator)
	w.separator = ','
	if key != "" {
		w.dst = append(append(w.dst, key...), ':')
	}
	w.dst = append(w.dst, value...)
}

func (w *itemWriter) end(opening string, closing byte) []byte {
	if w.separator != ',' {
		w.dst = append(w.dst, opening...)
	}
	return append(w.dst, closing)
}

// withoutKey takes a member out of an object, or a string out of an array.
func withoutKey(c *call) (arrow.Array, error) {
	documents, keys := textsOf(c.args[0]), textsOf(c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		document, key := strings.TrimSpace(documents.at(i)), keys.at(i)
		w := itemWriter{dst: dst, separator: document[0]}
		switch kindOfJSON(document) {
		case jsonObject:
			for items := jsonscan.ItemsOf(document); items.Next(); {
				if jsonscan.Unquote(items.Key) != key {
					w.member(items.Key, items.Value)
				}
			}
			return w.end("{", '}'), nil
		case jsonArray:
			for items := jsonscan.ItemsOf(document); items.Next(); {
				if kindOfJSON(items.Value) != jsonString || jsonscan.Unquote(items.Value) != key {
					w.member("", items.Value)
				}
			}
			return w.end("[", ']'), nil
		case jsonNull, jsonString, jsonNumber, jsonBoolean:
		}
		return nil, event.Errorf(event.CodeInvalidValue, "nothing can be taken out of JSON that is neither object nor array")
	})
}

// withoutElement takes an element out of an array, by its number from 0, or from the end.
func withoutElement(c *call) (arrow.Array, error) {
	documents, indexes := textsOf(c.args[0]), fixed[int64](c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		document, index := strings.TrimSpace(documents.at(i)), indexes.at(i)
		if kindOfJSON(document) != jsonArray {
			return nil, event.Errorf(event.CodeInvalidValue, "an element can be taken out of a JSON array only")
		}
		if index < 0 {
			for items := jsonscan.ItemsOf(document); items.Next(); {
				index++
			}
		}
		w, at := itemWriter{dst: dst, separator: '['}, int64(0)
		for items := jsonscan.ItemsOf(document); items.Next(); at++ {
			if at != index {
				w.member("", items.Value)
			}
		}
		return w.end("[", ']'), nil
	})
}

// appendWithoutNulls leaves out the members of objects that are null, at any depth.
func appendWithoutNulls(dst []byte, document string, depth int) []byte {
	kind := kindOfJSON(document)
	if depth > maxJSONDepth || kind != jsonObject && kind != jsonArray {
		return append(dst, document...)
	}
	w := itemWriter{dst: dst, separator: document[0]}
	for items := jsonscan.ItemsOf(document); items.Next(); {
		if kind == jsonObject && items.Value == "null" {
			continue
		}
		w.member(items.Key, "")
		w.dst = appendWithoutNulls(w.dst, items.Value, depth+1)
	}
	if kind == jsonObject {
		return w.end("{", '}')
	}
	return w.end("[", ']')
}
