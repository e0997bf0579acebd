package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/tidemarkdb/tidemark/event"
)

func registerNumberText(r registry) {
	r.strict("to_char(NUMERIC, TEXT)", func(c *call) (arrow.Array, error) {
		values, patterns := fixed[decimal128.Num](c.args[0]), textsOf(c.args[1])
		scale := c.args[0].Array.DataType().(*arrow.Decimal128Type).Scale
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			p, err := parseNumberPattern(patterns.at(i))
			if err != nil {
				return nil, err
			}
			return p.appendTo(dst, values.at(i), scale), nil
		})
	})
}

// numberPattern is a pattern of to_char for numbers, after PostgreSQL (manual, "Template Patterns for Numeric Formatting"): 9 and 0 are
// places of digits, with zeros from the first 0 on; . or D is the point; , or G separates; FM leaves blanks out; S and MI are the sign,
// PR brackets for negative numbers. Other characters stand as they are.
type numberPattern struct {
	whole, fraction string // digits, separators and text before and behind the point
	point           bool
	compact         bool
	signFirst       bool // S at the start
	signLast        bool // S or MI at the end
	onlyMinus       bool // MI
	brackets        bool
}

func parseNumberPattern(text string) (numberPattern, error) {
	var p numberPattern
	s := strings.ToUpper(text)
	s, p.compact = strings.CutPrefix(s, "FM")
	s, p.brackets = strings.CutSuffix(s, "PR")
	if s, p.onlyMinus = strings.CutSuffix(s, "MI"); p.onlyMinus {
		p.signLast = true
	} else if s, p.signLast = strings.CutSuffix(s, "S"); !p.signLast {
		s, p.signFirst = strings.CutPrefix(s, "S")
	}
	s = strings.NewReplacer("D", ".", "G", ",").Replace(s)
	p.whole, p.fraction, p.point = strings.Cut(s, ".")
	if strings.Contains(p.fraction, ".") || strings.ContainsAny(s, "EV") || !strings.ContainsAny(s, "09") {
		return p, event.Errorf(event.CodeInvalidValue, "to_char: %q is not a pattern for numbers", text).
			WithHint("as in 'FM999,990.00'")
	}
	return p, nil
}

func digitPlaces(s string) int { return strings.Count(s, "9") + strings.Count(s, "0") }

func (p numberPattern) appendTo(dst []byte, v decimal128.Num, scale int32) []byte {
	places := int32(digitPlaces(p.fraction))
	rounded, _, ok := event.RescaleNumeric(v, scale, places)
	digits := strings.TrimPrefix(event.FormatNumeric(rounded, places), "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	if whole == "0" {
		whole = ""
	}
	negative := rounded.Sign() < 0
	wide := digitPlaces(p.whole)
	if !ok || len(whole) > wide {
		whole, fraction = strings.Repeat("#", wide), strings.Repeat("#", int(places))
	}
	body := p.wholeText(whole, wide)
	number := strings.TrimLeft(body, " ")
	blanks := body[:len(body)-len(number)]
	if p.point {
		number += "." + p.fractionText(fraction)
	}
	return append(dst, p.signed(blanks, number, negative)...)
}

// wholeText fills the places before the point from the right; separators stand only behind digits.
func (p numberPattern) wholeText(whole string, wide int) string {
	var out strings.Builder
	zero := strings.IndexByte(p.whole, '0')
	at, started := len(whole)-wide, false
	for i := range len(p.whole) {
		switch c := p.whole[i]; {
		case c == '9' || c == '0':
			started = started || at >= 0 || zero >= 0 && i >= zero
			switch {
			case at >= 0:
				out.WriteByte(whole[at])
			case started:
				out.WriteByte('0')
			default:
				out.WriteByte(' ')
			}
			at++
		case started || c != ',':
			out.WriteByte(c)
		default:
			out.WriteByte(' ')
		}
	}
	if text := out.String(); whole != "" || started || p.point {
		return text
	} else if n := strings.TrimRight(text, " "); len(n) < len(text) { // a zero without any place for it
		return text[:len(text)-1] + "0"
	}
	return out.String()
}

// fractionText fills the places behind the point; compact patterns leave out zeros at the end where a 9 stands.
func (p numberPattern) fractionText(digits string) string {
	var out strings.Builder
	at := 0
	for i := range len(p.fraction) {
		if c := p.fraction[i]; c == '9' || c == '0' {
			out.WriteByte(digits[at])
			at++
		} else {
			out.WriteByte(c)
		}
	}
	text := out.String()
	if p.compact {
		keep := strings.LastIndexByte(p.fraction, '0') + 1
		for len(text) > keep && text[len(text)-1] == '0' {
			text = text[:len(text)-1]
		}
	}
	return text
}

func (p numberPattern) signed(blanks, number string, negative bool) string {
	if p.compact {
		blanks = ""
	}
	plus, minus := " ", "-"
	if p.compact {
		plus = ""
	}
	switch {
	case p.brackets && negative:
		return blanks + "<" + number + ">"
	case p.brackets:
		return blanks + plus + number + plus
	case p.signLast && p.onlyMinus && !negative:
		return blanks + number + plus
	case p.signLast && !negative:
		return blanks + number + "+"
	case p.signLast:
		return blanks + number + minus
	case p.signFirst && !negative:
		return blanks + "+" + number
	case negative:
		return blanks + minus + number
	default:
		return blanks + plus + number
	}
}
