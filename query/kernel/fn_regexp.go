package kernel

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerRegexFunctions(r registry) {
	caseless := patternSource{fixedFlags: "i"}
	r["~*(TEXT, TEXT)"] = caseless.implementation(matches)
	similar := patternSource{rewrite: similarPattern}
	r["similar to(TEXT, TEXT)"] = similar.implementation(matches)
	plain := patternSource{}
	r["regexp_like(TEXT, TEXT)"] = plain.implementation(matches)
	r["regexp_like(TEXT, TEXT, TEXT)"] = patternSource{flags: 2}.implementation(matches)
	r["regexp_count(TEXT, TEXT)"] = plain.implementation(countMatches)
	r["regexp_instr(TEXT, TEXT)"] = plain.implementation(placeOfMatch)
	r["regexp_extract(TEXT, TEXT)"] = plain.implementation(extractMatch)
	r["regexp_extract(TEXT, TEXT, BIGINT)"] = plain.implementation(extractMatch)
	r["regexp_substr(TEXT, TEXT)"] = plain.implementation(firstMatch)
	r["regexp_replace(TEXT, TEXT, TEXT)"] = plain.implementation(replaceMatches)
	r["regexp_replace(TEXT, TEXT, TEXT, TEXT)"] = patternSource{flags: 3}.implementation(replaceMatches)
}

// patternSource says how a call's second argument becomes a regular expression.
type patternSource struct {
	// flags is the index of the argument that holds flags, or 0.
	flags      int
	fixedFlags string
	// rewrite, if set, makes a regular expression of a pattern in another language.
	rewrite func(pattern string) (string, error)
}

// regex is a compiled pattern with those of its flags that are for the caller.
type regex struct {
	*regexp.Regexp
	global bool
}

// regexKernel computes a call whose pattern of row i find gives.
type regexKernel func(c *call, find func(i int) (regex, error)) (arrow.Array, error)

// implementation compiles a constant pattern once per query and others as they come.
func (p patternSource) implementation(k regexKernel) implementation {
	return implementation{
		strict: func(c *call) (arrow.Array, error) { return k(c, p.perRow(c)) },
		prepare: func(constants []arrow.Array) (kernel, error) {
			if constants[1] == nil || p.flags > 0 && constants[p.flags] == nil {
				return nil, nil
			}
			pattern, flags := textsOf(Operand{Array: constants[1], Const: true}), ""
			if p.flags > 0 {
				t := textsOf(Operand{Array: constants[p.flags], Const: true})
				flags = t.at(0)
			}
			re, err := p.compile(pattern.at(0), flags)
			if err != nil {
				return nil, err
			}
			return func(c *call) (arrow.Array, error) {
				return k(c, func(int) (regex, error) { return re, nil })
			}, nil
		},
	}
}

// perRow remembers the patterns seen, since they tend to repeat.
func (p patternSource) perRow(c *call) func(i int) (regex, error) {
	patterns := textsOf(c.args[1])
	flagsOf := func(int) string { return "" }
	if p.flags > 0 {
		flags := textsOf(c.args[p.flags])
		flagsOf = flags.at
	}
	type key struct{ pattern, flags string }
	known := map[key]regex{}
	return func(i int) (regex, error) {
		k := key{patterns.at(i), flagsOf(i)}
		if re, ok := known[k]; ok {
			return re, nil
		}
		re, err := p.compile(k.pattern, k.flags)
		if err != nil {
			return re, err
		}
		if len(known) == maxRegexes {
			clear(known)
		}
		known[k] = re
		return re, nil
	}
}

func (p patternSource) compile(pattern, flags string) (regex, error) {
	var out regex
	var err error
	if p.rewrite != nil {
		if pattern, err = p.rewrite(pattern); err != nil {
			return out, err
		}
	}
	syntax := ""
	for _, f := range p.fixedFlags + flags {
		switch f {
		case 'g':
			out.global = true
		case 'i', 's':
			syntax += string(f)
		case 'm', 'n':
			syntax += "m"
		case 'c':
			syntax = strings.ReplaceAll(syntax, "i", "")
		default:
			return out, event.Errorf(event.CodeInvalidValue, "%q is not a flag of regular expressions", f).
				WithHint("there are i, c, g, m, n and s")
		}
	}
	if syntax != "" {
		pattern = "(?" + syntax + ":" + pattern + ")"
	}
	out.Regexp, err = compileRegex(pattern)
	return out, err
}

