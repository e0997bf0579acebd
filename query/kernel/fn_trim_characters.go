package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func registerTrims(r registry) {
	for name, trim := range map[string]func(s, characters string) string{
		"trim": strings.Trim, "ltrim": strings.TrimLeft, "rtrim": strings.TrimRight,
	} {
		r.strict(name+"(TEXT)", unaryText(func(s string) string { return trim(s, " ") }))
		r.strict(name+"(TEXT, TEXT)", trimCharacters(trim))
	}
}

// trimCharacters takes away every character of a set from the ends of a text.
func trimCharacters(trim func(s, characters string) string) kernel {
	return func(c *call) (arrow.Array, error) {
		text, sets := textsOf(c.args[0]), textsOf(c.args[1])
		return mapText(c, func(dst []byte, i int) ([]byte, error) { return append(dst, trim(text.at(i), sets.at(i))...), nil })
	}
}
