package csvbody

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestEscapes reads what PostgreSQL's COPY reads so with ESCAPE, and doubled quotes as well.
func TestEscapes(t *testing.T) {
	t.Parallel()
	for cell, want := range map[string]string{
		`"a \"quoted\" b"`:      `a \"quoted\" b`,
		`"\""`:                  `\"`,
		`"C:\\dir\\"`:           `C:\\dir\\`,
		`"C:\dir"`:              `C:\\dir`,
		`"\n\N"`:                `\\n\\N`,
		`"x\",\"y"`:             `x\",\"y`,
		`"say ""hi"", \"you\""`: `say \"hi\", \"you\"`,
		`a\"b`:                  `a\\\"b`,
		"\"x\\\"\ny\"":          `x\"\ny`,
	} {
		for _, src := range []io.Reader{
			strings.NewReader("id,t\n1," + cell + "\n2,end\n"), iotest.OneByteReader(strings.NewReader("id,t\n1," + cell + "\n2,end\n")),
		} {
			got, err := read(src, Options{Escape: '\\'})
			require.NoError(t, err, cell)
			require.Equal(t, `{"id":1,"t":"`+want+"\"}\n{\"id\":2,\"t\":\"end\"}\n", got, cell)
		}
	}
	got, err := read(strings.NewReader("id,t\n1,\"a \\\"b\\\" c\"\n2,\"x\"y\n"), Options{})
	require.NoError(t, err)
	require.Equal(t, "0: cell 2: text after the end of a quoted cell, and \\\" in the row\n1: cell 2: text after the end of a quoted cell\n", got)
	for options, want := range map[byte]string{'\n': "cannot stand before a quote", ',': "cannot stand before a quote", 0x80: "cannot stand before a quote"} {
		require.ErrorContains(t, Options{Delimiter: ',', Escape: options}.Validate(), want)
	}
}

// TestWhatIsEscapedIsReadBack writes cells with quotes and escapes behind an escape.
func TestWhatIsEscapedIsReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cells := rapid.SliceOfN(rapid.StringOfN(rapid.SampledFrom([]rune("a\"\\,\n\r;é")), 0, 8, -1), 2, 12).Draw(t, "cells")
		var body bytes.Buffer
		body.WriteString("k,t\n")
		want := make([]string, 0, len(cells))
		for _, c := range cells {
			body.WriteString(`1,"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(c) + "\"\n")
			want = append(want, c)
		}
		r := NewReader(iotest.HalfReader(&body), Options{Escape: '\\', Delimiter: ','})
		_, err := r.records.next()
		require.NoError(t, err)
		for _, text := range want {
			rec, err := r.records.next()
			require.NoError(t, err)
			require.Empty(t, rec.fault)
			require.Equal(t, text, string(rec.cells[1].text))
		}
	})
}