func matches(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapBooleans(c, func(i int) (bool, error) {
		re, err := find(i)
		if err != nil {
			return false, err
		}
		return re.MatchString(text.at(i)), nil
	})
}

func countMatches(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		re, err := find(i)
		if err != nil {
			return 0, err
		}
		return int64(len(re.FindAllStringIndex(text.at(i), -1))), nil
	})
}

// placeOfMatch is the character at which the first match begins, from 1; 0 where there is none.
func placeOfMatch(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, arrow.PrimitiveTypes.Int64, func(i int) (int64, error) {
		re, err := find(i)
		if err != nil {
			return 0, err
		}
		s := text.at(i)
		at := re.FindStringIndex(s)
		if at == nil {
			return 0, nil
		}
		return int64(utf8.RuneCountInString(s[:at[0]]) + 1), nil
	})
}

// extractMatch is the first match or the group of it that is asked for; empty where there is none.
func extractMatch(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	text := textsOf(c.args[0])
	group := func(int) int64 { return 0 }
	if len(c.args) == 3 {
		groups := fixed[int64](c.args[2])
		group = groups.at
	}
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		re, err := find(i)
		if err != nil {
			return nil, err
		}
		g := group(i)
		if g < 0 || g > int64(re.NumSubexp()) {
			return nil, event.Errorf(event.CodeInvalidValue, "regexp_extract: the pattern has no group %d", g)
		}
		s := text.at(i)
		if at := re.FindStringSubmatchIndex(s); len(at) > 0 && at[2*g] >= 0 {
			dst = append(dst, s[at[2*g]:at[2*g+1]]...)
		}
		return dst, nil
	})
}

// firstMatch is the first match, or NULL.
func firstMatch(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		re, err := find(i)
		if err != nil {
			return nil, err
		}
		s := text.at(i)
		at := re.FindStringIndex(s)
		if at == nil {
			c.setNull(i)
			return dst, nil
		}
		return append(dst, s[at[0]:at[1]]...), nil
	})
}

// replaceMatches replaces the first match, or with the flag g every one.
func replaceMatches(c *call, find func(i int) (regex, error)) (arrow.Array, error) {
	text, replacements := textsOf(c.args[0]), textsOf(c.args[2])
	var one [1][]int
	return mapText(c, func(dst []byte, i int) ([]byte, error) {
		re, err := find(i)
		if err != nil {
			return nil, err
		}
		s, at := text.at(i), 0
		found := one[:]
		if re.global {
			found = re.FindAllStringSubmatchIndex(s, -1)
		} else if one[0] = re.FindStringSubmatchIndex(s); one[0] == nil {
			found = nil
		}
		for _, match := range found {
			dst = append(dst, s[at:match[0]]...)
			dst = appendReplacement(dst, replacements.at(i), s, match)
			at = match[1]
		}
		return append(dst, s[at:]...), nil
	})
}

// appendReplacement writes a replacement, in which \1 to \9 stand for groups and \0 and \& for the whole match.
func appendReplacement(dst []byte, replacement, s string, match []int) []byte {
	for i := 0; i < len(replacement); i++ {
		c := replacement[i]
		if c != '\\' || i+1 == len(replacement) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = replacement[i]; {
		case c == '&' || '0' <= c && c <= '9':
			group := 0
			if c != '&' {
				group = int(c - '0')
			}
			if 2*group < len(match) && match[2*group] >= 0 {
				dst = append(dst, s[match[2*group]:match[2*group+1]]...)
			}
		case c == '\\':
			dst = append(dst, c)
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

// similarPattern makes a regular expression of a pattern of SIMILAR TO, which matches the whole text: % is any text, _ any
// character, and | * + ? {} () [] mean what they do in regular expressions. Everything else stands for itself.
func similarPattern(pattern string) (string, error) {
	var out strings.Builder
	out.WriteString("(?s)^(?:")
	inSet := false
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\':
			i++
			if i == len(pattern) {
				return "", event.Errorf(event.CodeInvalidValue, "SIMILAR TO pattern %q ends with an escape character", pattern)
			}
			out.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case inSet:
			inSet = c != ']'
			out.WriteByte(c)
		case c == '[':
			inSet = true
			out.WriteByte(c)
		case c == '%':
			out.WriteString(".*")
		case c == '_':
			out.WriteByte('.')
		case c == '(':
			out.WriteString("(?:")
		case strings.IndexByte(".^$", c) >= 0:
			out.WriteByte('\\')
			out.WriteByte(c)
		default:
			out.WriteByte(c)
		}
	}
	out.WriteString(")$")
	return out.String(), nil
}
