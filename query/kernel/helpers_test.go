package kernel

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

var (
	booleanType   = event.Type{Kind: event.Boolean}
	bigintType    = event.Type{Kind: event.BigInt}
	textType      = event.Type{Kind: event.Text}
	timestampType = event.Type{Kind: event.TimestampTZ}
	intervalType  = event.Type{Kind: event.Interval}
	jsonbType     = event.Type{Kind: event.JSONB}
)

// withNumerics gives every NUMERIC of a function a precision and scale, not all the same.
func withNumerics(f *plan.Function) *plan.Function {
	types := append([]event.Type(nil), f.Args...)
	for i := range types {
		types[i] = concrete(types[i])
		types[i].Scale -= min(int32(i), types[i].Scale)
	}
	return plan.Concrete(f, types)
}

// concrete is a type with a precision and scale if it is NUMERIC.
func concrete(t event.Type) event.Type {
	if t.Kind == event.Numeric && t.Precision == 0 {
		t.Precision, t.Scale = 12, 3
	}
	return t
}

// functionNamed finds an overload by its signature.
func functionNamed(t testing.TB, signature string) *plan.Function {
	t.Helper()
	for _, overloads := range plan.Functions {
		for _, f := range overloads {
			if f.Signature() == signature && !f.Aggregate {
				return withNumerics(f)
			}
		}
	}
	require.Failf(t, "unknown function", "%s", signature)
	return nil
}

// column reads values from their text form; "NULL" is a NULL.
func columnOf(t testing.TB, typ event.Type, values ...string) arrow.Array {
	t.Helper()
	offsets, valid := []int32{0}, event.NewBitmap(len(values))
	var data []byte
	for i, v := range values {
		if v != "NULL" {
			valid.Set(i)
			data = append(data, v...)
		}
		offsets = append(offsets, int32(len(data)))
	}
	out, err := Cast(&Context{}, Operand{Array: event.NewStrings(offsets, data, valid)}, textType, typ, len(values))
	require.NoError(t, err)
	return out.Array
}

// render is the text form of every row.
func render(t testing.TB, o Operand, typ event.Type, rows int) []string {
	t.Helper()
	text, err := Cast(&Context{}, o, typ, textType, rows)
	require.NoError(t, err)
	plain := Decode(text.Expand(rows))
	require.Equal(t, rows, plain.Len())
	out := make([]string, rows)
	for i := range out {
		out[i] = "NULL"
		if plain.IsValid(i) {
			out[i] = plain.(*array.String).Value(i)
		}
	}
	return out
}

func literal(t testing.TB, typ event.Type, value string) plan.Expr {
	t.Helper()
	return &plan.Literal{Value: columnOf(t, typ, value), Typ: typ}
}

func ref(index int, typ event.Type) plan.Expr {
	return &plan.ColumnRef{Index: index, Name: string(rune('a' + index)), Typ: typ}
}

func callOf(t testing.TB, signature string, args ...plan.Expr) plan.Expr {
	t.Helper()
	return &plan.Call{Fn: functionNamed(t, signature), Args: args}
}

func compiled(t testing.TB, e plan.Expr) *Program {
	t.Helper()
	p, err := Compile(e)
	require.NoError(t, err)
	return p
}

// toDictionary encodes text as a dictionary in which values may repeat and one that no row uses stands first.
func toDictionary(random *rand.Rand, values arrow.Array) arrow.Array {
	rows := values.Len()
	offsets, data := []int32{0}, []byte("not json")
	offsets = append(offsets, int32(len(data)))
	codes, valid := make([]int32, rows), event.NewBitmap(rows)
	known := map[string]int32{}
	for i := range rows {
		if values.IsNull(i) {
			continue
		}
		valid.Set(i)
		v := strings.Clone(event.StringAt(values, i))
		code, ok := known[v]
		if !ok || random.IntN(4) == 0 {
			code = int32(len(offsets) - 1)
			known[v] = code
			data = append(data, v...)
			offsets = append(offsets, int32(len(data)))
		}
		codes[i] = code
	}
	return event.NewDictionary(codes, event.NewStrings(offsets, data, nil), valid)
}

// toSlice hides an array among other rows of the same values and cuts it out again.
func toSlice(t testing.TB, random *rand.Rand, values arrow.Array) arrow.Array {
	t.Helper()
	rows := values.Len()
	if rows == 0 {
		return values
	}
	before, after := 1+random.IntN(11), random.IntN(5)
	index := make([]int32, 0, before+rows+after)
	for range before {
		index = append(index, int32(random.IntN(rows)))
	}
	index = append(index, sequence(rows)...)
	for range after {
		index = append(index, int32(random.IntN(rows)))
	}
	return array.NewSlice(Take(values, index), int64(before), int64(before+rows))
}

// signatures lists the scalar overloads in a fixed order.
func signatures() []*plan.Function {
	var out []*plan.Function
	for _, overloads := range plan.Functions {
		for _, f := range overloads {
			if !f.Aggregate && !f.Window {
				out = append(out, withNumerics(f))
			}
		}
	}
	slices.SortFunc(out, func(a, b *plan.Function) int { return strings.Compare(a.Signature(), b.Signature()) })
	return out
}
