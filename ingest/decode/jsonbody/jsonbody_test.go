package jsonbody

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// readAll gives the texts of all rows, the size of the largest chunk, and how it ended.
func readAll(r io.Reader) (texts []string, largest int, err error) {
	reader := NewReader(r, nil)
	for {
		chunk, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return texts, largest, nil
		}
		if err != nil {
			return texts, largest, err
		}
		for _, text := range chunk.Texts {
			texts = append(texts, string(text))
		}
		largest = max(largest, chunk.Bytes())
	}
}

func TestRowsOfDocuments(t *testing.T) {
	t.Parallel()
	for body, want := range map[string][]string{
		`{"a":1}`:                             {`{"a":1}`},
		" \r\n{\"a\":\n 1}\n ":                {`{"a":  1}`},
		"\ufeff[]":                            nil,
		`[ ]`:                                 nil,
		`[{"a":"}]\"["} , {"b":[[],{}]}]`:     {`{"a":"}]\"["}`, `{"b":[[],{}]}`},
		`[1, "x" ,null,[2],{}]`:               {`1`, `"x"`, `null`, `[2]`, `{}`},
		`{"a":1} {"b":2}`:                     {`{"a":1}`, `{"b":2}`},
		"{\"a\":[\n1]}{}\n[{\"b\":2}, 3][]{}": {`{"a":[ 1]}`, `{}`, `{"b":2}`, `3`, `{}`},
		"[{\"a\":\"line\nbreak\"},{\r\n}]\n":  {"{\"a\":\"line\nbreak\"}", "{  }"},
	} {
		texts, _, err := readAll(strings.NewReader(body))
		require.NoError(t, err, body)
		require.Equal(t, want, texts, body)
		bytewise, _, err := readAll(iotest.OneByteReader(strings.NewReader(body)))
		require.NoError(t, err, body)
		require.Equal(t, want, bytewise, body)
	}
}

// TestRowsInAMember takes the rows out of the objects around them, wherever the member stands, and passes over the rest.
func TestRowsInAMember(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"Records":[{"a":1}, {"Records":[2]}]}`:                         `{"a":1} {"Records":[2]}`,
		` { "a" : {"Records":[0]} , "Records" : [ {} ] , "b":"]}\"" } `:  `{}`,
		`{"Records":[]}` + "\n" + `{"x":1,"Records":[1]}{"Records":[2]}`: `1 2`,
		`{"Records":[1],"y":[[],{}],"Records":[2]}`:                      `1 2`,
		`{"Records":5,"Records":[1],"z":null}`:                           `1`,
		`{"a\"Records":[0],"Records":[1]}`:                               `1`,
		`{"a":1}`:                                                        `no object of the body has an array in its member "Records"`,
		`{}`:                                                             `no object of the body has an array in its member "Records"`,
		`{"Records":{"Records":[1]}}`:                                    `no object of the body has an array in its member "Records"`,
		`[{"Records":[1]}]`:                                              `not valid JSON at byte 1: the body must be objects with the rows in their member "Records"`,
		`{"Records":[1]`:                                                 `not valid JSON: the body ends inside of its object`,
		`{"Records":[1`:                                                  `not valid JSON: the body ends inside of its array`,
		`{"a":1`:                                                         `not valid JSON: the body ends inside of its object`,
		`{"Records":[1],}`:                                               `not valid JSON at byte 16: the object around the rows is not an object`,
		`{"Records"[1]}`:                                                 `not valid JSON at byte 11: the object around the rows is not an object`,
		`{"a":1]}`:                                                       `not valid JSON at byte 7: a bracket closes what was not opened`,
		`{"Records":[1]}x`:                                               `not valid JSON at byte 16: text after the end of the document`,
	} {
		for _, src := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body))} {
			require.Equal(t, want, readMember(src, "Records"), body)
		}
	}
}

// TestRowsInAnInnerMember follows a path of names, and takes a name with points as it is, too.
func TestRowsInAnInnerMember(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"hits":{"total":{"hits":[9]},"hits":[{"a":1},2],"max":[3]},"took":4}{"hits":{"hits":[5]}}`: `{"a":1} 2 5`,
		`{"hits":{},"x":{"hits":{"hits":[1]}},"hits":{"hits":[2]}}`:                                  `2`,
		`{"hits.hits":[1]}`:        `1`,
		`{"hits":[1]}`:             `no object of the body has an array in its member "hits.hits"`,
		`{"hits":{"hits":{}}}`:     `no object of the body has an array in its member "hits.hits"`,
		`{"hits":{"hits":[1]`:      `not valid JSON: the body ends inside of its object`,
		`{"hits":{"hits":[1],}}`:   `not valid JSON at byte 21: the object around the rows is not an object`,
		`{"hits":{"hits":[1]}}}`:   `not valid JSON at byte 22: text after the end of the document`,
		`{"hits":{"hits":[1]},"a"`: `not valid JSON: the body ends inside of its object`,
	} {
		for _, src := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body))} {
			require.Equal(t, want, readMember(src, "hits.hits"), body)
		}
	}
}

