package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// splitPart is the n-th of the parts between separators, from 1, or from the end where n is negative; empty beyond the parts.
func splitPart(c *call) (arrow.Array, error) {
	text, separator, number := textsOf(c.args[0]), textsOf(c.args[1]), fixed[int64](c.args[2])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		n := number.at(i)
		if n == 0 {
			return nil, event.Errorf(event.CodeInvalidValue, "split_part: parts count from 1, or from -1 at the end; there is no part 0")
		}
		return append(dst, partOf(text.at(i), separator.at(i), n)...), nil
	})
}

func partOf(s, separator string, n int64) string {
	if separator == "" {
		if n == 1 || n == -1 {
			return s
		}
		return ""
	}
	for ; n > 1; n-- {
		at := strings.Index(s, separator)
		if at < 0 {
			return ""
		}
		s = s[at+len(separator):]
	}
	for ; n < -1; n++ {
		at := strings.LastIndex(s, separator)
		if at < 0 {
			return ""
		}
		s = s[:at]
	}
	if n == 1 {
		part, _, _ := strings.Cut(s, separator)
		return part
	}
	if at := strings.LastIndex(s, separator); at >= 0 {
		return s[at+len(separator):]
	}
	return s
}
