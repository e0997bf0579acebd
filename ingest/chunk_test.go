package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

func readAll(t *testing.T, r io.Reader) (chunks []string, end error) {
	t.Helper()
	c := NewChunks(r, nil)
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
		text := "x"
		if sent%chunkBytes == 0 {
			text = "\n"
		}
		return copy(p, text), nil
	}), nil)
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

// TestChunksHaveABoundedNumberOfLines cuts short lines, blank ones among them: none is lost, and a chunk has no more than of any other format.
func TestChunksHaveABoundedNumberOfLines(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := strings.Repeat(rapid.SampledFrom([]string{"x\n", "\n", "{}\n\n", "{\"a\":1}\n"}).Draw(t, "line"), rapid.IntRange(0, 150_000).Draw(t, "lines")) +
			rapid.SampledFrom([]string{"", "y", "y\n"}).Draw(t, "end")
		c := NewChunks(strings.NewReader(body), nil)
		var got strings.Builder
		for {
			chunk, err := c.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.LessOrEqual(t, bytes.Count(chunk, []byte{'\n'}), decode.MaxChunkRows)
			got.Write(chunk)
		}
		require.True(t, body == got.String())
	})
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

// TestMemoryOfAChunkIsUsedAgain once its rows are stored, and not before: what stands in a freed chunk is overwritten here, and is not what the log
// holds. Rows that are answered before they are synced may still be looked at.
func TestMemoryOfAChunkIsUsedAgain(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		fs := vfs.NewMem()
		s := openStore(t, fs)
		in, err := s.Begin("s", BodyOptions{AckWrite: early})
		require.NoError(t, err)
		freed := 0
		for i := range 20 {
			lines := []byte(strings.Repeat(fmt.Sprintf(`{"n":%d,"text":"of chunk %d"}`, i, i)+"\nnot JSON\n", 100))
			free := func() {
				freed++
				copy(lines, bytes.Repeat([]byte{'x'}, len(lines)))
			}
			require.NoError(t, in.FeedChunk(t.Context(), &decode.Chunk{Lines: lines, Free: free}))
		}
		summary, err := in.Finish(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2000, summary.Accepted)
		require.EqualValues(t, 2000, summary.Rejected)
		if early {
			require.Zero(t, freed)
		} else {
			require.Equal(t, 20, freed)
		}
		s.close(t)
		s = openStore(t, fs) // what is read now comes from the log
		stream, err := s.Stream("s")
		require.NoError(t, err)
		rows := 0
		for _, batch := range stream.sealing.Tail.View().Batches {
			for i := range batch.Rows() {
				n, text := batch.Record.Column(0).(*array.Int64).Value(i), event.StringAt(batch.Record.Column(1), i)
				require.Equal(t, fmt.Sprintf("of chunk %d", n), text)
				rows++
			}
		}
		require.Equal(t, 2000, rows)
		s.close(t)
	}
}

// TestWhatIsBehindManySpacesIsNotLost holds that a line which is cut is turned away, whatever it begins with, in whichever way the body is cut.
func TestWhatIsBehindManySpacesIsNotLost(t *testing.T) {
	t.Parallel()
	spaces := strings.Repeat(" ", 3*maxRowBytes)
	schema, err := decode.Infer([]byte(`{"a":1}`), "")
	require.NoError(t, err)
	for _, line := range []string{`{"a":2}` + spaces + "more", spaces + `{"a":2}`, ` {"a":"` + strings.Repeat("x", 3*maxRowBytes) + `"}`} {
		body := "{\"a\":1}\n" + line + "\n{\"a\":3}\n"
		for _, chunks := range []interface{ Next() ([]byte, error) }{
			NewChunks(strings.NewReader(body), nil), NewChunks(iotest.HalfReader(strings.NewReader(body)), nil), NewKeyedChunks(strings.NewReader(body), nil),
		} {
			count := 0
			var reasons []string
			for chunk, err := chunks.Next(); err == nil; chunk, err = chunks.Next() {
				rows, err := decode.NDJSON(chunk, schema, decode.Options{})
				require.NoError(t, err)
				count += rows.Count
				for _, r := range rows.Rejected {
					reasons = append(reasons, r.Reason)
				}
			}
			require.Equal(t, 2, count)
			require.Equal(t, []string{"the row has 1048577 bytes, more than the 1048576 allowed"}, reasons)
		}
	}
}