func TestRowsInside(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`{"Records":[{"a":1},{"a":2}]}`:                                "2 Records",
		`{"took":1,"hits":{"total":7,"hits":[{"_id":"a"},{"b":[1]}]}}`: "2 hits.hits",
		`{"a":{"b":{"c":[{"d":1},{"d":2},{"d":33333}]}}}`:              "3 a.b.c",
		`{"a":{"b":{"c":{"d":[{"e":1},{"e":2},{"e":3},{"e":4}]}}}}`:    "0 ", // too deep
		`{"id":"some order of a customer","items":[{"a":1},{"a":2}]}`:  "0 ", // a part of the row
		`{"Records":[{"a":1}]}`:                                        "0 ",
		`{"values":[[1,2],[3,4],[5,6]]}`:                               "0 ",
		`{"values":[{"a":1},2,3,4,5,6]}`:                               "0 ",
		`[{"a":1},{"a":2}]`:                                            "0 ",
		`{"Records":[{"a":1},{"a":2}]`:                                 "0 ",
		`{}`:                                                           "0 ", `7`: "0 ", ``: "0 ",
	} {
		member, rows := RowsInside([]byte(document))
		require.Equal(t, want, fmt.Sprint(rows, " ", member), document)
	}
}

// readMember gives the rows of a member, or what is wrong with the body.
func readMember(src io.Reader, member string) string {
	var texts []string
	reader := NewMemberReader(src, member, nil)
	chunk, err := reader.Next()
	for ; err == nil; chunk, err = reader.Next() {
		for _, text := range chunk.Texts {
			texts = append(texts, string(text))
		}
	}
	var fault *event.Error
	if errors.As(err, &fault) {
		return fault.Detail
	}
	return strings.Join(texts, " ")
}

func TestTextAroundRowsMustBeJSON(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		``:                    "the body is empty",
		"\ufeff":              "the body is empty",
		"\xef\xbb":            "not valid JSON at byte 1: the body must be an object or an array of objects",
		`12`:                  "not valid JSON at byte 1: the body must be an object or an array of objects",
		`{"a":1},{"b":2}`:     "not valid JSON at byte 8: text after the end of the document",
		`[{"a":1}][`:          "not valid JSON: the body ends inside of its array",
		`[{"a":1}]]`:          "not valid JSON at byte 10: text after the end of the document",
		`[{"a":1},]`:          "not valid JSON at byte 10: a value is missing",
		`[,{"a":1}]`:          "not valid JSON at byte 2: a value is missing",
		`[{"a":1} {"b":2}]`:   "not valid JSON at byte 10: a comma or ] is missing",
		`[{"a":1}`:            "not valid JSON: the body ends inside of its array",
		`{"a":1`:              "not valid JSON: the body ends inside of its object",
		`[{"a":1]}`:           "not valid JSON at byte 8: a bracket closes what was not opened",
		`[}`:                  "not valid JSON at byte 2: a bracket closes what was not opened",
		"[" + nested(100_000): "not valid JSON at byte 65538: nested too deeply",
	} {
		_, _, err := readAll(strings.NewReader(body))
		var fault *event.Error
		require.ErrorAs(t, err, &fault, body[:min(len(body), 40)])
		require.Equal(t, want, fault.Detail, body[:min(len(body), 40)])
	}
}

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

func TestRowsBeforeAFaultAreGiven(t *testing.T) {
	t.Parallel()
	texts, _, err := readAll(strings.NewReader(`[{"a":1},{"a":2} x`))
	require.ErrorContains(t, err, "a comma or ] is missing")
	require.Equal(t, []string{`{"a":1}`, `{"a":2}`}, texts)
	texts, _, err = readAll(io.MultiReader(strings.NewReader(`[{"a":1},{"a"`), iotest.ErrReader(io.ErrUnexpectedEOF)))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, []string{`{"a":1}`}, texts)
}

