package decode

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// FuzzReaders holds the fast reader with its predictions against the exact one alone.
func FuzzReaders(f *testing.F) {
	f.Add([]byte("{\"a\":1,\"b\":2}\n{\"b\":3,\"c\":\"x\"}\n{\"c\":null,\"a\":-5}"), byte(0))
	f.Add([]byte(`{"a" : 1, "a":2, "b": 0.25,"c":"\u0041","d":{"x": 1}}`), byte(1))
	f.Add([]byte("{\"x\":1}\n{\"a\":1,\"c\":2}\n{\"a\":1,"), byte(2))
	f.Add([]byte("{\"at\":\"2024-05-01T10:00:00.123Z\", \"yes\":true, \"c\": \"a\\n\"}\r\n"+
		"{\"at\":\"2024-05-01T10:00:01.123Z\", \"yes\":false, \"c\": \"b\"}\n"), byte(0))
	f.Add([]byte("{\"c\":\"first\",\"a\":12\n{\"c\":\"second\",\"a\":12}\n,\"c\":\"third\"}\n{\"c\":\"fourth\", \"a\":12}\n{\"c\":\"fifth\", \"a\":1}"), byte(0))
	f.Add([]byte("{\"at\":0\n{\"at\":00000-01-01T00:00:00Z\",\"0\":\"\"}"), byte('"'))
	f.Add([]byte(`{"x":1,"d":{"y": [2]},"d":3,"z":null,"w":"\u0041","a":7}`), byte(9))
	f.Add([]byte("{\"c\":\"\"}\n{\"c\":\"eightbyt\"}\n{\"a\":1}\n{\"c\":\"eightbytes\",\"a\":}\n{\"c\":\"eightbyt\"}\n{\"c\":\"\\u0065ightbyt\"}"), byte(1))
	f.Fuzz(func(t *testing.T, chunk []byte, mode byte) {
		schema := &event.Schema{Columns: []event.Column{
			{ID: 1, Name: "a", Type: event.Type{Kind: event.BigInt}},
			{ID: 2, Name: "b", Type: event.Type{Kind: event.Double}, NotNull: mode&4 != 0},
			{ID: 3, Name: "c", Type: event.Type{Kind: event.Text}},
			{ID: 4, Name: "d", Type: event.Type{Kind: event.JSONB}},
			{ID: 5, Name: "at", Type: event.Type{Kind: event.TimestampTZ}},
			{ID: 6, Name: "yes", Type: event.Type{Kind: event.Boolean}},
		}}
		if mode&8 != 0 {
			schema.Overflow = 4
		}
		modes := []catalog.SchemaMode{catalog.Strict, catalog.Evolve, catalog.Ignore}
		options := Options{Mode: modes[int(mode&3)%len(modes)]}
		exact := exactOnly(t, chunk, schema, options)
		for _, least := range []int{leastCoded, 0, leastCoded} { // the second and the third with what a decoder has seen before
			d, err := takeDecoder(schema, options)
			require.NoError(t, err)
			fast := d.all(splitLines(chunk), len(chunk), least)
			d.release()
			requireSame(t, schema, exact, fast)
		}
	})
}

func requireSame(t *testing.T, schema *event.Schema, want, got *Rows) {
	t.Helper()
	require.Equal(t, want.Drift, got.Drift)
	if want.Drift {
		return
	}
	require.Equal(t, want.Lines, got.Lines)
	require.Equal(t, want.Rejected, got.Rejected)
	require.Equal(t, want.DuplicateKeys, got.DuplicateKeys)
	for i := range schema.Columns {
		values := event.PlainText(got.Columns[i])
		require.True(t, array.Equal(want.Columns[i], values), "%s and %s", want.Columns[i], got.Columns[i])
	}
}

// exactOnly decodes without the fast reader.
func exactOnly(t *testing.T, chunk []byte, schema *event.Schema, options Options) *Rows {
	t.Helper()
	d, err := newDecoder(schema, options)
	require.NoError(t, err)
	d.expect(len(chunk)+1, len(chunk))
	lines := splitLines(chunk)
	for raw, ok := lines.next(); ok; raw, ok = lines.next() {
		if reason := d.exactRow(raw); reason != "" {
			d.rollback()
			d.out.Rejected = append(d.out.Rejected, Rejected{Line: d.line, Reason: reason, Raw: raw, Misfit: !d.members.unreadable})
		} else {
			d.out.Lines = append(d.out.Lines, d.line)
			d.out.Count++
		}
		if d.out.Drift {
			return &Rows{Drift: true}
		}
		d.line++
	}
	return d.finish()
}

