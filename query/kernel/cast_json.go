package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// toJSON widens a type's values to JSON as a column that becomes JSONB does.
func toJSON(from event.Kind) kernel {
	return func(c *call) (arrow.Array, error) {
		return event.Widen(c.args[0].Array, event.Type{Kind: from}, event.Type{Kind: event.JSONB})
	}
}

func jsonToBoolean(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapBooleans(c, func(i int) (bool, error) {
		return readJSON(c, i, documents.at(i), event.Boolean, jsonBoolean, parseBoolean)
	})
}

// jsonToBigint takes numbers as BIGINT takes them elsewhere: a fraction is rounded half to even.
func jsonToBigint(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		return readJSON(c, i, documents.at(i), event.BigInt, jsonNumber, func(text string) (int64, bool) {
			if v, ok := parseBigint(text); ok {
				return v, true
			}
			v, ok := parseDouble(text)
			if !ok {
				return 0, false
			}
			return roundToInt64(v)
		})
	})
}

func jsonToDouble(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		return readJSON(c, i, documents.at(i), event.Double, jsonNumber, parseDouble)
	})
}

func jsonToTimestamp(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		return readJSON(c, i, documents.at(i), event.TimestampTZ, jsonString, event.ParseTimestamp)
	})
}

// readJSON reads a JSON value of the kind that suits, or a JSON string that spells one. JSON null is NULL.
func readJSON[T any](c *call, i int, value string, to event.Kind, kind jsonKind, read func(text string) (T, bool)) (T, error) {
	var none T
	text := value
	switch kindOfJSON(value) {
	case jsonNull:
		c.setNull(i)
		return none, nil
	case jsonString:
		text = jsonscan.Unquote(value)
	case kind:
	default:
		return none, errUnreadable(value, to)
	}
	return readText(text, to, read)
}
