package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bytes is an amount of memory or storage. In text it is a whole number with an optional unit: 268435456, 256MiB, 1GB.
type Bytes int64

const (
	kibibyte Bytes = 1 << 10
	mebibyte Bytes = 1 << 20
	gibibyte Bytes = 1 << 30
	tebibyte Bytes = 1 << 40
)

// byteUnits maps units in lower case. The short forms (k, m, g, t) mean powers of 1024, as people expect of memory.
var byteUnits = map[string]Bytes{
	"": 1, "b": 1,
	"k": kibibyte, "kib": kibibyte, "kb": 1e3,
	"m": mebibyte, "mib": mebibyte, "mb": 1e6,
	"g": gibibyte, "gib": gibibyte, "gb": 1e9,
	"t": tebibyte, "tib": tebibyte, "tb": 1e12,
}

// ParseBytes reads an amount; it may not be negative.
func ParseBytes(text string) (Bytes, error) {
	s := strings.ReplaceAll(strings.TrimSpace(text), "_", "")
	digits := strings.TrimRight(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ ")
	unit, known := byteUnits[strings.ToLower(strings.TrimSpace(s[len(digits):]))]
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || !known {
		return 0, fmt.Errorf("%q is not a size; write a whole number and a unit, as in 256MiB", text)
	}
	if n > math.MaxInt64/uint64(unit) {
		return 0, fmt.Errorf("size %q is too large", text)
	}
	return Bytes(n) * unit, nil
}

// String is the shortest exact form with a binary unit, which ParseBytes reads back.
func (b Bytes) String() string {
	units := []struct {
		name string
		size Bytes
	}{{"TiB", tebibyte}, {"GiB", gibibyte}, {"MiB", mebibyte}, {"KiB", kibibyte}}
	for _, u := range units {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText writes what String returns.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what ParseBytes takes.
func (b *Bytes) UnmarshalText(text []byte) error {
	parsed, err := ParseBytes(string(text))
	if err != nil {
		return err
	}
	*b = parsed
	return nil
}