// TestALongRowIsCut sends a row of 100 MB: what is kept of it is what shows that it is too long.
func TestALongRowIsCut(t *testing.T) {
	t.Parallel()
	body := io.MultiReader(strings.NewReader(`[{"a":"`), io.LimitReader(letters{}, 100<<20), strings.NewReader(`"},{"b":1}]`))
	texts, largest, err := readAll(body)
	require.NoError(t, err)
	require.Len(t, texts, 2)
	require.Len(t, texts[0], 1<<20+1)
	require.Equal(t, `{"b":1}`, texts[1])
	require.Less(t, largest, 2<<20)
}

// letters reads as the letter x without end.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestChunksAreBoundedAndDoNotDependOnReads(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&body, "%c{\"i\":%d,\"text\":%q}", "[,"[min(i, 1)], i, strings.Repeat("y", i%97))
	}
	body.WriteString("]")
	sizes := func(r io.Reader) (out []int) {
		reader := NewReader(r, nil)
		for {
			chunk, err := reader.Next()
			if errors.Is(err, io.EOF) {
				return out
			}
			require.NoError(t, err)
			require.Less(t, chunk.Bytes(), chunkBytes+200)
			out = append(out, len(chunk.Texts))
		}
	}
	whole := sizes(strings.NewReader(body.String()))
	require.Greater(t, len(whole), 3)
	require.Equal(t, whole, sizes(iotest.HalfReader(strings.NewReader(body.String()))))
}

// TestElementsAgreeWithTheStandardLibrary splits arrays of generated values as encoding/json does.
func TestElementsAgreeWithTheStandardLibrary(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringMatching(`\[[\[\]{}",:\\ \n0-9a-c]{0,24}\]`).Draw(t, "body")
		var want []json.RawMessage
		err := json.Unmarshal([]byte(body), &want)
		texts, _, got := readAll(strings.NewReader(body))
		if err != nil {
			return // a fault inside of a row is the decoder's to find
		}
		if got != nil {
			t.Fatalf("%q: %v", body, got)
		}
		if len(texts) != len(want) {
			t.Fatalf("%q: %q", body, texts)
		}
		for i := range want {
			var a, b any
			if err := errors.Join(json.Unmarshal(want[i], &a), json.Unmarshal([]byte(texts[i]), &b)); err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
				t.Fatalf("%q: element %d is %q, not %q: %v", body, i, texts[i], want[i], err)
			}
		}
	})
}

func TestRowsBegun(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]string{
		`{"type":"x","features":[{"a":1},{"b"`:   "features",
		`{"bbox":[1,2],"features" : [ {"a":[1,2`: "features",
		`{"a":{"b":[{"c":"d`:                     "a.b",
		`{"a":{"b":[1,2`:                         "",
		`{"a":{"b":[`:                            "",
		`{"a":"a text that is cut`:               "",
		`{"a":{"b":{"c":{"d":[{"e":1`:            "",
		`{"a":[{"b":1}],"c":"cut behind it`:      "",
		`{"a":1}`:                                "",
		`[{"a":1},{`:                             "",
		`{"a`:                                    "",
		`{"a":nonsense,"b":[{"c":1`:              "",
		"":                                       "",
	} {
		require.Equal(t, want, RowsBegun([]byte(document)), "%s", document)
	}
}

// FuzzReader holds that rows do not depend on how a body comes, nor an error, and that a row which is JSON is on one line.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\ufeff[{\"a\":\"}]\\\"[\"} ,\n1, [2],\r\n{}] {\"b\":[[],{}]}"), "")
	f.Add([]byte(`{"took":1,"hits":{"hits":[{"a":1},{"b":"\u00e9"}]}}`), "hits.hits")
	f.Fuzz(func(t *testing.T, body []byte, member string) {
		read := func(src io.Reader) (texts []string, err error) {
			reader := NewReader(src, nil)
			if member != "" {
				reader = NewMemberReader(src, member, nil)
			}
			for {
				chunk, err := reader.Next()
				if err != nil {
					return texts, err
				}
				for _, text := range chunk.Texts {
					texts = append(texts, string(text))
				}
			}
		}
		texts, err := read(bytes.NewReader(body))
		bytewise, errBytewise := read(iotest.OneByteReader(bytes.NewReader(body)))
		require.Equal(t, texts, bytewise)
		require.Equal(t, fmt.Sprint(err), fmt.Sprint(errBytewise))
		for _, text := range texts {
			if decode.IsJSON([]byte(text)) {
				require.NotContains(t, text, "\n")
			}
		}
		var fault *event.Error
		require.True(t, errors.Is(err, io.EOF) || errors.As(err, &fault), err)
	})
}
