package kernel

import (
	"regexp"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// maxRegexBytes keeps the automaton of one pattern to a few megabytes.
const maxRegexBytes = 1000

// maxRegexes bounds how many patterns are kept at a time where they come with the rows.
const maxRegexes = 64

func registerRegex(r registry) {
	r["~(TEXT, TEXT)"] = implementation{strict: matchRegexes, prepare: prepareRegex}
}

func compileRegex(pattern string) (*regexp.Regexp, error) {
	if len(pattern) > maxRegexBytes {
		return nil, event.Errorf(event.CodeInvalidValue, "a regular expression of %d bytes exceeds the limit of %d", len(pattern), maxRegexBytes)
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, event.Errorf(event.CodeInvalidValue, "regular expression %q cannot be read: %v", pattern, err).
			WithHint("the syntax is RE2's: no back-references, no look-around")
	}
	return re, nil
}

func prepareRegex(constants []arrow.Array) (kernel, error) {
	if constants[1] == nil {
		return nil, nil
	}
	pattern := textsOf(Operand{Array: constants[1], Const: true})
	re, err := compileRegex(pattern.at(0))
	if err != nil {
		return nil, err
	}
	return func(c *call) (arrow.Array, error) {
		text := textsOf(c.args[0])
		return mapBooleans(c, func(i int) (bool, error) { return re.MatchString(text.at(i)), nil })
	}, nil
}

func matchRegexes(c *call) (arrow.Array, error) {
	text, patterns := textsOf(c.args[0]), textsOf(c.args[1])
	known := map[string]*regexp.Regexp{}
	return mapBooleans(c, func(i int) (bool, error) {
		pattern := patterns.at(i)
		re := known[pattern]
		if re == nil {
			var err error
			if re, err = compileRegex(pattern); err != nil {
				return false, err
			}
			if len(known) == maxRegexes {
				clear(known)
			}
			known[pattern] = re
		}
		return re.MatchString(text.at(i)), nil
	})
}
