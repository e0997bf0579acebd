package kernel

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// likeAsRegex is the obvious translation, for comparison.
func likeAsRegex(pattern string) string {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			b.WriteString(regexp.QuoteMeta(string(r)))
			escaped = false
		case r == '\\':
			escaped = true
		case r == '%':
			b.WriteString(".*")
		case r == '_':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(r)))
		}
	}
	return b.String() + `\z`
}

func FuzzLike(f *testing.F) {
	for _, seed := range [][2]string{
		{"hello", "h%l_"}, {"aab", "%ab"}, {"abab", "ab%ab"}, {"é", "_"}, {"a%b", `a\%b`}, {"aaa", "%a_a%"}, {"", "%%"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, text, pattern string) {
		if !utf8.ValidString(text) || !utf8.ValidString(pattern) || len(pattern) > 200 {
			t.Skip()
		}
		p, err := parseLike(pattern, false)
		if err != nil {
			require.True(t, strings.HasSuffix(pattern, `\`))
			return
		}
		require.Equal(t, regexp.MustCompile(likeAsRegex(pattern)).MatchString(text), p.match(text), "%q like %q", text, pattern)
	})
}

// TestLikeDoesNotBacktrack would not end if every % doubled the work.
func TestLikeDoesNotBacktrack(t *testing.T) {
	t.Parallel()
	p, err := parseLike(strings.Repeat("%a_", 500)+"b", false)
	require.NoError(t, err)
	require.False(t, p.match(strings.Repeat("a", 10_000)))
}
