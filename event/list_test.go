package event

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestListTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		items := rapid.SliceOfN(rapid.StringOf(rapid.RuneFrom([]rune("ab ,{}\"\\NULl\n"))), 0, 5).Draw(t, "items")
		text := []byte("{")
		for i, item := range items {
			if i > 0 {
				text = append(text, ',')
			}
			text = AppendListItem(text, item)
		}
		parsed, ok := ParseList(string(append(text, '}')))
		require.True(t, ok)
		require.Len(t, parsed, len(items))
		for i, item := range items {
			require.Equal(t, ListItem{Text: item}, parsed[i])
		}
	})
}

func TestParseList(t *testing.T) {
	t.Parallel()
	items, ok := ParseList(` { 1, null ,"null", {2,"3"} } `)
	require.True(t, ok)
	require.Equal(t, []ListItem{{Text: "1"}, {Text: "null", Null: true}, {Text: "null"}, {Text: `{2,"3"}`}}, items)
	for _, bad := range []string{"", "1,2", "{1", "1}", "{1,}", "{,1}", `{"a}`, "{{1}", "{1}}"} {
		_, ok := ParseList(bad)
		require.False(t, ok, bad)
	}
}
