package kernel

import (
	"bytes"
	"encoding/json"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

var jsonSeeds = []string{
	`{"a":1,"b":{"a":[1,2,{"a":"x"}]},"a":"\u00e9\n"}`, `[1,-2.5e+3,"a\"b",[],{},null,true]`, `"\ud83d\ude00 \ud800"`,
	`{"":{"\u0061":1}}`, `1`, ` { "a" : [ 1 , 2 ] } `, `{`, `[1,`, `"a`, `{"a"`, `{"a":`, `\`, `"\u12`,
}

// FuzzJSONAccess compares members and elements with what the standard library finds. Text that is not JSON must do no harm.
func FuzzJSONAccess(f *testing.F) {
	for _, seed := range jsonSeeds {
		f.Add(seed, "a", int64(1))
		f.Add(seed, "", int64(-1))
	}
	f.Fuzz(func(t *testing.T, document, name string, index int64) {
		member, hasMember := jsonscan.Member(document, name)
		element, hasElement := jsonscan.Element(document, index)
		text, _ := appendJSONAsText(nil, member)
		require.Zero(t, compareJSON(document, document+" "))
		if !json.Valid([]byte(document)) {
			return
		}
		var object map[string]json.RawMessage
		if json.Unmarshal([]byte(document), &object) == nil {
			wanted, ok := object[name]
			require.Equal(t, ok, hasMember)
			require.Equal(t, string(wanted), member)
			var s string
			if ok && member[0] == '"' && json.Unmarshal(wanted, &s) == nil {
				require.Equal(t, s, string(bytes.ToValidUTF8(text, []byte("\ufffd"))))
			}
		}
		var array []json.RawMessage
		if json.Unmarshal([]byte(document), &array) == nil {
			if index < 0 {
				index += int64(len(array))
			}
			require.Equal(t, index >= 0 && index < int64(len(array)), hasElement)
			if hasElement {
				require.Equal(t, string(array[index]), element)
			}
		}
	})
}

// FuzzJSONCompare checks that equality is that of the values and that the order is one.
func FuzzJSONCompare(f *testing.F) {
	for _, a := range jsonSeeds {
		for _, b := range jsonSeeds {
			f.Add(a, b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		order := compareJSON(a, b)
		if strings.Count(a, "[")+strings.Count(a, "{") >= maxJSONDepth {
			return
		}
		if !json.Valid([]byte(a)) || !json.Valid([]byte(b)) {
			return
		}
		require.Equal(t, -order, compareJSON(b, a))
		var x, y any
		if json.Unmarshal([]byte(a), &x) != nil || json.Unmarshal([]byte(b), &y) != nil {
			return
		}
		if order == 0 {
			require.True(t, reflect.DeepEqual(x, y), "%s and %s", a, b)
		}
		var spaced bytes.Buffer
		require.NoError(t, json.Indent(&spaced, []byte(a), " ", "\t"))
		require.Zero(t, compareJSON(a, spaced.String()))
	})
}

func FuzzNumberCompare(f *testing.F) {
	for _, a := range []string{"0", "-0.0", "1", "1.0", "10e-1", "-1e2", "-100", "9223372036854775808", "0.00012e4", "1e400"} {
		f.Add(a, "1")
		f.Add(a, "-100.0")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 8 || len(b) > 8 || !isJSONNumber(a) || !isJSONNumber(b) {
			t.Skip()
		}
		x, okX := new(big.Rat).SetString(a)
		y, okY := new(big.Rat).SetString(b)
		if okX && okY {
			require.Equal(t, x.Cmp(y), compareNumbers(a, b), "%s and %s", a, b)
		}
	})
}

func isJSONNumber(s string) bool {
	return json.Valid([]byte(s)) && kindOfJSON(s) == jsonNumber && s == string(bytes.TrimSpace([]byte(s))) &&
		len(bytes.TrimLeft([]byte(s[max(0, len(s)-5):]), "0123456789")) < 5
}

// TestDeepJSON would not end in time if each level were walked once more for every one above it.
func TestDeepJSON(t *testing.T) {
	t.Parallel()
	const depth = 200_000
	deep := func(inner string) string { return strings.Repeat("[", depth) + inner + strings.Repeat("]", depth) }
	require.Negative(t, compareJSON(deep("1"), deep("2")))
	require.Zero(t, compareJSON(deep("1"), deep("1")))
	element, ok := jsonscan.Element(deep("1"), 0)
	require.True(t, ok)
	require.Len(t, element, 2*depth-1)
}
