package kernel

import (
	"math/big"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// TestNumericArithmeticIsExact holds the operators to rational arithmetic: the result is the true one, rounded half away from zero at
// the scale of the result's type, or an error where it does not fit.
func TestNumericArithmeticIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, aType := drawNumeric(t, "a")
		b, bType := drawNumeric(t, "b")
		for symbol, operation := range map[string]func(x, y *big.Rat) *big.Rat{
			"+": func(x, y *big.Rat) *big.Rat { return new(big.Rat).Add(x, y) },
			"-": func(x, y *big.Rat) *big.Rat { return new(big.Rat).Sub(x, y) },
			"*": func(x, y *big.Rat) *big.Rat { return new(big.Rat).Mul(x, y) },
			"/": func(x, y *big.Rat) *big.Rat { return new(big.Rat).Quo(x, y) },
		} {
			if symbol == "/" && b.Sign() == 0 {
				continue
			}
			f := numericOperatorFor(t, symbol, aType, bType)
			require.LessOrEqual(t, f.Result.Precision, int32(event.MaxPrecision))
			require.LessOrEqual(t, f.Result.Scale, f.Result.Precision)
			got, err := EvalConst(&plan.Call{Fn: f, Args: []plan.Expr{numericValue(a, aType), numericValue(b, bType)}}, &Context{})
			want := roundRat(operation(rational(a, aType.Scale), rational(b, bType.Scale)), f.Result.Scale)
			if len(new(big.Int).Abs(want).String()) > int(f.Result.Precision) {
				require.Error(t, err)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, want.String(), event.Words(got)[0].BigInt().String(), "%s %s %s", a.ToString(aType.Scale), symbol, b.ToString(bType.Scale))
		}
	})
}

func drawNumeric(t *rapid.T, name string) (decimal128.Num, event.Type) {
	precision := rapid.Int32Range(1, event.MaxPrecision).Draw(t, name+" precision")
	scale := rapid.Int32Range(0, precision).Draw(t, name+" scale")
	digits := rapid.StringMatching(`-?[0-9]{1,38}`).Draw(t, name)
	v, _ := new(big.Int).SetString(digits, 10)
	v.Rem(v, powerOfTen(precision))
	return decimal128.FromBigInt(v), event.Type{Kind: event.Numeric, Precision: precision, Scale: scale}
}

func numericOperatorFor(t require.TestingT, symbol string, a, b event.Type) *plan.Function {
	for _, f := range plan.Functions[symbol] {
		if f.Signature() == symbol+"(NUMERIC, NUMERIC)" {
			return plan.Concrete(f, []event.Type{a, b})
		}
	}
	require.Fail(t, "no operator", symbol)
	return nil
}

func numericValue(v decimal128.Num, t event.Type) plan.Expr {
	return &plan.Literal{Value: event.NewFixed(t.Arrow(), []decimal128.Num{v}, nil), Typ: t}
}

func rational(v decimal128.Num, scale int32) *big.Rat {
	return new(big.Rat).SetFrac(v.BigInt(), powerOfTen(scale))
}

// roundRat is a number times ten to the scale, rounded half away from zero.
func roundRat(v *big.Rat, scale int32) *big.Int {
	scaled := new(big.Rat).Mul(v, new(big.Rat).SetInt(powerOfTen(scale)))
	twice := new(big.Int).Mul(new(big.Int).Abs(scaled.Num()), big.NewInt(2))
	out := twice.Add(twice, scaled.Denom()).Quo(twice, new(big.Int).Mul(scaled.Denom(), big.NewInt(2)))
	if v.Sign() < 0 {
		out.Neg(out)
	}
	return out
}

func TestNumericComparesAcrossScales(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, aType := drawNumeric(t, "a")
		b, bType := drawNumeric(t, "b")
		compare := numericOrdering(Operand{Array: numericValue(a, aType).(*plan.Literal).Value},
			Operand{Array: numericValue(b, bType).(*plan.Literal).Value})
		require.Equal(t, rational(a, aType.Scale).Cmp(rational(b, bType.Scale)), compare(0, 0))
	})
}

// TestNumericSumsAreExact: sums and averages are the true ones, rounded once; one that has no room in its type is an error.
func TestNumericSumsAreExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		typ := event.Type{Kind: event.Numeric, Precision: 30, Scale: 3}
		words := make([]decimal128.Num, rapid.IntRange(1, 20).Draw(t, "rows"))
		most := int64(1) << rapid.IntRange(10, 35).Draw(t, "bits")
		total := new(big.Int)
		for i := range words {
			words[i] = decimal128.New(rapid.Int64Range(-most, most).Draw(t, "high"), rapid.Uint64().Draw(t, "low"))
			total.Add(total, words[i].BigInt())
		}
		rows := []Operand{{Array: event.NewFixed(typ.Arrow(), words, nil)}}
		for name, want := range map[string]*big.Rat{
			"sum": new(big.Rat).SetFrac(total, powerOfTen(3)),
			"avg": new(big.Rat).SetFrac(total, new(big.Int).Mul(powerOfTen(3), big.NewInt(int64(len(words))))),
		} {
			f := plan.Concrete(aggregateBySignature(name+"(NUMERIC)"), []event.Type{typ})
			a, ok := NewAccumulator(f)
			require.True(t, ok)
			require.NoError(t, a.Update(Groups{Count: 1}, rows, len(words)))
			out, err := a.Result(1)
			rounded := roundRat(want, f.Result.Scale)
			if rounded.CmpAbs(powerOfTen(event.MaxPrecision)) >= 0 {
				require.ErrorContains(t, err, "overflow", name)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, rounded.String(), event.Words(out)[0].BigInt().String(), name)
		}
	})
}
