package event

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Kind is the family a Type belongs to.
type Kind uint8

// The kinds. Unknown is the type of NULL and of a quoted literal before the binder has decided what it means; it never
// names a stored column.
const (
	Unknown Kind = iota
	Boolean
	SmallInt
	Integer
	BigInt
	Real
	Double
	Numeric
	Text
	Bytea
	TimestampTZ
	Date
	Interval
	JSONB
	UUID
	Array
	Time
)

// Type is an SQL type. Precision and Scale are set for Numeric only, Elem for Array only.
type Type struct {
	Kind      Kind
	Precision int32
	Scale     int32
	Elem      *Type
	// Clock is set for what SQL calls TIMESTAMP: a TimestampTZ that is what a clock shows, kept as the moment at which one in UTC shows it. It
	// is the same type but for AT TIME ZONE and the text of its values.
	Clock bool
}

// kindNames holds the SQL name of every kind, the one that DESCRIBE prints.
var kindNames = map[Kind]string{
	Unknown: "UNKNOWN", Boolean: "BOOLEAN", SmallInt: "SMALLINT", Integer: "INTEGER", BigInt: "BIGINT", Real: "REAL",
	Double: "DOUBLE PRECISION", Numeric: "NUMERIC", Text: "TEXT", Bytea: "BYTEA", TimestampTZ: "TIMESTAMPTZ", Date: "DATE",
	Interval: "INTERVAL", JSONB: "JSONB", UUID: "UUID", Time: "TIME",
}

// kindAliases holds every spelling that ParseType takes, in upper case.
var kindAliases = map[string]Kind{
	"BOOLEAN": Boolean, "BOOL": Boolean,
	"SMALLINT": SmallInt, "INT2": SmallInt,
	"INTEGER": Integer, "INT": Integer, "INT4": Integer,
	"BIGINT": BigInt, "INT8": BigInt,
	"REAL": Real, "FLOAT4": Real,
	"DOUBLE PRECISION": Double, "DOUBLE": Double, "FLOAT8": Double, "FLOAT": Double,
	"NUMERIC": Numeric, "DECIMAL": Numeric,
	"TEXT": Text, "VARCHAR": Text, "STRING": Text, "CHAR": Text, "CHARACTER": Text, "CHARACTER VARYING": Text, "CHAR VARYING": Text, "BPCHAR": Text,
	"BYTEA": Bytea, "TIMESTAMPTZ": TimestampTZ, "TIMESTAMP": TimestampTZ, "TIMESTAMP WITH TIME ZONE": TimestampTZ,
	"DATE": Date, "INTERVAL": Interval, "JSONB": JSONB, "JSON": JSONB, "UUID": UUID, "TIMESTAMP WITHOUT TIME ZONE": TimestampTZ,
	"TIME": Time, "TIME WITHOUT TIME ZONE": Time,
	// what tables of other systems have
	"TINYINT": SmallInt, "DEC": Numeric, "DATETIME": TimestampTZ, "TIMESTAMP_LTZ": TimestampTZ,
	"BLOB": Bytea, "BYTES": Bytea, "VARBINARY": Bytea, "NAME": Text, "NVARCHAR": Text,
}

// ParseType reads an SQL type name in any case, with aliases, NUMERIC(p,s), VARCHAR(n) and TIMESTAMP(n) (neither is
// kept: texts have any length and times microseconds), FLOAT(n) and a trailing [] for arrays.
func ParseType(name string) (Type, error) {
	s := strings.Join(strings.Fields(strings.ToUpper(name)), " ")
	if elem, ok := strings.CutSuffix(s, "[]"); ok {
		t, err := ParseType(elem)
		if err != nil {
			return Type{}, err
		}
		return Type{Kind: Array, Elem: &t}, nil
	}
	base, args, hasArgs := strings.Cut(s, "(")
	kind, ok := kindAliases[strings.TrimSpace(base)]
	if !ok {
		return Type{}, fmt.Errorf("unknown type %q", name)
	}
	t := Type{Kind: kind, Clock: kind == TimestampTZ && isClock(s)}
	if kind == Numeric {
		t.Precision, t.Scale = MaxPrecision, 9
	}
	if !hasArgs {
		return t, nil
	}
	return t.withArguments(name, args)
}

// isClock reports whether a name of a type of times, in upper case, is one of those without a zone.
func isClock(name string) bool {
	return !strings.HasPrefix(name, "TIMESTAMPTZ") && !strings.HasPrefix(name, "TIMESTAMP_LTZ") && !strings.Contains(name, "WITH TIME ZONE")
}

