package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

func registerNumericScale(r registry) {
	r.strict("scale(NUMERIC)", func(c *call) (arrow.Array, error) {
		scale := int64(decimalsOf(c.args[0]).scale)
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(int) (int64, error) { return scale, nil })
	})
	r.strict("min_scale(NUMERIC)", func(c *call) (arrow.Array, error) {
		a := decimalsOf(c.args[0])
		return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) { return neededPlaces(a.at(i), a.scale), nil })
	})
	r.strict("to_number(TEXT, TEXT)", toNumber)
}

// neededPlaces is how many decimal places a value has without zeros at the end.
func neededPlaces(v decimal128.Num, scale int32) int64 {
	_, fraction, _ := strings.Cut(event.FormatNumeric(v, scale), ".")
	return int64(len(strings.TrimRight(fraction, "0")))
}

// toNumber reads what to_char writes. Separators may stand anywhere before the point, blanks and the sign at both ends; a text with
// more digits than the pattern has places is an error, where PostgreSQL cuts it off.
func toNumber(c *call) (arrow.Array, error) {
	values, patterns := textsOf(c.args[0]), textsOf(c.args[1])
	return mapFixed(c, c.result.Arrow(), func(i int) (decimal128.Num, error) {
		p, err := parseNumberPattern(patterns.at(i))
		if err != nil {
			return decimal128.Num{}, err
		}
		plain, ok := p.plainNumber(values.at(i))
		if !ok {
			return decimal128.Num{}, event.Errorf(event.CodeInvalidValue, "to_number: %s does not fit the pattern %q",
				quoted(values.at(i)), patterns.at(i))
		}
		v, ok := readNumeric(plain, c.result)
		if !ok {
			return v, event.Errorf(event.CodeInvalidValue, "to_number: %s is out of range for %s", plain, c.result)
		}
		return v, nil
	})
}

// plainNumber is a text as a number without separators, if it has no more digits than the pattern has places.
func (p numberPattern) plainNumber(text string) (string, bool) {
	s, negative := strings.TrimSpace(text), false
	if inner, ok := strings.CutPrefix(s, "<"); ok && p.brackets {
		if s, ok = strings.CutSuffix(inner, ">"); !ok {
			return "", false
		}
		negative = true
	} else if s != "" {
		switch first, last := s[0], s[len(s)-1]; {
		case first == '-' || first == '+':
			s, negative = strings.TrimSpace(s[1:]), first == '-'
		case p.signLast && (last == '-' || last == '+'):
			s, negative = strings.TrimSpace(s[:len(s)-1]), last == '-'
		}
	}
	whole, fraction, _ := strings.Cut(s, ".")
	whole = strings.ReplaceAll(whole, ",", "")
	digits := whole + fraction
	if digits == "" || strings.Trim(digits, "0123456789") != "" || len(whole) > digitPlaces(p.whole) || len(fraction) > digitPlaces(p.fraction) {
		return "", false
	}
	if whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	if negative {
		whole = "-" + whole
	}
	return whole, true
}
