package ingest

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// keyedChunks gives all chunks.
func keyedChunks(body io.Reader) (chunks []string, err error) {
	c := NewKeyedChunks(body, nil)
	for {
		chunk, err := c.Next()
		if errors.Is(err, io.EOF) {
			return chunks, nil
		}
		if err != nil {
			return chunks, err
		}
		chunks = append(chunks, string(chunk))
	}
}

// drawLines makes a body of rows of very different lengths.
func drawLines(t *rapid.T) string {
	var b strings.Builder
	for i := range rapid.IntRange(0, 3*keyedRows).Draw(t, "rows") {
		fmt.Fprintf(&b, `{"n":%d}%s`, i, strings.Repeat("\n", 1+i%2))
	}
	if rapid.Bool().Draw(t, "long") {
		b.WriteString(strings.Repeat("x", chunkBytes) + "\n")
	}
	b.WriteString(rapid.SampledFrom([]string{"", `{"end":1}`, "\n"}).Draw(t, "end"))
	return b.String()
}

func TestKeyedChunksAreCutByTheBytesAlone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := drawLines(t)
		want, err := keyedChunks(strings.NewReader(body))
		require.NoError(t, err)
		require.Equal(t, body, strings.Join(want, ""))
		for _, slow := range []io.Reader{iotest.HalfReader(strings.NewReader(body)), iotest.DataErrReader(strings.NewReader(body))} {
			got, err := keyedChunks(slow)
			require.NoError(t, err)
			require.Equal(t, want, got)
		}
		cut := rapid.IntRange(0, len(body)).Draw(t, "cut")
		broken := io.MultiReader(strings.NewReader(body[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF))
		got, err := keyedChunks(broken)
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.Equal(t, strings.Join(want[:len(got)], "|"), strings.Join(got, "|"), "a body that breaks off gives the first of the same chunks")
	})
}

func TestKeyedChunksCutALineThatIsTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*maxRowBytes)
	chunks, err := keyedChunks(strings.NewReader("{}\n" + long + "\n{}"))
	require.NoError(t, err)
	require.Equal(t, []string{"{}\n" + long[:maxRowBytes+1] + "\n", "{}"}, chunks)
}