func (t Type) withArguments(name, args string) (Type, error) {
	inner, ok := strings.CutSuffix(args, ")")
	float := ok && t.Kind == Double && strings.HasPrefix(strings.ToUpper(strings.TrimSpace(name)), "FLOAT(")
	if !ok || (t.Kind != Numeric && !float && t.Kind != Text && t.Kind != TimestampTZ && t.Kind != Time && t.Kind != Interval) {
		return Type{}, fmt.Errorf("unknown type %q", name)
	}
	numbers := make([]int64, 0, 2)
	for part := range strings.SplitSeq(inner, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 32)
		if err != nil || n < 0 {
			return Type{}, fmt.Errorf("type %q: %q is not a size", name, part)
		}
		numbers = append(numbers, n)
	}
	switch {
	case t.Kind == Text:
		return t, nil
	case float:
		return floatOf(name, numbers)
	case t.Kind != Numeric && (len(numbers) > 1 || numbers[0] > 6):
		return Type{}, fmt.Errorf("type %q: times have 0 to 6 digits behind the second", name)
	case t.Kind != Numeric:
		return t, nil
	}
	t.Precision, t.Scale = int32(numbers[0]), 0
	if len(numbers) > 1 {
		t.Scale = int32(numbers[1])
	}
	if len(numbers) > 2 || t.Precision < 1 || t.Precision > MaxPrecision || t.Scale > t.Precision {
		return Type{}, fmt.Errorf("type %q: precision is 1 to 38 and scale at most the precision", name)
	}
	return t, nil
}

// floatOf is the type of FLOAT(n), which counts binary digits.
func floatOf(name string, digits []int64) (Type, error) {
	const realDigits, doubleDigits = 24, 53
	switch {
	case len(digits) > 1 || digits[0] < 1 || digits[0] > doubleDigits:
		return Type{}, fmt.Errorf("type %q: floating point has 1 to 53 binary digits", name)
	case digits[0] <= realDigits:
		return Type{Kind: Real}, nil
	default:
		return Type{Kind: Double}, nil
	}
}

// String is the SQL name of the type, which ParseType reads back.
func (t Type) String() string {
	switch t.Kind {
	case Array:
		return t.Elem.String() + "[]"
	case Numeric:
		if t.Precision == 0 { // any NUMERIC, in the signature of a function
			return "NUMERIC"
		}
		return fmt.Sprintf("NUMERIC(%d,%d)", t.Precision, t.Scale)
	default:
		return kindNames[t.Kind]
	}
}

// Equal reports whether both are the same type, parameters included but for Clock, which says no more than how values are meant.
func (t Type) Equal(o Type) bool {
	if t.Kind != o.Kind || t.Precision != o.Precision || t.Scale != o.Scale {
		return false
	}
	return t.Kind != Array || t.Elem.Equal(*o.Elem)
}

// IsNumeric reports whether arithmetic is defined on the type.
func (t Type) IsNumeric() bool {
	switch t.Kind {
	case SmallInt, Integer, BigInt, Real, Double, Numeric:
		return true
	default:
		return false
	}
}

// Declared is the name that ParseType reads back as all of the type: TIMESTAMP where String says TIMESTAMPTZ of both.
func (t Type) Declared() string {
	switch {
	case t.Kind == Array:
		return t.Elem.Declared() + "[]"
	case t.Clock:
		return "TIMESTAMP"
	default:
		return t.String()
	}
}

// MarshalText writes the SQL name.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.Declared()), nil }

// UnmarshalText reads an SQL name.
func (t *Type) UnmarshalText(text []byte) error {
	parsed, err := ParseType(string(text))
	if err != nil {
		return err
	}
	*t = parsed
	return nil
}

// Timestamp is the Arrow type behind TIMESTAMPTZ: microseconds since 1970-01-01 in UTC.
var Timestamp = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// Arrow is the Arrow type that values of t have in memory. JSONB is held as compact JSON text. A Text or JSONB column may
// also come as a dictionary with int32 codes over the same value type; every reader must accept both.
func (t Type) Arrow() arrow.DataType {
	switch t.Kind {
	case Boolean:
		return arrow.FixedWidthTypes.Boolean
	case SmallInt:
		return arrow.PrimitiveTypes.Int16
	case Integer:
		return arrow.PrimitiveTypes.Int32
	case BigInt:
		return arrow.PrimitiveTypes.Int64
	case Real:
		return arrow.PrimitiveTypes.Float32
	case Double:
		return arrow.PrimitiveTypes.Float64
	case Numeric:
		return &arrow.Decimal128Type{Precision: t.Precision, Scale: t.Scale}
	case Text, JSONB:
		return arrow.BinaryTypes.String
	case Bytea:
		return arrow.BinaryTypes.Binary
	case TimestampTZ:
		return Timestamp
	case Date:
		return arrow.FixedWidthTypes.Date32
	case Time:
		return arrow.FixedWidthTypes.Time64us
	case Interval:
		return arrow.FixedWidthTypes.MonthDayNanoInterval
	case UUID:
		return UUIDType
	case Array:
		return arrow.ListOf(t.Elem.Arrow())
	default:
		return arrow.Null
	}
}
