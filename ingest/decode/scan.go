package decode

import "bytes"

// scanner checks JSON text. Its methods take the index where something starts and return the index behind it, or -1 after noting
// in fault what is wrong there.
type scanner struct {
	text  []byte
	fault fault
	// spaced is set once whitespace was skipped inside an array or object.
	spaced bool
	num    number
	// stored is set for texts of rows that were accepted before. What is refused today may be in them.
	stored bool
}

// fault is where a text stops being JSON, and why.
type fault struct {
	at  int
	why string
}

// tooDeep is the fault of JSON that is valid but nested beyond maxDepth.
const tooDeep = "nested too deeply"

func (s *scanner) fail(at int, why string) int {
	s.fault = fault{at: at, why: why}
	return -1
}

// space skips whitespace.
func (s *scanner) space(i int) int {
	for i < len(s.text) && s.text[i] <= ' ' && isSpace(s.text[i]) {
		i++
	}
	return i
}

// innerSpace skips whitespace and notes that there was some.
func (s *scanner) innerSpace(i int) int {
	end := s.space(i)
	s.spaced = s.spaced || end > i
	return end
}

// value checks the value that starts at i, inside depth arrays and objects.
func (s *scanner) value(i, depth int) int {
	if i >= len(s.text) {
		return s.fail(i, "a value is missing")
	}
	switch c := s.text[i]; c {
	case '"':
		end, _ := s.string(i)
		return end
	case '{':
		return s.object(i, depth+1)
	case '[':
		return s.array(i, depth+1)
	case 't':
		return s.word(i, "true")
	case 'f':
		return s.word(i, "false")
	case 'n':
		return s.word(i, "null")
	default:
		if c == '-' || isDigit(c) {
			return s.number(i)
		}
		return s.fail(i, noValue(s.text[i:]))
	}
}

// foreignValues is what programs write for values that JSON has not, or has in another way, and what to write for it.
var foreignValues = []struct{ begin, why string }{
	{"NaN", "NaN is not JSON: write null or \"NaN\""},
	{"nan", "nan is not JSON: write null or \"NaN\""},
	{"Infinity", "Infinity is not JSON: write null or \"Infinity\""},
	{"-Infinity", "-Infinity is not JSON: write null or \"-Infinity\""},
	{"True", "True is not JSON: write true"},
	{"False", "False is not JSON: write false"},
	{"None", "None is not JSON: write null"},
	{"undefined", "undefined is not JSON: write null"},
	{"'", "a string stands in double quotes"},
	{".", "a digit is missing before the point"},
	{"+", "a number has no + before it"},
}

// noValue says why no value begins as a text does.
func noValue(text []byte) string {
	for _, known := range foreignValues {
		if bytes.HasPrefix(text, []byte(known.begin)) {
			return known.why
		}
	}
	return "a value cannot start here"
}

func (s *scanner) word(i int, word string) int {
	if end := i + len(word); end <= len(s.text) && string(s.text[i:end]) == word {
		return end
	}
	return s.fail(i, "a value is true, false, null, a number, a string, an array or an object")
}

func (s *scanner) array(i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, tooDeep)
	}
	i = s.innerSpace(i + 1)
	if i < len(s.text) && s.text[i] == ']' {
		return i + 1
	}
	for {
		if i = s.value(i, depth); i < 0 {
			return i
		}
		i = s.innerSpace(i)
		switch {
		case i >= len(s.text):
			return s.fail(i, "the array does not end")
		case s.text[i] == ']':
			return i + 1
		case s.text[i] != ',':
			return s.fail(i, "a comma or ] is missing")
		}
		i = s.innerSpace(i + 1)
	}
}

func (s *scanner) object(i, depth int) int {
	if depth > maxDepth {
		return s.fail(i, tooDeep)
	}
	i = s.innerSpace(i + 1)
	if i < len(s.text) && s.text[i] == '}' {
		return i + 1
	}
	for {
		if i = s.name(i); i < 0 {
			return i
		}
		if i = s.value(s.innerSpace(i), depth); i < 0 {
			return i
		}
		i = s.innerSpace(i)
		switch {
		case i >= len(s.text):
			return s.fail(i, "the object does not end")
		case s.text[i] == '}':
			return i + 1
		case s.text[i] != ',':
			return s.fail(i, "a comma or } is missing")
		}
		i = s.innerSpace(i + 1)
	}
}

// name checks a member's name and the colon after it.
func (s *scanner) name(i int) int {
	if i >= len(s.text) || s.text[i] != '"' {
		if i > 0 && i < len(s.text) && s.text[i] == '}' && s.text[i-1] == ',' {
			return s.fail(i, "a member is missing behind the comma")
		}
		return s.fail(i, "a member's name in double quotes is missing")
	}
	end, _ := s.string(i)
	if end < 0 {
		return -1
	}
	return s.colon(s.innerSpace(end))
}

func (s *scanner) colon(i int) int {
	if i >= len(s.text) || s.text[i] != ':' {
		return s.fail(i, "a colon is missing")
	}
	return i + 1
}

// appendCompact appends a checked value without the whitespace outside its strings.
func appendCompact(dst, value []byte) []byte {
	for i := 0; i < len(value); {
		switch c := value[i]; {
		case isSpace(c):
			i++
		case c == '"':
			end := stringEnd(value, i)
			dst = append(dst, value[i:end]...)
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
