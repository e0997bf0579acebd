package kernel

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// maxBuiltBytes bounds one text that a short call can make arbitrarily long.
const maxBuiltBytes = 16 << 20

func errTextTooLong(name string) error {
	return event.Errorf(event.CodeTooLarge, "%s: the text exceeds %d MiB", name, maxBuiltBytes>>20)
}

// pad brings a text to a number of characters: it is cut at its end, or filled up on one side.
func pad(name string, atStart bool) kernel {
	return func(c *call) (arrow.Array, error) {
		text, widths := textsOf(c.args[0]), fixed[int64](c.args[1])
		fill := func(int) string { return " " }
		if len(c.args) == 3 {
			fills := textsOf(c.args[2])
			fill = fills.at
		}
		return mapText(c, func(dst []byte, i int) ([]byte, error) {
			s, width, with := text.at(i), widths.at(i), fill(i)
			missing := width - int64(utf8.RuneCountInString(s))
			if missing <= 0 || with == "" {
				return append(dst, s[:skipCharacters(s, width)]...), nil
			}
			if missing > maxBuiltBytes/utf8.UTFMax {
				return nil, errTextTooLong(name)
			}
			if !atStart {
				dst = append(dst, s...)
			}
			for size := int64(utf8.RuneCountInString(with)); missing >= size; missing -= size {
				dst = append(dst, with...)
			}
			dst = append(dst, with[:skipCharacters(with, missing)]...)
			if atStart {
				dst = append(dst, s...)
			}
			return dst, nil
		})
	}
}

func repeated(dst []byte, s string, n int64) ([]byte, error) {
	if n > 0 && s != "" && n > int64(maxBuiltBytes/len(s)) {
		return nil, errTextTooLong("repeat")
	}
	if s == "" {
		return dst, nil
	}
	for ; n > 0; n-- {
		dst = append(dst, s...)
	}
	return dst, nil
}
