package kernel

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// scalarKinds says which kind of JSON value compares with which type.
var scalarKinds = map[event.Kind]jsonKind{
	event.Text: jsonString, event.BigInt: jsonNumber, event.Double: jsonNumber, event.Boolean: jsonBoolean,
}

func registerJSONComparisons(r registry) {
	for symbol, c := range comparisons {
		for kind := range scalarKinds {
			t := event.Type{Kind: kind}
			r.strict(fmt.Sprintf("%s(JSONB, %s)", symbol, t), c.jsonKernel(kind, false))
			r.strict(fmt.Sprintf("%s(%s, JSONB)", symbol, t), c.jsonKernel(kind, true))
		}
	}
}

// jsonKernel compares JSON values with scalars. A value of another kind is unequal, and neither less nor greater: NULL.
func (c comparison) jsonKernel(kind event.Kind, scalarFirst bool) kernel {
	return func(k *call) (arrow.Array, error) {
		document, scalar := k.args[0], k.args[1]
		if scalarFirst {
			document, scalar = scalar, document
		}
		documents, compare := textsOf(document), scalarComparer(kind, scalar)
		return mapBooleans(k, func(i int) (bool, error) {
			value := documents.at(i)
			if kindOfJSON(value) != scalarKinds[kind] {
				if c.less {
					k.setNull(i)
				}
				return c.negate, nil
			}
			order := compare(value, i)
			if scalarFirst {
				order = -order
			}
			return c.holds(order), nil
		})
	}
}

// scalarComparer compares a JSON value of the kind that suits with the scalar of row i.
func scalarComparer(kind event.Kind, scalar Operand) func(value string, i int) int {
	switch kind {
	case event.Text:
		text := textsOf(scalar)
		return func(value string, i int) int { return strings.Compare(jsonscan.Unquote(value), text.at(i)) }
	case event.BigInt:
		integers := fixed[int64](scalar)
		return func(value string, i int) int { return compareNumberToBigint(value, integers.at(i)) }
	case event.Double:
		doubles := fixed[float64](scalar)
		return func(value string, i int) int { return compareNumberToDouble(value, doubles.at(i)) }
	default:
		flags, mask := scalar.Array.(*array.Boolean), scalar.mask()
		return func(value string, i int) int { return compareBooleans(value == "true", flags.Value(i&mask)) }
	}
}

func compareNumberToBigint(number string, v int64) int {
	if n, err := strconv.ParseInt(number, 10, 64); err == nil {
		return cmp.Compare(n, v)
	}
	return parseDecimal(number).compare(parseDecimal(strconv.FormatInt(v, 10)))
}