// FuzzNumber holds the reading of numbers against strconv, bit for bit.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "0.1", "9007199254740993", "1e22", "1e23", "123456789012345678e-22", "5e-324", "0.000000000000000000001",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := scanner{text: []byte(text)}
		if len(text) == 0 || !startsNumber(text[0]) || s.number(0) != len(text) {
			return
		}
		want, err := strconv.ParseFloat(text, 64)
		got, ok := s.num.float()
		require.Equal(t, err == nil, ok)
		require.Equal(t, math.Float64bits(want), math.Float64bits(got))
		integer, err := strconv.ParseInt(text, 10, 64)
		require.Equal(t, err == nil && text != "-0", s.num.class == whole)
		if s.num.class == whole {
			require.Equal(t, integer, s.num.integer)
		}
	})
}

// FuzzFastNumber holds what is read eight digits at a time against the reader of any number: the same value up to the same place, or none.
func FuzzFastNumber(f *testing.F) {
	for _, seed := range []string{
		"0,", "-0,", "00,", "1234567,", "12345678,", "123456789012345}", "1234567890123456,", "-5.25,", "1.,", "1234567.1234567,", "12345678.5,", "1e5,",
		"1.5E3,", "-,", ".5,", "1.12345678,", "9007199254740993,", "1\xff,", "1:2,", "12/", "1.5", "\xba\xba1",
		"9223372036854775807,", "9223372036854775808,", "-9223372036854775808,", "9999999999999999999,", "12345678901234567890,", "1234567890123456789.5,",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, number string) {
		for _, text := range []string{number, number + ",        \"", number + "}\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
			if text == "" {
				continue
			}
			s := scanner{text: []byte(text)}
			slow := -1
			if startsNumber(text[0]) {
				slow = s.number(0)
			}
			if v, end := FastInteger(s.text, 0); end >= 0 {
				require.Equal(t, slow, end, "%q", text)
				require.Equal(t, whole, s.num.class, "%q", text)
				require.Equal(t, s.num.integer, v, "%q", text)
			}
			if v, end := FastDouble(s.text, 0); end >= 0 {
				want, ok := s.num.double()
				require.Equal(t, slow, end, "%q", text)
				require.True(t, ok, "%q", text)
				require.Equal(t, math.Float64bits(want), math.Float64bits(v), "%q", text)
			}
		}
	})
}

// TestFastNumbersAreFast keeps those that most events have from being read the other way.
func TestFastNumbersAreFast(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "7", "-7", "200", "1234567", "12345678", "1700000000000", "123456789012345"} {
		_, end := FastInteger([]byte(text+`,"next":1`), 0)
		require.Equal(t, len(text), end, text)
		_, end = FastDouble([]byte(text+`,"next":1`), 0)
		require.Equal(t, len(text), end, text)
	}
	for _, text := range []string{"1234567890123456789", "9223372036854775807", "-9223372036854775807"} {
		_, end := FastInteger([]byte(text+`,"next":1`), 0)
		require.Equal(t, len(text), end, text)
	}
	for _, text := range []string{"0.5", "-1.25", "3.1415926", "1234567.125"} {
		_, end := FastDouble([]byte(text+`,"next":1`), 0)
		require.Equal(t, len(text), end, text)
	}
}

// TestLabels of every length are found where they stand, and nowhere else; and also as a sender spells them.
func TestLabels(t *testing.T) {
	t.Parallel()
	const value = "1,\"more\":true}"
	for n := 4; n < 40; n++ {
		var l Label
		text := `,"` + strings.Repeat("abcdefghij", 4)[:n-4] + `":`
		l.Set(text)
		for _, text := range []string{text, strings.Replace(text, ":", " : ", 1)} {
			l.learn([]byte(text))
			n := len(text)
			require.Equal(t, n, l.End([]byte(text+value), 0, 0))
			require.Equal(t, n+3, l.End([]byte("123"+text+value), 3, 0))
			require.Equal(t, n, l.End([]byte("{"+text[1:]+value), 0, firstLead))
			require.Zero(t, l.End([]byte(text+value[:wordBytes-1]), 0, 0), "too close to the end to be looked at by words")
			for i := range n {
				other := []byte(text + value)
				other[i] ^= 1
				require.Zero(t, l.End(other, 0, 0), "%s", other)
			}
		}
	}
}

// TestLabelsLearn what stands before the first member as well, and at last no more.
func TestLabelsLearn(t *testing.T) {
	t.Parallel()
	var l Label
	l.Set(`,"a":`)
	l.learn([]byte(`{"a": `))
	require.Equal(t, `,"a": `, l.text)
	l.learn([]byte(`,"a": `))
	require.EqualValues(t, 1, l.learned)
	for n := range 9 {
		l.learn([]byte(`,"a":` + strings.Repeat(" ", n)))
	}
	require.EqualValues(t, maxLearned, l.learned)
	l = Label{}
	l.learn([]byte("," + strings.Repeat(" ", maxLabel)))
	require.Empty(t, l.text)
}

