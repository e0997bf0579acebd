package jsonscan

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestItemsAreThoseOfEncodingJSON walks documents with text of all kinds, with and without space between their tokens.
func TestItemsAreThoseOfEncodingJSON(t *testing.T) {
	t.Parallel()
	text := rapid.StringOf(rapid.SampledFrom([]rune("ab\\\"{}[],:\n\u0000é😀 ")))
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.MapOf(text, rapid.SliceOfN(text, 0, 3)).Draw(t, "members")
		document, err := json.Marshal(members)
		require.NoError(t, err)
		if rapid.Bool().Draw(t, "spaced") {
			var spaced bytes.Buffer
			require.NoError(t, json.Indent(&spaced, document, "", "\t"))
			document = spaced.Bytes()
		}
		got := map[string][]string{}
		for member := ItemsOf(string(document)); member.Next(); {
			list := []string{}
			for element := ItemsOf(member.Value); element.Next(); {
				require.Empty(t, element.Key)
				list = append(list, Unquote(element.Value))
				again, ok := Element(member.Value, int64(len(list)-1))
				require.True(t, ok)
				require.Equal(t, element.Value, again)
			}
			if member.Value == "null" {
				list = nil
			}
			name := Unquote(member.Key)
			require.True(t, KeyIs(member.Key, name))
			require.False(t, KeyIs(member.Key, name+"x"))
			got[name] = list
		}
		require.Equal(t, members, got)
	})
}

// TestWalkingStaysInside cuts documents and puts bytes into them anywhere: whatever the walk then finds, it ends, inside of the text.
func TestWalkingStaysInside(t *testing.T) {
	t.Parallel()
	const document = `{"a\\":[1,{"b":"\\\"]}"},null],"\\u00e9":"\\ud83d\\ude00","c":-1.5e3}`
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(document)).Draw(t, "at")
		wrong := document[:at] + rapid.SampledFrom([]string{"", `"`, `\`, `\u`, "{", "]", ",", ":"}).Draw(t, "put in")
		if rapid.Bool().Draw(t, "go on") {
			wrong += document[at:]
		}
		steps := 0
		for items := ItemsOf(wrong); items.Next(); steps++ {
			require.LessOrEqual(t, steps, len(wrong))
			require.Contains(t, wrong, items.Value)
			Unquote(items.Value)
		}
		Element(strings.TrimPrefix(wrong, `{"a\\":`), -1)
	})
}
