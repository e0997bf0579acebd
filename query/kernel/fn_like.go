package kernel

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

func registerLike(r registry) {
	r["like(TEXT, TEXT)"] = implementation{strict: like(false), prepare: prepareLike(false)}
	r["ilike(TEXT, TEXT)"] = implementation{strict: like(true), prepare: prepareLike(true)}
}

// like matches against patterns known only with the rows. They tend to repeat, so the last one is kept.
func like(fold bool) kernel {
	return func(c *call) (arrow.Array, error) {
		text, patterns := textsOf(c.args[0]), textsOf(c.args[1])
		var last string
		var pattern *likePattern
		return mapBooleans(c, func(i int) (bool, error) {
			if p := patterns.at(i); pattern == nil || p != last {
				var err error
				if pattern, err = parseLike(p, fold); err != nil {
					return false, err
				}
				last = p
			}
			return pattern.match(text.at(i)), nil
		})
	}
}

func prepareLike(fold bool) func(constants []arrow.Array) (kernel, error) {
	return func(constants []arrow.Array) (kernel, error) {
		if constants[1] == nil {
			return nil, nil
		}
		p := textsOf(Operand{Array: constants[1], Const: true})
		pattern, err := parseLike(p.at(0), fold)
		if err != nil {
			return nil, err
		}
		return func(c *call) (arrow.Array, error) {
			text := textsOf(c.args[0])
			return mapBooleans(c, func(i int) (bool, error) { return pattern.match(text.at(i)), nil })
		}, nil
	}
}

// match reports whether the whole of s fits the pattern.
func (p *likePattern) match(s string) bool {
	if p.fold {
		s = strings.ToLower(s)
	}
	if len(p.segments) == 1 {
		return p.segments[0].matchAll(s)
	}
	first, last := &p.segments[0], &p.segments[len(p.segments)-1]
	n := first.matchStart(s)
	if n < 0 {
		return false
	}
	s = s[n:]
	n = last.matchEnd(s)
	if n < 0 {
		return false
	}
	s = s[:n]
	for i := 1; i < len(p.segments)-1; i++ {
		if n = p.segments[i].find(s); n < 0 {
			return false
		}
		s = s[n:]
	}
	return true
}