// FuzzCopyText holds the copying of texts against checking and unescaping them.
func FuzzCopyText(f *testing.F) {
	for _, seed := range []string{
		``, `plain`, `a\nb\\`, `\u0041 behind more than a word`, `\x`, "\x01", "ünïcode all the way", "\xff bytes", `\/\b\f\r\t\"`, "half \xc3\\n\xbc",
		"the second word ünï", "the second word \xff", `line ends\r\n\r\n\t\tbehind one another`, `\n\x`, "\\n\\",
	} {
		f.Add([]byte(seed), uint8(99))
	}
	f.Fuzz(func(t *testing.T, inside []byte, room uint8) {
		s := scanner{text: append(append([]byte{'"'}, inside...), "\", \"next\": 1"...)}
		dst := make([]byte, room)
		n, end := copyText(dst, s.text, 1)
		if end < 0 {
			return
		}
		want, _ := s.string(0)
		require.Equal(t, want, end)
		require.Equal(t, string(appendUnescaped(nil, s.text[1:want-1])), string(dst[:n]))
	})
}

// TestUsualTextsAreCopied at once.
func TestUsualTextsAreCopied(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{``: ``, `plain text`: `plain text`, `C:\\Temp\r\n\tzoë`: "C:\\Temp\r\n\tzoë"} {
		dst := make([]byte, 64)
		n, end := copyText(dst, []byte(text+`","next":1`), 0)
		require.Equal(t, len(text)+1, end, text)
		require.Equal(t, want, string(dst[:n]))
	}
}

// TestEveryByteOfATextIsLookedAt tries each pair of bytes in each place of two blocks and the rest.
func TestEveryByteOfATextIsLookedAt(t *testing.T) {
	t.Parallel()
	dst := make([]byte, 64)
	for place := range 2*copyBytes + 5 {
		for pair := range 1 << 16 {
			text := []byte(`"abcdefghijklmnopqrstuvwxyzabcdefghijkl"`)
			binary.LittleEndian.PutUint16(text[1+place:], uint16(pair))
			s := scanner{text: text}
			want, _ := s.string(0)
			n, end := copyText(dst, text, 1)
			if text[1+place] == '\\' && text[2+place] == 'u' || text[place] == '\\' && text[1+place] == 'u' {
				want = -1 // only escapes of one letter are read
			}
			if want != end {
				t.Fatalf("%q ends at %d, want %d", text, end, want)
			}
			if end > 0 && !bytes.Equal(dst[:n], appendUnescaped(nil, text[1:end-1])) {
				t.Fatalf("%q is %q", text, dst[:n])
			}
		}
	}
}

// FuzzCompactEnd holds the short way through a value against the one that takes all.
func FuzzCompactEnd(f *testing.F) {
	for _, seed := range []string{
		`{"pid":4,"parent":{"name":"svchost.exe","-":[-0,1.50,[]]},"args":["-k",null,true,false,{}]}`, `[1,2`, `{"a":1]`, `[1}`, `{"a"}`, `{"a":}`, `{1:2}`,
		`[01]`, `[1.]`, `[-]`, `[.5]`, `[1e5]`, `[1,]`, `{"a":1,}`, `[ 1]`, `["a b\n\"c"]`, `["\u0041"]`, "[\"\xff\"]", `[nul]`, `[truefalse]`, `[[[[[[]]]]]]]`, `"text"`,
		`123456789012345678901234567890.123456789`, strings.Repeat("[", 70) + strings.Repeat("]", 70), strings.Repeat(`{"a":[`, 31) + strings.Repeat(`]}`, 31),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		for depth := range 3 {
			s := scanner{text: append(value[:len(value):len(value)], `,"next":"a member behind"`...)}
			end := compactEnd(s.text, 0, depth)
			if end < 0 {
				continue
			}
			require.Equal(t, s.value(0, depth), end, "%q", value)
			require.False(t, s.spaced, "%q", value)
		}
	})
}

