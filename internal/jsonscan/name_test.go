package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestMemberIsFoundAsByWalking draws documents in which names are keys and values at every depth, twice, spaced and escaped.
func TestMemberIsFoundAsByWalking(t *testing.T) {
	t.Parallel()
	names := []string{"a", "ab", "key", `k\u0065y`, "", ",", ":", "1", "a b", "u", `":"`, "{", "[a]", "nul", "é"}
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"})
	scalar := rapid.SampledFrom([]string{"1", "-2.5e3", "true", "null", `"a\\"`, `"\""`, `"{"`, `"]"`, "[]", "{}", `"C:\\users"`, `"\u0041"`, `"\n"`})
	var value func(t *rapid.T, depth int) string
	str := func(t *rapid.T) string {
		return `"` + rapid.SampledFrom(names).Filter(func(s string) bool { return json.Valid([]byte(`"` + s + `"`)) }).Draw(t, "name") + `"`
	}
	value = func(t *rapid.T, depth int) string {
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		if depth == 0 || kind == 0 {
			return scalar.Draw(t, "scalar")
		}
		if kind == 1 {
			return str(t)
		}
		var parts []string
		for range rapid.IntRange(0, 4).Draw(t, "items") {
			item := value(t, depth-1)
			if kind == 3 {
				item = str(t) + space.Draw(t, "s") + ":" + space.Draw(t, "s") + item
			}
			parts = append(parts, space.Draw(t, "s")+item+space.Draw(t, "s"))
		}
		brackets := [2]string{"[", "]"}
		if kind == 3 {
			brackets = [2]string{"{", "}"}
		}
		return brackets[0] + strings.Join(parts, ",") + brackets[1]
	}
	rapid.Check(t, func(t *rapid.T) {
		document, key := value(t, 3), NameOf(rapid.SampledFrom(names).Draw(t, "wanted"))
		wanted, has := key.walk(document)
		found, ok := key.In(document)
		require.Equal(t, has, ok, document)
		require.Equal(t, wanted, found, document)
	})
}

// TestSkipsAgree compares the two ways over a value.
func TestSkipsAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document := drawValue(t, 0)
		cut := document[:rapid.IntRange(0, len(document)).Draw(t, "cut")]
		skipPlain(cut, 0)
		if !strings.Contains(document, `\`) {
			require.Equal(t, len(document), skipPlain(document+",[{}]", 0), document)
		}
	})
}

func BenchmarkMember(b *testing.B) {
	const document = `{"terminal":"Berlin","status":["Priority","Delayed"],"lat":39.610638998699244,"carrier":{"id":17,"name":"x"},"signed":true}`
	for _, name := range []string{"terminal", "signed", "absent"} {
		key := NameOf(name)
		b.Run(name+"/search", func(b *testing.B) {
			for b.Loop() {
				key.In(document)
			}
		})
		b.Run(name+"/walk", func(b *testing.B) {
			for b.Loop() {
				key.walk(document)
			}
		})
	}
}
