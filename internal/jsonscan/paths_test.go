package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// names are few, so that paths and documents meet; some documents have them with escapes.
var names = []string{"a", "b", "long name", "", `q"`, `back\slash`, "é", "a.b", "0"}

func drawKey(t *rapid.T) string {
	quoted, err := json.Marshal(rapid.SampledFrom(names).Draw(t, "name"))
	if err != nil {
		t.Fatal(err)
	}
	out := string(quoted)
	if rapid.IntRange(0, 5).Draw(t, "escaped") == 0 {
		out = strings.Replace(out, "a", `\u0061`, 1)
	}
	return out
}

func drawValue(t *rapid.T, depth int) string {
	space := rapid.SampledFrom([]string{"", "", " ", "\n\t"})
	switch kind := rapid.IntRange(0, 9).Draw(t, "kind"); {
	case kind < 4 && depth < 6:
		parts := make([]string, rapid.IntRange(0, 4).Draw(t, "members"))
		for i := range parts {
			parts[i] = space.Draw(t, "") + drawKey(t) + space.Draw(t, "") + ":" + space.Draw(t, "") + drawValue(t, depth+1) + space.Draw(t, "")
		}
		return "{" + strings.Join(parts, ",") + space.Draw(t, "") + "}"
	case kind == 4 && depth < 6:
		return "[" + drawValue(t, depth+1) + space.Draw(t, "") + "," + drawValue(t, depth+1) + "]"
	default:
		return rapid.SampledFrom([]string{
			"1", "12.50", "-1e400", "123456789012345678901234567890", "null", "true", `""`, `"x"`, `"}"`, `"\\"`, `"\""`, `"{\"a\":1}"`, `"\ud83d\ude00"`,
			`"\ud83d"`, `"a"`, `"é"`,
		}).Draw(t, "scalar")
	}
}

// follow is what the standard library finds along a path: of members of one name it takes the last, too.
func follow(document string, path []string) string {
	value := json.RawMessage(document)
	for _, name := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(value, &object) != nil {
			return ""
		}
		var ok bool
		if value, ok = object[name]; !ok {
			return ""
		}
	}
	return strings.TrimSpace(string(value))
}

func TestExtractionFindsWhatPathsLeadTo(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.SliceOfN(rapid.SampledFrom(names), 1, 4)
		set := NewPaths(rapid.SliceOfN(path, 1, 12).Draw(t, "paths"))
		values := make([]string, len(set.Paths()))
		for range 4 {
			document := drawValue(t, 0)
			set.Extract(document, values)
			for i, path := range set.Paths() {
				require.Equal(t, follow(document, path), values[i], "%q of %s", path, document)
			}
		}
	})
}

// TestExtractionStaysInside cuts documents and puts something behind: there is an end to the search.
func TestExtractionStaysInside(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document := drawValue(t, 0)
		document = document[:rapid.IntRange(0, len(document)).Draw(t, "cut")] +
			rapid.SampledFrom([]string{"", "{", `"`, ":", `{"a"`, `{"a":`, `"a"`, `"a":`, `\`, `\u`}).Draw(t, "end")
		NewPaths([][]string{{"a"}, {"a", "b"}, {""}}).Extract(document, make([]string, 3))
		NewPaths([][]string{{"a"}, {"b"}, {"c"}, {"d"}, {"long name", "a"}}).Extract(document, make([]string, 5))
	})
}

// TestExtractionOfDoubledNames has a name twice: nothing below the first counts, whether names are searched for or all members are walked over.
func TestExtractionOfDoubledNames(t *testing.T) {
	t.Parallel()
	for _, others := range [][][]string{nil, {{"c"}, {"d"}, {"e"}, {"f"}}} {
		values := make([]string, 1+len(others))
		set := NewPaths(append(others, []string{"a", "b"}))
		set.Extract(`{"a":{"b":1},"a":{"c":2}}`, values)
		require.Empty(t, values[0])
		set.Extract(`{"a":{"b":1},"a":3}`, values)
		require.Empty(t, values[0])
		set.Extract(`{"a":{"b":1},"a":{"b":2}}`, values)
		require.Equal(t, "2", values[0])
	}
}
