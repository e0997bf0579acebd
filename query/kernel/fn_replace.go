package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// replace exchanges every occurrence; an empty search text occurs nowhere.
func replace(c *call) (arrow.Array, error) {
	text, search, with := textsOf(c.args[0]), textsOf(c.args[1]), textsOf(c.args[2])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		return appendReplaced(dst, text.at(i), search.at(i), with.at(i))
	})
}

func appendReplaced(dst []byte, s, search, with string) ([]byte, error) {
	if search == "" {
		return append(dst, s...), nil
	}
	start := len(dst)
	for {
		at := strings.Index(s, search)
		if at < 0 {
			return append(dst, s...), nil
		}
		dst = append(append(dst, s[:at]...), with...)
		// Checked within the value: a short search text and a long replacement can multiply a value without bound.
		if len(dst)-start > max(maxBuiltBytes, len(s)) {
			return nil, errTextTooLong("replace")
		}
		s = s[at+len(search):]
	}
}
