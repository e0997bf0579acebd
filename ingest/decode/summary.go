package decode

import (
	"github.com/tidemarkdb/tidemark/event"
)

// summary is the set of the sorts of values that a field has shown.
type summary uint16

// The sorts of values.
const (
	sawBoolean   summary = 1 << iota
	sawExact             // an integer that both BIGINT and DOUBLE PRECISION hold
	sawLong              // an integer that only BIGINT holds
	sawHugeExact         // an integer that only DOUBLE PRECISION holds
	sawHuge              // an integer that neither holds
	sawFraction          // any other number that DOUBLE PRECISION holds
	sawExcess            // a number too large for it
	sawTime              // a string as event.FormatTimestamp writes it
	sawUUID              // a string as event.FormatUUID writes it
	sawNotFinite         // a string as DOUBLE PRECISION writes what no JSON number can say
	sawText              // any other string
	sawNested            // an array or object
)

// within reports whether the set is a subset of another.
func (s summary) within(o summary) bool { return s&^o == 0 }

// classify says of which sort a checked value is. NULL is of none.
func (s *scanner) classify(value []byte) summary {
	s.text = value
	switch value[0] {
	case 'n':
		return 0
	case 't', 'f':
		return sawBoolean
	case '"':
		if _, end := s.readTime(0, false, false); end >= 0 {
			return sawTime
		}
		if isCanonicalUUID(value) {
			return sawUUID
		}
		if _, end := s.notFinite(0); end >= 0 {
			return sawNotFinite
		}
		return sawText
	case '{', '[':
		return sawNested
	default:
		s.number(0)
		return s.num.sort()
	}
}

func (n *number) sort() summary {
	_, exact := n.double()
	switch {
	case n.class == whole && exact:
		return sawExact
	case n.class == whole:
		return sawLong
	case n.class == beyond && exact:
		return sawHugeExact
	case n.class == beyond:
		return sawHuge
	case exact:
		return sawFraction
	default:
		return sawExcess
	}
}

// firstKind is the kind of a new column for the values seen.
func (s summary) firstKind() event.Kind {
	switch {
	case s.within(sawBoolean):
		return event.Boolean
	case s.within(sawExact | sawLong):
		return event.BigInt
	case s.within(sawExact | sawFraction):
		return event.Double
	case s.within(sawTime):
		return event.TimestampTZ
	case s.within(sawUUID):
		return event.UUID
	case s.within(sawString):
		return event.Text
	default:
		return event.JSONB
	}
}

// sawString is any string.
const sawString = sawTime | sawUUID | sawNotFinite | sawText

// widerKind is the kind that holds both what a column has stored and the values seen. exact tells whether the integers that a BIGINT column has
// stored are exact in DOUBLE PRECISION. An inferred UUID has stored none but strings as they came, and so becomes TEXT where more
// of those come.
func (s summary) widerKind(column *event.Column, exact func() bool) event.Kind {
	kind := column.Type.Kind
	if column.As != nil {
		return kind
	}
	if kind == event.UUID && column.Inferred {
		switch {
		case s.within(sawUUID):
			return kind
		case s.within(sawString):
			return event.Text
		default:
			return event.JSONB
		}
	}
	var holds summary
	switch kind {
	case event.Boolean:
		holds = sawBoolean
	case event.BigInt:
		holds = sawExact | sawLong
	case event.Double:
		holds = sawExact | sawHugeExact | sawFraction | sawNotFinite
	case event.TimestampTZ:
		holds = sawTime
	case event.Text:
		holds = sawString
	default: // JSONB holds everything, and types that must be declared never widen
		return kind
	}
	switch {
	case s.within(holds):
		return kind
	case kind == event.BigInt && s.within(sawExact|sawFraction|sawNotFinite) && exact():
		return event.Double
	default:
		return event.JSONB
	}
}
