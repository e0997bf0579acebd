package kernel

import (
	"encoding/hex"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

// withDeclaredTypes adds the casts of the types that columns have only by declaration. Those of SMALLINT, INTEGER and REAL lead
// through the wider type of their family, so that each rule for reading and rounding is written once.
func withDeclaredTypes(all map[conversion]kernel) map[conversion]kernel {
	addNumericCasts(all)
	addDateCasts(all)
	addBinaryCasts(all)
	addTimeCasts(all)
	addNarrow(all, event.SmallInt, event.BigInt, widened[int16, int64], narrowInteger[int16])
	addNarrow(all, event.Integer, event.BigInt, widened[int32, int64], narrowInteger[int32])
	addNarrow(all, event.Real, event.Double, widened[float32, float64], doubleToReal)
	all[conversion{event.Real, event.Text}] = realToText
	all[conversion{event.Real, event.Numeric}] = chained(realToText, textToNumeric)
	for _, kind := range []event.Kind{event.Real, event.Numeric, event.Date, event.UUID, event.Bytea, event.Time} {
		all[conversion{kind, event.JSONB}] = declaredToJSON(kind)
	}
	return all
}

// addNarrow gives a type all casts of a wider one.
func addNarrow(all map[conversion]kernel, narrow, wide event.Kind, up, down kernel) {
	found := map[conversion]kernel{{narrow, wide}: up, {wide, narrow}: down}
	for pair, k := range all {
		switch {
		case pair.from == wide && pair.to != narrow:
			found[conversion{narrow, pair.to}] = chained(up, k)
		case pair.to == wide && pair.from != narrow:
			found[conversion{pair.from, narrow}] = chained(k, down)
		}
	}
	for pair, k := range found {
		all[pair] = k
	}
}

// chained applies one cast to what another gives. Where rows fail, the error is that of the first of them, in whichever step.
func chained(first, second kernel) kernel {
	return func(c *call) (arrow.Array, error) {
		out, err := inTurn(c, first, second)
		if err == nil || c.rows == 1 {
			return out, err
		}
		for i := range c.rows {
			if !c.valid.Valid(i) {
				continue
			}
			one := call{ctx: c.ctx, args: []Operand{{Array: Take(c.args[0].Array, []int32{int32(i & c.args[0].mask())})}}, rows: 1, result: c.result}
			if _, err := inTurn(&one, first, second); err != nil {
				return nil, err
			}
		}
		return nil, err
	}
}

func inTurn(c *call, first, second kernel) (arrow.Array, error) {
	middle, err := first(c)
	if err != nil {
		return nil, err
	}
	next := *c // the first may have made rows NULL
	next.args = []Operand{{Array: middle}}
	return second(&next)
}

// widened never fails and keeps the value.
func widened[From int16 | int32 | float32, To int64 | float64](c *call) (arrow.Array, error) {
	a := fixed[From](c.args[0])
	out := make([]To, c.rows)
	for i := range out {
		out[i] = To(a.values[i&a.mask])
	}
	result := arrow.PrimitiveTypes.Int64
	if _, ok := any(out).([]float64); ok {
		result = arrow.PrimitiveTypes.Float64
	}
	return event.NewFixed(result, out, c.valid), nil
}

func narrowInteger[To int16 | int32](c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (To, error) {
		out := To(a.at(i))
		if int64(out) != a.at(i) {
			return 0, event.Errorf(event.CodeInvalidValue, "%d is out of range for %s", a.at(i), c.result)
		}
		return out, nil
	})
}

func doubleToReal(c *call) (arrow.Array, error) {
	a := fixed[float64](c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Float32, func(i int) (float32, error) {
		out := float32(a.at(i))
		if math.IsInf(float64(out), 0) && !math.IsInf(a.at(i), 0) {
			return 0, event.Errorf(event.CodeInvalidValue, "%s is out of range for REAL", formatDouble(a.at(i)))
		}
		return out, nil
	})
}

func realToText(c *call) (arrow.Array, error) {
	a := fixed[float32](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		switch v := float64(a.at(i)); {
		case !isFinite(v):
			return appendDouble(dst, v), nil
		case hasExponent(v, leastRealWithExponent):
			return strconv.AppendFloat(dst, v, 'e', -1, 32), nil
		}
		return event.AppendReal(dst, a.at(i)), nil
	})
}

func declaredToJSON(from event.Kind) kernel {
	return func(c *call) (arrow.Array, error) {
		t := event.Type{Kind: from}
		if d, ok := c.args[0].Array.DataType().(*arrow.Decimal128Type); ok {
			t.Precision, t.Scale = d.Precision, d.Scale
		}
		return event.Widen(c.args[0].Expand(c.rows), t, event.Type{Kind: event.JSONB})
	}
}

func addNumericCasts(all map[conversion]kernel) {
	all[conversion{event.Numeric, event.Numeric}] = numericToNumeric
	all[conversion{event.BigInt, event.Numeric}] = bigintToNumeric
	all[conversion{event.Numeric, event.BigInt}] = numericToBigint
	all[conversion{event.Double, event.Numeric}] = doubleToNumeric
	all[conversion{event.Numeric, event.Double}] = numericToDouble
	all[conversion{event.Numeric, event.Text}] = numericToText
	all[conversion{event.Text, event.Numeric}] = textToNumeric
	all[conversion{event.JSONB, event.Numeric}] = jsonToNumeric
}

func numericToNumeric(c *call) (arrow.Array, error) {
	a := decimalsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) { return rescaled(a.at(i), a.scale, c.result) })
}

