package csvbody

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// delimiters are those that a record can tell, the likeliest first.
const delimiters = ",\t;|"

// tally is how often each of the delimiters stands in a record.
type tally [len(delimiters)]int

// tellDelimiter finds what separates cells by the first record, and by the second where the first has several of the delimiters, reading as far as it has to.
func (r *records) tellDelimiter() {
	for {
		ended := r.err != nil || len(r.buf) > decode.MaxRowBytes
		first, rest, whole := r.count(r.buf)
		if whole || ended {
			if first.kinds() < 2 {
				r.delimiter = delimiters[first.most()]
				return
			}
			second, _, whole := r.count(rest)
			if ended = ended || len(rest) > decode.MaxRowBytes; whole || ended {
				r.delimiter = delimiters[r.likeliest(first, second, whole || errors.Is(r.err, io.EOF) && len(bytes.TrimSpace(rest)) > 0)]
				return
			}
		}
		r.fill()
	}
}

// count counts the delimiters outside of quotes of the record that a text begins with, and gives what is behind it. whole is false where its end is not there.
func (r *records) count(text []byte) (counts tally, rest []byte, whole bool) {
	text = bytes.TrimLeft(text, "\r\n") // blank lines
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == r.escape && r.escape != 0:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == r.end:
			return counts, text[i+1:], true
		default:
			if at := strings.IndexByte(delimiters, c); at >= 0 {
				counts[at]++
			}
		}
	}
	return counts, nil, false
}

// kinds is how many of the delimiters there are.
func (t tally) kinds() (n int) {
	for _, count := range t {
		n += min(count, 1)
	}
	return n
}

// most is the delimiter that is there most often, the likeliest of several.
func (t tally) most() (best int) {
	for at, count := range t {
		if count > t[best] {
			best = at
		}
	}
	return best
}

// likeliest chooses among several: what makes as many cells as are said to be there; else what the second record has as often, the most of it in rows, and in
// names a comma before others. Where no such is there, it is a comma, or what is most.
func (r *records) likeliest(first, second tally, known bool) int {
	even := tally{}
	for at, count := range first {
		if count > 0 && count == r.width-1 {
			return at
		}
		if known && count == second[at] {
			even[at] = count
		}
	}
	switch {
	case even[0] > 0 && !r.rows, even.kinds() == 0 && first[0] > 0:
		return 0
	case even.kinds() == 0:
		return first.most()
	default:
		return even.most()
	}
}
