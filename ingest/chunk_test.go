package ingest

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func readAll(t *testing.T, r io.Reader) (chunks []string, end error) {
	t.Helper()
	c := NewChunks(r)
	for {
		chunk, err := c.Next()
		if err != nil {
			return chunks, err
		}
		require.NotEmpty(t, chunk)
		chunks = append(chunks, string(chunk))
	}
}

func TestChunksAreWholeLinesAndLoseNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		line := rapid.Custom(func(r *rapid.T) string {
			return strings.Repeat(rapid.StringMatching(`[a-z ]{0,8}`).Draw(r, "unit"), rapid.IntRange(0, 20_000).Draw(r, "times"))
		})
		body := strings.Join(rapid.SliceOfN(line, 0, 30).Draw(r, "lines"), "\n")
		chunks, err := readAll(t, strings.NewReader(body))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, body, strings.Join(chunks, ""))
		for _, chunk := range chunks[:max(0, len(chunks)-1)] {
			require.True(t, strings.HasSuffix(chunk, "\n"))
		}
	})
}

func TestASmallBodyIsOneChunk(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"a\nb\n", "a\nb", "a"} {
		chunks, err := readAll(t, strings.NewReader(body))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, []string{body}, chunks)
	}
}

// TestASlowBodyHoldsWhatItHasSent looks at the buffers that a body is read into.
func TestASlowBodyHoldsWhatItHasSent(t *testing.T) {
	t.Parallel()
	var sizes []int
	sent := 0
	c := NewChunks(readerFunc(func(p []byte) (int, error) {
		if sent == chunkBytes+1 {
			return 0, io.EOF
		}
		require.LessOrEqual(t, sent%chunkBytes+len(p), max(firstBytes, 4*sent))
		sizes = append(sizes, len(p))
		sent++
		return copy(p, "\n"), nil
	}))
	for _, want := range []int{chunkBytes, 1} {
		chunk, err := c.Next()
		require.NoError(t, err)
		require.Len(t, chunk, want)
	}
	_, err := c.Next()
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, firstBytes, sizes[0])
	require.Equal(t, chunkBytes, sizes[chunkBytes], "a body that has shown to be large is read in large pieces")
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestChunksCutALineThatIsTooLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5<<20)
	chunks, err := readAll(t, strings.NewReader("a\n"+long+"\nb\n"+long))
	require.ErrorIs(t, err, io.EOF)
	require.Equal(t, []int{2, maxRowBytes + 1, 2, maxRowBytes + 1}, lengths(chunks))
}

func TestChunksLeaveOutTheBrokenLastLine(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{errors.New("connection reset"), io.ErrUnexpectedEOF} {
		chunks, err := readAll(t, io.MultiReader(bytes.NewReader([]byte("a\nb\nhalf")), iotest.ErrReader(broken)))
		require.ErrorIs(t, err, broken)
		require.Equal(t, []string{"a\nb\n"}, chunks)
	}
}

func lengths(chunks []string) []int {
	out := make([]int, len(chunks))
	for i, c := range chunks {
		out[i] = len(c)
	}
	return out
}