// TestUsualValuesAreCompact keeps them from being read the other way, and deep ones from being taken.
func TestUsualValuesAreCompact(t *testing.T) {
	t.Parallel()
	for value, compact := range map[string]bool{
		`{"pid":4,"parent":{"name":"svchost.exe","load":[-0,1.50,[]]},"args":["-k\n",null,true,false,{}]}`: true,
		`[]`: true, `{}`: true, `[[],[{}],{"":{}}]`: true, `"zoë"`: true, `-12345678.123456789012345`: true,
		`[1, 2]`: false, `[1e5]`: false, `["\u0041"]`: false, `[01]`: false, `[1.]`: false, `[truE]`: false, `[}`: false, `{"a":1]`: false, `{"a" :1}`: false,
		strings.Repeat("[", maxDepth-1) + strings.Repeat("]", maxDepth-1): true,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth):     false,
	} {
		end := compactEnd([]byte(value+`,"next":"a member behind"`), 0, 1)
		require.Equal(t, compact, end == len(value), value)
		require.Equal(t, compact, end >= 0, value)
	}
}

// FuzzClock holds the reader of the usual spelling against that of all.
func FuzzClock(f *testing.F) {
	for _, seed := range []string{
		"2024-05-01T10:00:00.000000Z", "2024-05-01T10:00:00.123Z", "2024-05-01T23:59:59Z", "2024-02-30T10:00:00.000000Z", "2024-05-01T10:00:60.000000Z",
		"2024-05-01T24:00:00Z", "2024-05-01T10:60:00Z", "2024-05-01T10:00:00.00000 Z", "2024-05-01 10:00:00.000000Z", "2024-05-01T10;00:00.000000Z",
		"0000-01-01T00:00:00.000000Z", " 024-05-01T10:00:00.000000Z", "2024-05-0 T10:00:00.000000Z", "2024-05-01T1\xff:00:00.000000Z",
	} {
		f.Add(seed, "2024-05-01T10:00:00.000000Z")
	}
	f.Fuzz(func(t *testing.T, before, text string) {
		var c clock
		for _, text := range []string{before, text} { // the second may have the date of the first
			for _, canonical := range []bool{true, false} {
				got, end := c.read([]byte("\""+text+"\",\"next\":1"), 0, canonical)
				if end < 0 {
					continue
				}
				if end != len(text)+2 { // the text itself has a quote
					text = text[:end-2]
				}
				want, ok := event.ParseTimestamp(text)
				require.True(t, ok, "%q", text)
				require.Equal(t, want, got, "%q", text)
				require.True(t, !canonical || event.FormatTimestamp(want) == text, "%q", text)
			}
		}
	})
}

// TestUsualTimesAreFast keeps them from being read the other way.
func TestUsualTimesAreFast(t *testing.T) {
	t.Parallel()
	var c clock
	for _, text := range []string{`"2024-05-01T10:00:00.000000Z"`, `"2024-05-01T10:00:00.123Z"`, `"2024-05-02T10:00:00Z"`} {
		_, end := c.read([]byte(text+`,"next":1`), 0, false)
		require.Equal(t, len(text), end, text)
	}
}

// FuzzCanonicalTime holds the test for canonical times against rendering them.
func FuzzCanonicalTime(f *testing.F) {
	for _, seed := range []string{
		"2024-05-01T10:00:00.000000Z", "2024-02-30T10:00:00.000000Z", "2024-05-01T10:00:60.000000Z", "2024-05-01T10:00:00.00000 Z",
		"0000-01-01T00:00:00.000000Z", "2024-05-01t10:00:00.000000Z", "2024-05-01T10:00:00.00+000Z", " 024-05-01T10:00:00.000000Z",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, readable := event.ParseTimestamp(text)
		got, ok := parseCanonicalTime([]byte(text))
		require.Equal(t, readable && event.FormatTimestamp(want) == text, ok)
		if ok {
			require.Equal(t, want, got)
		}
	})
}

// TestPlainEnd tries every byte in every place of two words.
func TestPlainEnd(t *testing.T) {
	t.Parallel()
	for place := range 20 {
		for c := range 256 {
			text := []byte("abcdefghijklmnopqrst")
			text[place] = byte(c)
			wantEnd := len(text)
			if c == '"' || c == '\\' || c < ' ' {
				wantEnd = place
			}
			end, union := plainEnd(text, 0)
			require.Equal(t, wantEnd, end)
			require.Equal(t, c >= 0x80, union&eachHigh != 0, "byte %x at %d", c, place)
		}
	}
	// A borrow out of a match must not hide or move the match: pairs of neighbours.
	for pair := range 1 << 16 {
		text := make([]byte, 8)
		binary.LittleEndian.PutUint16(text[3:], uint16(pair))
		for i := range text {
			if i != 3 && i != 4 {
				text[i] = 'x'
			}
		}
		end, _ := plainEnd(text, 0)
		slow := 0
		for slow < 8 && text[slow] != '"' && text[slow] != '\\' && text[slow] >= ' ' {
			slow++
		}
		if end != slow {
			t.Fatalf("% x: %d, want %d", text, end, slow)
		}
	}
}
