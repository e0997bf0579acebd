package members_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/segments/members"
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
		path := rapid.SliceOfN(rapid.SampledFrom(names), 1, members.MaxDepth)
		set := members.NewSet(rapid.SliceOfN(path, 1, 12).Draw(t, "paths"))
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

func TestNoDocumentPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		document := drawValue(t, 0)
		document = document[:rapid.IntRange(0, len(document)).Draw(t, "cut")] + rapid.SampledFrom([]string{"", "{", `"`, ":", `{"a"`, `{"a":`, `\`}).Draw(t, "end")
		set := members.NewSet([][]string{{"a"}, {"a", "b"}, {""}})
		set.Extract(document, make([]string, 3))
		members.Choose(1, func(int) (string, bool) { return document, true })
	})
}

func choose(documents ...string) []string {
	set := members.Choose(len(documents), func(row int) (string, bool) { return documents[row], documents[row] != "" })
	if set == nil {
		return nil
	}
	out := []string{}
	for _, path := range set.Paths() {
		out = append(out, strings.Join(path, "."))
	}
	return out
}

func TestChoiceIsOfWhatDocumentsOftenHave(t *testing.T) {
	t.Parallel()
	var documents []string
	for i := range 400 {
		text := fmt.Sprintf(`{"kind":"k%d","commit":{"operation":"o%d","record":{"deep":{"deeper":{"deepest":%d}}}},"id%d":1,"long":%q`,
			i%3, i%2, i%5, i, strings.Repeat("x", 200))
		if i%5 == 0 {
			text += `,"rare":1`
		}
		if i%4 == 0 {
			text += `,"often":1`
		}
		documents = append(documents, text+"}", "") // every other one is NULL
	}
	require.Equal(t, []string{"commit.operation", "kind", "often"}, choose(documents...))
	require.Nil(t, choose())
	require.Nil(t, choose("", ""))
	require.Nil(t, choose("[]", "1", "null", `"a"`))
}

func TestChoiceIsBounded(t *testing.T) {
	t.Parallel()
	var wide []string
	for i := range members.MaxPaths + 20 {
		wide = append(wide, fmt.Sprintf(`"m%02d":%d`, i, i))
	}
	document := "{" + strings.Join(wide, ",") + "}"
	require.Len(t, choose(slices.Repeat([]string{document}, 100)...), members.MaxPaths)

	// Texts that never repeat are taken up to a part of the documents' own size, the shorter ones first.
	var distinct []string
	for i := range 200 {
		distinct = append(distinct, fmt.Sprintf(`{"a":"%012d","b":"%040d","c":"%041d","d":"%042d"}`, i, i, i, i))
	}
	require.Equal(t, []string{"a", "b"}, choose(distinct...))
}
