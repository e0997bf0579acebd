package decode

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
)

// storeAs is store for columns whose values are stored as those of another type: INTERVAL and TIME as the text that came, if it is one,
// and arrays as JSON.
func (d *decoder) storeAs(c *column, i int, first byte) int {
	if c.kind == event.JSONB {
		end := d.value(i, 1)
		if end < 0 || !fitsAs(d.text[i:end], *c.as) {
			return -1
		}
		return d.storeJSON(c, i)
	}
	return storeString(d, i, first, func(text string) bool {
		if !spells(text, *c.as) || !c.begin(d.out.Count) {
			return false
		}
		c.room(len(text))
		c.data = append(c.data, text...)
		c.addText()
		return true
	})
}

// fitsAs reports whether a checked JSON value is one of the type, or null.
func fitsAs(value []byte, t event.Type) bool {
	if string(value) == "null" || t.Kind == event.JSONB {
		return true
	}
	if t.Kind == event.Array {
		var items []json.RawMessage
		if json.Unmarshal(value, &items) != nil {
			return false
		}
		for _, item := range items {
			if !fitsAs(item, *t.Elem) {
				return false
			}
		}
		return true
	}
	if value[0] != '"' {
		return fitsBare(string(value), t)
	}
	var text string
	return json.Unmarshal(value, &text) == nil && spells(text, t)
}

// fitsBare is fitsAs for true, false and numbers.
func fitsBare(value string, t event.Type) bool {
	bits := 64
	switch t.Kind {
	case event.Boolean:
		return value == "true" || value == "false"
	case event.SmallInt:
		bits = 16
	case event.Integer:
		bits = 32
	case event.BigInt:
	case event.Double:
		_, err := strconv.ParseFloat(value, 64)
		return err == nil
	case event.Real:
		v, err := strconv.ParseFloat(value, 64)
		return err == nil && !math.IsInf(float64(float32(v)), 0)
	case event.Numeric:
		return spells(value, t)
	default:
		return false
	}
	_, err := strconv.ParseInt(value, 10, bits)
	return err == nil
}

// spells reports whether a text is a value of the type as it stands in a JSON string.
func spells(text string, t event.Type) bool {
	var ok bool
	switch t.Kind {
	case event.Text:
		ok = true
	case event.Interval:
		_, err := event.ParseInterval(text)
		ok = err == nil
	case event.Time:
		_, ok = event.ParseTimeOfDay(text)
	case event.TimestampTZ:
		_, ok = event.ParseTimestamp(text)
	case event.Date:
		_, ok = event.ParseDate(text)
	case event.UUID:
		_, ok = event.ParseUUID(text)
	case event.Bytea:
		_, err := base64.StdEncoding.DecodeString(text)
		ok = err == nil
	case event.Double, event.Real:
		ok = text == "NaN" || text == "Infinity" || text == "-Infinity"
	case event.Numeric:
		number, isNumber := event.ParseDecimal(text)
		if isNumber {
			_, exact, fits := number.As(t)
			ok = exact && fits
		}
	default: // whole numbers and truth values are not strings
	}
	return ok
}
