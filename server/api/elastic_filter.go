package api

import (
	"path"
	"strings"
)

// pathFilter is the parameter filter_path of Elasticsearch: patterns of the members that an answer is to have, each by the names on the way to it. A * in a
// name stands for any characters, a name ** for any number of names. Without patterns all are wanted.
type pathFilter [][]string

func parsePathFilter(text string) (out pathFilter) {
	for pattern := range strings.SplitSeq(text, ",") {
		if pattern = strings.TrimSpace(pattern); pattern != "" {
			out = append(out, strings.Split(pattern, "."))
		}
	}
	return out
}

// wants reports whether a member that has no others is in the answer: if a pattern is the way to it, or to what it lies in. Patterns that begin
// with a minus sign say what is left out.
func (f pathFilter) wants(names ...string) bool {
	included, only := false, false
	for _, pattern := range f {
		if first, ok := strings.CutPrefix(pattern[0], "-"); ok {
			if leads(append([]string{first}, pattern[1:]...), names) {
				return false
			}
			continue
		}
		only = true
		included = included || leads(pattern, names)
	}
	return included || !only
}

// leads reports whether a pattern is the way to a member, or to one that it lies in.
func leads(pattern, names []string) bool {
	switch {
	case len(pattern) == 0:
		return true
	case pattern[0] == "**":
		return leads(pattern[1:], names) || len(names) > 0 && leads(pattern, names[1:])
	case len(names) == 0:
		return false
	}
	matched, err := path.Match(pattern[0], names[0])
	return err == nil && matched && leads(pattern[1:], names[1:])
}
