package kernel

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func textToBoolean(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapBooleans(c, func(i int) (bool, error) { return readText(text.at(i), event.Boolean, parseBoolean) })
}

func textToBigint(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		return readText(text.at(i), event.BigInt, parseBigint)
	})
}

func textToDouble(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) {
		return readText(text.at(i), event.Double, parseDouble)
	})
}

func textToTimestamp(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	read := event.LooseTimestamp
	if c.result.Clock {
		read = event.WallTimestamp
	}
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		return readText(text.at(i), event.TimestampTZ, read)
	})
}

func textToInterval(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		return readText(text.at(i), event.Interval, parseInterval)
	})
}

// textToJSON reads JSON and drops the space between its tokens.
func textToJSON(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	var compact bytes.Buffer
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		compact.Reset()
		if err := json.Compact(&compact, []byte(text.at(i))); err != nil {
			return nil, errUnreadable(text.at(i), event.JSONB).WithHint("%v", err)
		}
		return append(dst, compact.Bytes()...), nil
	})
}

// readText applies a parser to a text without the space around it. What it cannot read is quoted in the error.
func readText[T any](text string, to event.Kind, read func(text string) (T, bool)) (T, error) {
	v, ok := read(strings.TrimSpace(text))
	if !ok {
		return v, errUnreadable(text, to)
	}
	return v, nil
}

func errUnreadable(text string, to event.Kind) *event.Error {
	return event.Errorf(event.CodeInvalidValue, "%s cannot be read as %s", quoted(text), event.Type{Kind: to})
}

// quoted is a value for a message, cut where it is long.
func quoted(text string) string {
	const most = 100
	if len(text) > most {
		return strconv.Quote(strings.ToValidUTF8(text[:most], "")) + "..."
	}
	return strconv.Quote(text)
}

func parseBoolean(text string) (value, ok bool) {
	switch strings.ToLower(text) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	default:
		return false, false
	}
}

func parseBigint(text string) (int64, bool) {
	v, err := strconv.ParseInt(text, 10, 64)
	return v, err == nil
}

// parseDouble takes decimal numbers and the names of NaN and infinity; the standard library alone would take hexadecimal too.
func parseDouble(text string) (float64, bool) {
	if strings.ContainsAny(text, "xX_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

func parseInterval(text string) (arrow.MonthDayNanoInterval, bool) {
	v, err := event.ParseInterval(text)
	return v, err == nil
}
