package event

import (
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func numericType(precision, scale int32) Type {
	return Type{Kind: Numeric, Precision: precision, Scale: scale}
}

func TestParseDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0": "0", "1.50": "1.50", "-0.05": "-0.05", "+7": "7", ".5": "0.5", "5.": "5", "1e3": "1000", "1.5E-3": "0.0015", "-1.25e1": "-12.5",
		"00012.50": "12.50", "99999999999999999999999999999999999999": "99999999999999999999999999999999999999",
		"0.99999999999999999999999999999999999999": "0.99999999999999999999999999999999999999",
		"1e-38": "0.00000000000000000000000000000000000001", "0e99": "0",
	} {
		d, ok := ParseDecimal(text)
		require.True(t, ok && d.Exact, text)
		require.Equal(t, want, FormatNumeric(d.Value, d.Scale), text)
	}
	for _, text := range []string{"", "-", ".", "e5", "1e", "1e+", "1x", "0x1", "1_0", "--1", " 1", "NaN", "1e38", strings.Repeat("9", 39)} {
		_, ok := ParseDecimal(text)
		require.False(t, ok, text)
	}
	for _, text := range []string{"0.000000000000000000000000000000000000001", "1." + strings.Repeat("1", 40), "1e-39"} {
		d, ok := ParseDecimal(text)
		require.True(t, ok, text)
		require.False(t, d.Exact, text)
	}
}

func TestDecimalTypeIsTheNarrowest(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Type{
		"1.50": numericType(3, 2), "0.05": numericType(2, 2), "0": numericType(1, 0), "-123": numericType(3, 0), "1e2": numericType(3, 0),
	} {
		d, ok := ParseDecimal(text)
		require.True(t, ok)
		require.Equal(t, want, d.Type(), text)
	}
}

func TestRescaleRoundsHalfAwayFromZero(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"1.005": "1.01", "-1.005": "-1.01", "1.0049": "1.00", "0.995": "1.00", "-0.004": "0.00", "9.999": "10.00",
	} {
		d, _ := ParseDecimal(text)
		v, exact, ok := d.As(numericType(10, 2))
		require.True(t, ok && !exact)
		require.Equal(t, want, FormatNumeric(v, 2), text)
	}
	d, _ := ParseDecimal("99.999")
	_, _, ok := d.As(numericType(4, 2))
	require.False(t, ok, "rounding gives a digit too many")
}

// TestNumericAgreesWithBigNumbers holds text and rescaling to the arithmetic of package big.
func TestNumericAgreesWithBigNumbers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`-?[1-9][0-9]{0,37}`).Draw(t, "digits")
		from, to := rapid.Int32Range(0, 38).Draw(t, "from"), rapid.Int32Range(0, 38).Draw(t, "to")
		unscaled, _ := new(big.Int).SetString(digits, 10)
		v := decimal128.FromBigInt(unscaled)
		d, ok := ParseDecimal(FormatNumeric(v, from))
		require.True(t, ok && d.Exact)
		require.Equal(t, v, d.Value)
		require.Equal(t, from, d.Scale)
		want := rescaleBig(unscaled, from, to)
		got, _, ok := RescaleNumeric(v, from, to)
		require.Equal(t, len(new(big.Int).Abs(want).String()) <= MaxPrecision, ok)
		if ok {
			require.Equal(t, want.String(), got.BigInt().String())
		}
	})
}

func rescaleBig(v *big.Int, from, to int32) *big.Int {
	power := func(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
	if from <= to {
		return new(big.Int).Mul(v, power(to-from))
	}
	divisor := power(from - to)
	twice := new(big.Int).Mul(new(big.Int).Abs(v), big.NewInt(2))
	rounded := twice.Add(twice, divisor).Quo(twice, new(big.Int).Mul(divisor, big.NewInt(2)))
	if v.Sign() < 0 {
		rounded.Neg(rounded)
	}
	return rounded
}

func TestUUIDs(t *testing.T) {
	t.Parallel()
	const canonical = "0e37df36-f698-11e6-8dd4-cb9ced3df976"
	for _, text := range []string{canonical, strings.ToUpper(canonical), " {" + canonical + "} ", strings.ReplaceAll(canonical, "-", "")} {
		v, ok := ParseUUID(text)
		require.True(t, ok, text)
		require.Equal(t, canonical, FormatUUID(v[:]))
		require.Equal(t, v, UUIDBytes(UUIDWord(v)))
	}
	for _, text := range []string{"", canonical[1:], strings.Replace(canonical, "-", "_", 1), "0e37df36-f698-11e6-8dd4cb9ced3df9-76", canonical + "0"} {
		_, ok := ParseUUID(text)
		require.False(t, ok, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		var a, b [16]byte
		copy(a[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "a"))
		copy(b[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "b"))
		require.Equal(t, strings.Compare(string(a[:]), string(b[:])), CompareUUIDs(UUIDWord(a), UUIDWord(b)))
	})
}

func TestDates(t *testing.T) {
	t.Parallel()
	days, ok := ParseDate(" 2024-02-29 ")
	require.True(t, ok)
	require.Equal(t, "2024-02-29", FormatDate(days))
	require.Equal(t, "1969-12-31", FormatDate(DateOf(-1)))
	for _, text := range []string{"2023-02-29", "2024-2-29", "2024-02-29T00:00:00Z", ""} {
		_, ok := ParseDate(text)
		require.False(t, ok, text)
	}
}
