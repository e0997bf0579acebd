package kernel

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// escapeLike rewrites a pattern of LIKE whose escape character is not the backslash into one whose is. An empty escape means that
// no character has that role.
func escapeLike(c *call) (arrow.Array, error) {
	patterns, escapes := textsOf(c.args[0]), textsOf(c.args[1])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		pattern, escape := patterns.at(i), escapes.at(i)
		if utf8.RuneCountInString(escape) > 1 {
			return nil, event.Errorf(event.CodeInvalidValue, "ESCAPE takes one character, not %q", escape)
		}
		for pattern != "" {
			switch {
			case escape != "" && strings.HasPrefix(pattern, escape):
				pattern = pattern[len(escape):]
				if pattern == "" {
					return nil, event.Errorf(event.CodeInvalidValue, "LIKE pattern %q ends with its escape character", patterns.at(i))
				}
				dst = append(dst, '\\')
			case pattern[0] == '\\':
				dst = append(dst, '\\')
			}
			_, size := utf8.DecodeRuneInString(pattern)
			dst = append(dst, pattern[:size]...)
			pattern = pattern[size:]
		}
		return dst, nil
	})
}
