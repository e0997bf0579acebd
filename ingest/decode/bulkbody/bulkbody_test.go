package bulkbody

import (
	"bytes"
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

// readAll gives what became of each item, by its number, how many chunks there were, and how it ended.
func readAll(src io.Reader, options Options) (items []string, chunks int, err error) {
	r := NewReader(src, options)
	byNumber := map[int]string{}
	note := func(refused []decode.Rejected) {
		for _, item := range refused {
			byNumber[item.Line] = "refused: " + item.Reason
		}
	}
	for {
		rows, refused, err := r.Next()
		if err != nil {
			for i := range max(len(r.Items()), len(byNumber)) {
				items = append(items, byNumber[i])
			}
			return items, chunks, err
		}
		chunks++
		note(refused)
		for _, part := range rows {
			note(part.Chunk.Refused)
			for i, text := range part.Chunk.Texts {
				byNumber[int(part.Chunk.Numbers[i])] = part.Stream + " " + string(text)
			}
		}
	}
}

func TestItemsGoToTheStreamsOfTheirIndexes(t *testing.T) {
	t.Parallel()
	body := "{\"index\":{\"_index\":\"A.b\"}}\n{\"n\":1}\n{\"create\":{}}\r\n \n{\"n\":2}\n{\"index\":{\"_index\":\"7\",\"_id\":\"x\"}}\n{ }"
	items, _, err := readAll(strings.NewReader(body), Options{Index: "rest"})
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, []string{`a_b {"n":1}`, `rest {"n":2}`, `m_7 {"_id":"x"}`}, items)
	items, _, err = readAll(strings.NewReader(body), Options{Stream: "one"})
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, []string{`one {"n":1}`, `one {"n":2}`, `one {"_id":"x"}`}, items)
}

// TestActions are lines that are actions, and lines that are none.
func TestActions(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`{"index":{"_index":"a","_id":7}}`:                      "index a 7",
		`{"create":null}`:                                       "create  ",
		`{ "delete" : {"_id":"x","unknown":[1]} }`:              "delete  x",
		`{"index":{"_index":"a","pipeline":null},"attempts":0}`: "index a ",
	} {
		got, ok := parseAction([]byte(line))
		require.True(t, ok, line)
		require.Equal(t, want, fmt.Sprint(got.action, " ", got.index, " ", got.id), line)
	}
	for _, line := range []string{
		``, `{}`, `[]`, `1`, `null`, `{"n":1}`, `{"n":1,"index":{}}`, `{"index":5}`, `{"index":{"_index":5}}`, `{"index":{}} {}`, `{"index":{},"n"}`, `{"index":{}`, `{"Index":{}}`, `{"create":{},"index":{}}`,
		`{"index":5,"n":1}`,
	} {
		_, ok := parseAction([]byte(line))
		require.False(t, ok, line)
	}
}

// TestWhatABrokenBodyHasIsGiven: whole items before the break, and none that may be cut.
func TestWhatABrokenBodyHasIsGiven(t *testing.T) {
	t.Parallel()
	body := "{\"index\":{}}\n{\"n\":1}\n{\"index\":{}}\n{\"n\":"
	items, _, err := readAll(io.MultiReader(strings.NewReader(body), iotest.ErrReader(io.ErrUnexpectedEOF)), Options{Stream: "s"})
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Equal(t, []string{`s {"n":1}`}, items)
}

// TestALongRowIsCut sends a row of 100 MB, of which no more is kept than shows that it is too long.
func TestALongRowIsCut(t *testing.T) {
	t.Parallel()
	const before, behind = "{\"index\":{}}\n{\"n\":\"", "\"}\n{\"index\":{}}\n{\"n\":1}\n"
	body := io.MultiReader(strings.NewReader(before), io.LimitReader(letters{}, 100<<20), strings.NewReader(behind))
	items, _, err := readAll(body, Options{Stream: "s"})
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, items[0], len("s ")+decode.MaxRowBytes+1)
	require.Equal(t, `s {"n":1}`, items[1])
}

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestTooManyItems: the answer, which tells of each, stays bounded; one for the rows of a single stream does not grow with them.
func TestTooManyItems(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("{\"delete\":{}}\n", MaxItems+1)
	_, _, err := readAll(strings.NewReader(body), Options{})
	require.ErrorContains(t, err, "a bulk request may have 500000 items")
	items, _, err := readAll(strings.NewReader(body), Options{Stream: "s"})
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, items, MaxItems+1)
}

func TestTooManyIndexes(t *testing.T) {
	t.Parallel()
	var body strings.Builder
	for i := range maxIndexes + 1 {
		fmt.Fprintf(&body, "{\"index\":{\"_index\":\"i%d\"}}\n{}\n", i)
	}
	items, _, err := readAll(strings.NewReader(body.String()), Options{})
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, "i999 {}", items[maxIndexes-1])
	require.Equal(t, "refused: the request has more than 1000 indexes", items[maxIndexes])
}

// TestItemsDoNotDependOnReads draws bodies, and reads them at once and byte by byte.
func TestItemsDoNotDependOnReads(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{
			`{"index":{}}`, `{"create":{"_index":"a"}}`, `{"delete":{"_index":"b"}}`, `{"update":{}}`, `{"n":1}`, ``, ` {"n":2} `, `x`, `{"index":{"_id":"é"}}`,
		}), 0, 12).Draw(t, "lines")
		body := strings.Join(lines, rapid.SampledFrom([]string{"\n", "\r\n"}).Draw(t, "end"))
		items, chunks, err := readAll(strings.NewReader(body), Options{})
		bytewise, chunksBytewise, errBytewise := readAll(iotest.OneByteReader(strings.NewReader(body)), Options{})
		if fmt.Sprint(items, chunks, err) != fmt.Sprint(bytewise, chunksBytewise, errBytewise) {
			t.Fatalf("%q: %q %v, and bytewise %q %v", body, items, err, bytewise, errBytewise)
		}
		for i, item := range items {
			if item == "" {
				t.Fatalf("%q: nothing became of item %d of %d (%v)", body, i, len(items), err)
			}
		}
		if !errors.Is(err, io.EOF) && !strings.Contains(err.Error(), "no action") {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

// FuzzReader holds that something becomes of every item, the same however the body comes, and that rows are lines which are not too long.
func FuzzReader(f *testing.F) {
	f.Add([]byte("\ufeff{\"index\":{\"_index\":\"a\",\"_id\":\"x\"}}\r\n{\"n\":1}\n\n{\"delete\":{}}\n{\"create\":null,\"more\":1}\n{}"), "s")
	f.Add([]byte("{\"update\":{}}\n{\"doc\":{}}\n{\"index\":{}}"), "")
	f.Fuzz(func(t *testing.T, body []byte, stream string) {
		items, chunks, err := readAll(bytes.NewReader(body), Options{Stream: stream, Index: "i"})
		bytewise, chunksBytewise, errBytewise := readAll(iotest.OneByteReader(bytes.NewReader(body)), Options{Stream: stream, Index: "i"})
		require.Equal(t, items, bytewise)
		require.Equal(t, chunks, chunksBytewise)
		require.Equal(t, err, errBytewise)
		for i, item := range items {
			require.NotEmpty(t, item, "nothing became of item %d", i)
			require.NotContains(t, item, "\n")
		}
		var fault *event.Error
		require.True(t, errors.Is(err, io.EOF) || errors.As(err, &fault), err)
	})
}
