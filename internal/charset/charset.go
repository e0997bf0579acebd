// Package charset reads texts in UTF-16 and in the encodings that have a byte for each character as UTF-8.
//
// What always holds: a character becomes itself, and what stands for none becomes the byte 0xff, which is never in UTF-8, so that whoever checks for that
// finds it; memory is bounded by a buffer; what has come is given on without waiting for more. A reader is used by one goroutine.
package charset

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/tidemarkdb/tidemark/event"
)

// invalid stands for what is no character.
const invalid = 0xff

// bufferBytes is how much is read at a time.
const bufferBytes = 32 << 10

// HeldBytes is what a reader may hold: what it has read, and that as UTF-8, which has up to three bytes for one.
const HeldBytes = 4 * bufferBytes

// Charset is a known encoding.
type Charset struct {
	// decode appends a text as UTF-8, and gives how much of it was whole characters; end says that nothing comes behind it.
	decode func(dst, src []byte, end bool) (out []byte, used int)
}

var (
	littleEndian = &Charset{decode: func(dst, src []byte, end bool) ([]byte, int) { return decodeUTF16(dst, src, end, 0) }}
	bigEndian    = &Charset{decode: func(dst, src []byte, end bool) ([]byte, int) { return decodeUTF16(dst, src, end, 1) }}
)

// aliases are names that the encodings also go by, spelled as key does.
var aliases = map[string]string{
	"latin1": "iso88591", "latin2": "iso88592", "latin9": "iso885915", "l1": "iso88591", "utf16": "utf16le", "ucs2": "utf16le",
	"macroman": "macintosh", "cp866": "ibmcodepage866", "cp850": "ibmcodepage850", "cp437": "ibmcodepage437",
}

// Find gives the encoding of a name, in any of its usual spellings; nil for UTF-8 and ASCII, which are as they should be. Without a mark of the order of bytes
// UTF-16 is taken to have the lower byte first, as what writes none does.
func Find(name string) (*Charset, error) {
	want := key(name)
	if full := aliases[want]; full != "" {
		want = full
	}
	switch want {
	case "", "utf8", "usascii", "ascii":
		return nil, nil
	case "utf16le":
		return littleEndian, nil
	case "utf16be":
		return bigEndian, nil
	}
	if number, ok := strings.CutPrefix(want, "cp125"); ok {
		want = "windows125" + number
	}
	for _, known := range charmap.All {
		if m, ok := known.(*charmap.Charmap); ok && key(m.String()) == want {
			return single(m), nil
		}
	}
	return nil, event.Errorf(event.CodeMediaType, "charset %q is not known", name).
		WithHint("use utf-8, utf-16, windows-1252, iso-8859-1 or another one with a byte for each character")
}

// key is a name without what tells its spellings apart.
func key(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		default:
			return -1
		}
	}, name)
}

// single is an encoding with a byte for each character.
func single(m *charmap.Charmap) *Charset {
	return &Charset{decode: func(dst, src []byte, _ bool) ([]byte, int) {
		for _, b := range src {
			switch r := m.DecodeByte(b); {
			case r < utf8.RuneSelf:
				dst = append(dst, byte(r))
			case r == utf8.RuneError:
				dst = append(dst, invalid)
			default:
				dst = utf8.AppendRune(dst, r)
			}
		}
		return dst, len(src)
	}}
}

// decodeUTF16 decodes pairs of bytes; high is which of the two is the higher.
func decodeUTF16(dst, src []byte, end bool, high int) ([]byte, int) {
	at := 0
	unit := func(i int) rune { return rune(src[i+1-high])<<8 | rune(src[i+high]) }
	for ; at+1 < len(src); at += 2 {
		r := unit(at)
		switch {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
			continue
		case !utf16.IsSurrogate(r):
			dst = utf8.AppendRune(dst, r)
			continue
		case at+3 >= len(src) && !end:
			return dst, at
		}
		whole := rune(utf8.RuneError)
		if at+3 < len(src) {
			whole = utf16.DecodeRune(r, unit(at+2))
		}
		if whole == utf8.RuneError { // half of a pair
			dst = append(dst, invalid)
			continue
		}
		dst = utf8.AppendRune(dst, whole)
		at += 2
	}
	if end && at < len(src) {
		return append(dst, invalid), len(src)
	}
	return dst, at
}

// The marks of the order of bytes that texts in UTF-16 may begin with.
var (
	littleMark = []byte("\xff\xfe")
	bigMark    = []byte("\xfe\xff")
)

// marked is the encoding that the mark at the beginning of a text tells; nil where there is none. A text of UTF-32 has a mark that begins as one of UTF-16,
// where UTF-16 was not named.
func marked(begin []byte, named *Charset) *Charset {
	wide := named != littleEndian && named != bigEndian && bytes.HasPrefix(begin, []byte("\xff\xfe\x00\x00"))
	switch {
	case bytes.HasPrefix(begin, littleMark) && !wide:
		return littleEndian
	case bytes.HasPrefix(begin, bigMark):
		return bigEndian
	default:
		return nil
	}
}

// NewReader reads a text as UTF-8. A text of UTF-16 that begins with a mark is known by it, also where set is nil, and else as it is.
func NewReader(src io.Reader, set *Charset) io.Reader { return &reader{src: src, set: set} }

// markBytes is how much of a text tells whether it begins with a mark.
const markBytes = 4

type reader struct {
	src   io.Reader
	set   *Charset
	begun bool
	in    []byte // read and not decoded
	out   []byte // decoded and not given
	text  []byte // the memory of out
	err   error
}

// Read reads on.
func (r *reader) Read(p []byte) (int, error) {
	if !r.begun {
		return r.begin(p)
	}
	for {
		switch {
		case len(r.out) > 0:
			n := copy(p, r.out)
			r.out = r.out[n:]
			return n, nil
		case r.err != nil:
			return 0, r.err
		case r.set == nil:
			return r.src.Read(p)
		}
		n, err := r.src.Read(r.in[len(r.in):cap(r.in)])
		r.in, r.err = r.in[:len(r.in)+n], err
		r.decode()
	}
}

// begin reads the beginning straight to where it is wanted, for most texts are in UTF-8.
func (r *reader) begin(p []byte) (int, error) {
	buffer := p
	if len(p) < markBytes {
		buffer = make([]byte, markBytes)
	}
	n, err := 0, error(nil)
	for n < markBytes && err == nil && (n == 0 || mayBeMark(buffer[:n])) {
		var more int
		more, err = r.src.Read(buffer[n:])
		n += more
	}
	r.begun = true
	begin := buffer[:n]
	if mark := marked(begin, r.set); mark != nil {
		r.set, begin = mark, begin[len(littleMark):]
	}
	switch {
	case r.set != nil:
		r.in, r.err = append(make([]byte, 0, max(bufferBytes, n)), begin...), err
		r.decode()
	case len(p) < markBytes:
		r.out, r.err = begin, err
	default:
		return n, err
	}
	return r.Read(p)
}

func mayBeMark(begin []byte) bool {
	return bytes.HasPrefix(littleMark, begin[:min(len(begin), 2)]) || bytes.HasPrefix(bigMark, begin[:min(len(begin), 2)])
}

// decode decodes what was read.
func (r *reader) decode() {
	out, used := r.set.decode(r.text[:0], r.in, errors.Is(r.err, io.EOF))
	r.text, r.out = out, out
	r.in = r.in[:copy(r.in, r.in[used:])]
}
