package members_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/segments/members"
)

func TestNoDocumentPanics(t *testing.T) {
	t.Parallel()
	const document = `{"a":{"b":[1,"x"]},"\u0061":"\"","":{"a":{}},"c":1}`
	rapid.Check(t, func(t *rapid.T) {
		wrong := document[:rapid.IntRange(0, len(document)).Draw(t, "cut")] + rapid.SampledFrom([]string{"", "{", `"`, ":", `{"a"`, `{"a":`, `\`}).Draw(t, "end")
		members.Choose(1, func(int) (string, bool) { return wrong, true })
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
		text := fmt.Sprintf(`{"kind":"k%d","commit":{"operation":"o%d","record":{"a":{"b":{"c":{"deep":%d,"d":{"deeper":%d}}}}}},"id%d":1,"long":%q`,
			i%3, i%2, i%4, i%5, i, strings.Repeat("x", 200))
		if i%60 == 0 {
			text += `,"rare":1`
		}
		if i%40 == 0 {
			text += `,"often":1`
		}
		documents = append(documents, text+"}", "") // every other one is NULL
	}
	require.Equal(t, []string{"commit.operation", "commit.record.a.b.c.deep", "kind", "often"}, choose(documents...))
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
	require.Len(t, choose(slices.Repeat([]string{document}, 100)...), members.MaxPaths/2)

	// Those that are rare have their own bound beside.
	var mixed []string
	for i := range 200 {
		if mixed = append(mixed, `{"z":1}`); i%10 == 0 {
			mixed[i] = `{"z":1,` + document[1:]
		}
	}
	found := choose(mixed...)
	require.Len(t, found, 1+members.MaxPaths/2)
	require.Contains(t, found, "z")

	// Texts that never repeat are taken up to a part of the documents' own size, the shorter ones first.
	var distinct []string
	for i := range 200 {
		distinct = append(distinct, fmt.Sprintf(`{"a":"%012d","b":"%040d","c":"%041d","d":"%042d"}`, i, i, i, i))
	}
	require.Equal(t, []string{"a", "b"}, choose(distinct...))
}
