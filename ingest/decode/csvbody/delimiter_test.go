package csvbody

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// TestDelimiters tells what separates cells by the first lines, however they come.
func TestDelimiters(t *testing.T) {
	t.Parallel()
	rows, three := Options{Header: WithoutHeader}, Options{Columns: []string{"x", "y", "z"}}
	for _, test := range []struct {
		body    string
		options Options
		want    byte
	}{
		{"a,b\n1,2\n", Options{}, ','},
		{"a;b;c\n1,5;2;3\n", Options{}, ';'},
		{"a\tb|c\td\n", Options{}, '\t'},
		{"alone\n1\n", Options{}, ','},
		{"id;name, first;v\n1;a;2\n", Options{}, ';'},
		{"id|a,b|v\n1|x|2\n", Options{}, '|'},
		{"a,b;c\n1,2;3\n", Options{}, ','},
		{"name,values (a;b;c)\nx,1;2;3\n", Options{}, ','},
		{"name,note;x\n\"1;1\",\"2\n\"\n", Options{}, ','},
		{"id;name, first\n\r\n1;\"a,b\"\n", Options{}, ';'},
		{"id;name, first", Options{}, ','},
		{"id;name, first\n1;a", Options{}, ';'},
		{"1;1,5;a\n2;2,5;b\n", rows, ';'},
		{"1|hello, world|x\n2|foo, bar, baz|y\n", rows, '|'},
		{"1\ta,b\tc\n2\td,e,f\tg\n", rows, '\t'},
		{"1;1,5;a\n", rows, ','},
		{"1;1,5,6\n2;7\n", rows, ';'},
		{"1,2;3,4\n5,6;7,8\n", rows, ','},
		{"1;1,5;a\n", three, ';'},
		{"1;2,a,b;c;d\n1;2,a,b\n", three, ','},
		{"x;y,z;w\n1\n", three, ';'},
	} {
		for _, body := range []string{test.body, strings.ReplaceAll(test.body, "\n", "\r\n")} {
			for _, src := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body))} {
				r := NewReader(src, test.options)
				_, err := r.records.next()
				require.NoError(t, err)
				require.Equal(t, string(test.want), string(r.records.delimiter), "%q", body)
			}
		}
	}
}

func TestNamesThatAreGivenAndThere(t *testing.T) {
	t.Parallel()
	columns := []string{"a", "b"}
	_, err := read(strings.NewReader("a,b\n1,2\n"), Options{Columns: columns})
	require.ErrorContains(t, err, "the first line has the names that columns= gives")
	for header, want := range map[Header]string{WithHeader: "{\"a\":1,\"b\":2}\n", WithoutHeader: "{\"a\":\"a\",\"b\":\"b\"}\n{\"a\":\"1\",\"b\":\"2\"}\n"} {
		got, err := read(strings.NewReader("a,b\n1,2\n"), Options{Columns: columns, Header: header})
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}
