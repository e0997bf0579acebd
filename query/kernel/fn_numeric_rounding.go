package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

func registerNumericRounding(r registry) {
	whole := func(round func(v decimal128.Num, scale int32) decimal128.Num) kernel {
		return func(c *call) (arrow.Array, error) {
			a := decimalsOf(c.args[0])
			return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) { return round(a.at(i), a.scale), nil })
		}
	}
	r.strict("round(NUMERIC)", whole(func(v decimal128.Num, scale int32) decimal128.Num {
		out, _, _ := event.RescaleNumeric(v, scale, 0)
		return out
	}))
	r.strict("floor(NUMERIC)", whole(func(v decimal128.Num, scale int32) decimal128.Num { return towards(v, scale, -1) }))
	r.strict("ceil(NUMERIC)", whole(func(v decimal128.Num, scale int32) decimal128.Num { return towards(v, scale, 1) }))
	r.strict("trunc(NUMERIC)", whole(func(v decimal128.Num, scale int32) decimal128.Num { return towards(v, scale, 0) }))
	r.strict("round(NUMERIC, BIGINT)", roundNumericPlaces)
	r.strict("trunc(NUMERIC, BIGINT)", truncNumericPlaces)
}

// towards is the whole number next to v in a direction, which is that of zero where it is 0, or v itself if it is whole.
func towards(v decimal128.Num, scale int32, direction int64) decimal128.Num {
	quotient, rest := v.Div(decimal128.GetScaleMultiplier(int(scale)))
	if direction != 0 && int64(rest.Sign()) == direction {
		return quotient.Add(decimal128.FromI64(direction))
	}
	return quotient
}

// roundNumericPlaces rounds half away from zero at a decimal place; negative places lie left of the point. The scale of the type stays,
// since it cannot depend on a row.
func roundNumericPlaces(c *call) (arrow.Array, error) {
	a, places := decimalsOf(c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		n := places.at(i)
		if n >= int64(a.scale) {
			return rescaled(a.at(i), a.scale, c.result)
		}
		if n < -event.MaxPrecision {
			return decimal128.Num{}, nil
		}
		// Left of the point the value is brought to a negative scale, which rescaling takes as any other.
		rounded, _, _ := event.RescaleNumeric(a.at(i), a.scale, int32(n))
		return rescaled(rounded, int32(n), c.result)
	})
}

// truncNumericPlaces leaves out the digits behind a decimal place, and is otherwise as roundNumericPlaces.
func truncNumericPlaces(c *call) (arrow.Array, error) {
	a, places := decimalsOf(c.args[0]), fixed[int64](c.args[1])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		v, n := a.at(i), places.at(i)
		if n < int64(a.scale)-event.MaxPrecision {
			return decimal128.Num{}, nil
		}
		if dropped := int64(a.scale) - n; dropped > 0 {
			_, rest := v.Div(decimal128.GetScaleMultiplier(int(dropped)))
			v = v.Sub(rest)
		}
		return rescaled(v, a.scale, c.result)
	})
}

// rescaled brings an unscaled value to a type.
func rescaled(v decimal128.Num, from int32, to event.Type) (decimal128.Num, error) {
	out, _, ok := event.RescaleNumeric(v, from, to.Scale)
	if !ok || !out.FitsInPrecision(to.Precision) {
		return out, event.Errorf(event.CodeInvalidValue, "%s is out of range for %s", event.FormatNumeric(v, max(from, 0)), to)
	}
	return out, nil
}
