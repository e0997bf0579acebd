package jsonbody

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLayouts(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Layout{
		"":                        Undecided,
		"\ufeff \r\n":             Undecided,
		`{"a":1}`:                 Lines,
		"{\"a\":\"}\"} \r\n{":     Lines,
		`{"a":1},`:                Lines,
		"{}\n{\n\"a\":1\n}":       Lines, // the first line decides
		`{"a":1}{"a":2}`:          Documents,
		`{"a":1} [`:               Documents,
		"{\n  \"a\": 1\n}\n{\n":   Documents,
		"{\"a\": [\n1,\n":         Documents,
		"{\r\n\t\"a\": 1\r\n}":    Documents,
		"[{\"a\":1},\n{\"a\":2}]": Documents,
		`[{"a":1}]`:               Documents,
		"[\n]":                    Documents,
		`[1,2]`:                   Lines,
		`["a"`:                    Lines,
		`[`:                       Undecided,
		`{"a":1`:                  Undecided,
		// Lines that were cut, before others that were not.
		"{\"a\":1,\n{\"a\":2}\n":      Lines,
		"{\"a\":\"te\n{\"a\":2}\n":    Lines,
		"{\"a\":[1,\n{\"a\":2}\n{\"a": Lines,
		"{\n  a: 1\n}":                Lines,
		"a,b\n1,2\n":                  NoJSON,
		"<34>1 2026":                  NoJSON,
	} {
		require.Equal(t, want, LayoutOf([]byte(body), false), "%q", body)
	}
	require.Equal(t, Undecided, LayoutOf([]byte("{\n  \"a\": 1\n"), true))
	require.Equal(t, Undecided, LayoutOf([]byte(`{"a":1} `), true))
}

// TestALayoutNeedsNoMoreThanItSays: what was decided stays, however much more is seen.
func TestALayoutNeedsNoMoreThanItSays(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.SliceOfN(rapid.SampledFrom([]string{"{", "}", "[", "]", `"a"`, ":", ",", "1", "\n", " ", `"`, `\`}), 1, 24).Draw(t, "parts")
		body := strings.Join(parts, "")
		before := Undecided
		for n := range len(body) {
			now := LayoutOf([]byte(body[:n]), true)
			if before != Undecided && now != before {
				t.Fatalf("%q is %d at %d bytes, and was %d", body, now, n, before)
			}
			before = now
		}
		if now := LayoutOf([]byte(body), false); before != Undecided && now != before {
			t.Fatalf("%q is %d at its end, and was %d", body, now, before)
		}
	})
}