// bigintDigits is how many digits every BIGINT fits in.
const bigintDigits = 19

func bigintToNumeric(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	if c.result.Scale == 0 && c.result.Precision >= bigintDigits {
		out := make([]decimal128.Num, c.rows)
		for i := range out {
			out[i] = decimal128.FromI64(a.values[i&a.mask])
		}
		return event.NewFixed(c.result.Arrow(), out, c.valid), nil
	}
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		return rescaled(decimal128.FromI64(a.at(i)), 0, c.result)
	})
}

// numericToBigint rounds half away from zero.
func numericToBigint(c *call) (arrow.Array, error) {
	a := decimalsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		whole, _, _ := event.RescaleNumeric(a.at(i), a.scale, 0)
		out, ok := asInt64(whole)
		if !ok {
			return 0, event.Errorf(event.CodeInvalidValue, "%s is out of range for BIGINT", event.FormatNumeric(a.at(i), a.scale))
		}
		return out, nil
	})
}

func doubleToNumeric(c *call) (arrow.Array, error) {
	a := fixed[float64](c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		out, ok := floatToNumeric(a.at(i), c.result)
		if !ok {
			return out, event.Errorf(event.CodeInvalidValue, "%s is out of range for %s", formatDouble(a.at(i)), c.result)
		}
		return out, nil
	})
}

func numericToDouble(c *call) (arrow.Array, error) {
	a := decimalsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Float64, func(i int) (float64, error) { return numericToFloat(a.at(i), a.scale), nil })
}

func numericToText(c *call) (arrow.Array, error) {
	a := decimalsOf(c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return event.AppendNumeric(dst, a.at(i), a.scale), nil })
}

func textToNumeric(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		d, ok := event.ParseDecimal(strings.TrimSpace(text.at(i)))
		if !ok {
			return d.Value, errUnreadable(text.at(i), event.Numeric)
		}
		v, _, ok := d.As(c.result)
		if !ok {
			return v, event.Errorf(event.CodeInvalidValue, "%s is out of range for %s", quoted(text.at(i)), c.result)
		}
		return v, nil
	})
}

func jsonToNumeric(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		return readJSON(c, i, documents.at(i), event.Numeric, jsonNumber, func(text string) (decimal128.Num, bool) {
			return readNumeric(text, c.result)
		})
	})
}

func addDateCasts(all map[conversion]kernel) {
	all[conversion{event.Date, event.TimestampTZ}] = dateToTimestamp
	all[conversion{event.TimestampTZ, event.Date}] = timestampToDate
	all[conversion{event.Date, event.Text}] = dateToText
	all[conversion{event.Text, event.Date}] = textToDate
	all[conversion{event.JSONB, event.Date}] = jsonToDate
}

func dateToTimestamp(c *call) (arrow.Array, error) {
	a := fixed[int32](c.args[0])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		out, ok := event.DateStart(a.at(i))
		if !ok {
			return 0, event.Errorf(event.CodeInvalidValue, "%s is out of range for TIMESTAMPTZ", event.FormatDate(a.at(i)))
		}
		return out, nil
	})
}

func timestampToDate(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (int32, error) { return event.DateOf(a.at(i)), nil })
}

func dateToText(c *call) (arrow.Array, error) {
	a := fixed[int32](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return event.AppendDate(dst, a.at(i)), nil })
}

// textToDate also takes a time and leaves out all but its day.
func textToDate(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (int32, error) { return readText(text.at(i), event.Date, event.LooseDate) })
}

func jsonToDate(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (int32, error) {
		return readJSON(c, i, documents.at(i), event.Date, jsonString, event.LooseDate)
	})
}

func addBinaryCasts(all map[conversion]kernel) {
	all[conversion{event.UUID, event.Text}] = uuidToText
	all[conversion{event.Text, event.UUID}] = textToUUID
	all[conversion{event.JSONB, event.UUID}] = jsonToUUID
	all[conversion{event.Bytea, event.Text}] = byteaToText
	all[conversion{event.Text, event.Bytea}] = textToBytea
}

func uuidToText(c *call) (arrow.Array, error) {
	a := fixed[decimal128.Num](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		v := event.UUIDBytes(a.at(i))
		return event.AppendUUID(dst, v[:]), nil
	})
}

func textToUUID(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) { return readText(text.at(i), event.UUID, parseUUID) })
}

func parseUUID(text string) (decimal128.Num, bool) {
	v, ok := event.ParseUUID(text)
	return event.UUIDWord(v), ok
}

func jsonToUUID(c *call) (arrow.Array, error) {
	documents := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		return readJSON(c, i, documents.at(i), event.UUID, jsonString, parseUUID)
	})
}

// byteaToText writes \x and hexadecimal digits, as PostgreSQL does.
func byteaToText(c *call) (arrow.Array, error) {
	bytes := textsOf(c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		return hex.AppendEncode(append(dst, `\x`...), []byte(bytes.at(i))), nil
	})
}

// textToBytea reads \x and hexadecimal digits. Any other text gives the bytes that it consists of.
func textToBytea(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	out, err := mapText(c, func(dst []byte, i int) ([]byte, error) {
		digits, isHex := strings.CutPrefix(text.at(i), `\x`)
		if !isHex {
			return append(dst, text.at(i)...), nil
		}
		decoded, err := hex.AppendDecode(dst, []byte(digits))
		if err != nil {
			return nil, errUnreadable(text.at(i), event.Bytea)
		}
		return decoded, nil
	})
	if err != nil {
		return nil, err
	}
	return event.AsBinary(out.(*array.String)), nil
}
