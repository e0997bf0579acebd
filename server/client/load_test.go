package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"
)

// lines makes n lines of growing length.
func lines(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":%d,\"pad\":%q}\n", i, strings.Repeat("x", i%37))
	}
	return b.String()
}

// sink is a server that remembers bodies and takes every line.
type sink struct {
	mu     sync.Mutex
	bodies []string
}

func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	s.bodies = append(s.bodies, string(body))
	s.mu.Unlock()
	answer(w, 200, "application/json", fmt.Sprintf(`{"stream":"s","accepted":%d}`, bytes.Count(body, []byte("\n"))))
}

// lines returns everything received, line by line in sorted order, since requests overtake each other.
func (s *sink) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return sorted(strings.Join(s.bodies, ""))
}

func sorted(text string) []string {
	all := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	slices.Sort(all)
	return all
}

func compressed(t *testing.T, kind, text string) io.Reader {
	t.Helper()
	var out bytes.Buffer
	var w io.WriteCloser
	switch kind {
	case "gzip":
		w = gzip.NewWriter(&out)
	case "zstd":
		encoder, err := zstd.NewWriter(&out)
		require.NoError(t, err)
		w = encoder
	default:
		return strings.NewReader(text)
	}
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &out
}

func TestLoadSendsWholeLines(t *testing.T) {
	t.Parallel()
	text := lines(2000)
	for _, kind := range []string{"plain", "gzip", "zstd"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			got := &sink{}
			c := serve(t, got.ServeHTTP)
			report, err := c.Load(t.Context(), "s", iotest.HalfReader(compressed(t, kind, text)), LoadOptions{ChunkBytes: 1 << 10})
			require.NoError(t, err)
			require.EqualValues(t, 2000, report.Accepted)
			require.Equal(t, sorted(text), got.lines())
			require.Greater(t, len(got.bodies), 20)
			for _, body := range got.bodies {
				require.True(t, strings.HasSuffix(body, "\n"))
				require.LessOrEqual(t, len(body), 1<<10)
			}
		})
	}
}

func TestLoadOfNothing(t *testing.T) {
	t.Parallel()
	got := &sink{}
	c := serve(t, got.ServeHTTP)
	report, err := c.Load(t.Context(), "s", strings.NewReader(""), LoadOptions{})
	require.NoError(t, err)
	require.Zero(t, report)
	require.Empty(t, got.bodies)
}

func TestLoadNumbersRejectedLinesWithinTheFile(t *testing.T) {
	t.Parallel()
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var accepted, rejected int
		var reasons []string
		for i, line := range strings.FieldsFunc(string(body), func(r rune) bool { return r == '\n' }) {
			if strings.HasPrefix(line, "bad") {
				rejected++
				reasons = append(reasons, fmt.Sprintf(`{"row":%d,"reason":%q}`, i, line))
			} else {
				accepted++
			}
		}
		status, kind, code := 200, "application/json", ""
		if accepted == 0 {
			status, kind, code = 400, "application/problem+json", `"code":"all_rows_rejected",`
		}
		answer(w, status, kind,
			fmt.Sprintf(`{%s"accepted":%d,"rejected":%d,"errors":[%s]}`, code, accepted, rejected, strings.Join(reasons, ",")))
	})
	var text strings.Builder
	var want []LineError
	for i := 1; i <= 300; i++ {
		if i%7 == 0 {
			text.WriteString("\n") // blank lines are no rows, but lines
			continue
		}
		if i%30 == 0 || i > 290 {
			fmt.Fprintf(&text, "bad line %d\n", i)
			want = append(want, LineError{Line: int64(i), Reason: fmt.Sprintf("bad line %d", i)})
			continue
		}
		text.WriteString("{}\n")
	}
	report, err := c.Load(t.Context(), "s", strings.NewReader(text.String()), LoadOptions{ChunkBytes: 64})
	require.NoError(t, err)
	require.EqualValues(t, 300-300/7-len(want), report.Accepted)
	require.EqualValues(t, len(want), report.Rejected)
	require.Equal(t, want[:len(report.Reasons)], report.Reasons)
	require.NotEmpty(t, report.Reasons)
}

func TestLoadWaitsForABusyServer(t *testing.T) {
	t.Parallel()
	got := &sink{}
	var mu sync.Mutex
	refusals := 3
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		busy := refusals > 0
		refusals--
		mu.Unlock()
		if busy {
			w.Header().Set("Retry-After", "0")
			answer(w, 429, "application/problem+json", `{"code":"too_busy","detail":"come back"}`)
			return
		}
		got.ServeHTTP(w, r)
	})
	report, err := c.Load(t.Context(), "s", strings.NewReader("{}\n{}"), LoadOptions{})
	require.NoError(t, err)
	require.EqualValues(t, 1, report.Accepted)
	require.Equal(t, []string{"{}\n{}"}, got.bodies)
}

func TestLoadDoesNotRepeatWhatWasPartlyTaken(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	requests := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		requests++
		w.Header().Set("Retry-After", "0")
		answer(w, 429, "application/problem+json", `{"code":"too_busy","detail":"come back","accepted":2}`)
	})
	report, err := c.Load(t.Context(), "s", strings.NewReader("{}\n{}\n{}\n"), LoadOptions{})
	require.ErrorContains(t, err, "come back")
	require.EqualValues(t, 2, report.Accepted)
	require.Equal(t, 1, requests)
}

func TestLoadStopsAtAFailure(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	requests := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		mu.Lock()
		requests++
		broken := requests > 2
		mu.Unlock()
		if broken {
			answer(w, 507, "application/problem+json", `{"code":"disk_full","detail":"no space left"}`)
			return
		}
		answer(w, 200, "application/json", `{"accepted":1}`)
	})
	report, err := c.Load(t.Context(), "s", strings.NewReader(strings.Repeat("{}\n", 1000)), LoadOptions{ChunkBytes: 3})
	require.ErrorContains(t, err, "no space left")
	require.ErrorContains(t, err, "lines from ")
	require.LessOrEqual(t, report.Accepted, int64(2), "an answer may be on its way when another request fails")
	mu.Lock()
	defer mu.Unlock()
	require.Less(t, requests, 100)
}

func TestLoadReportsReadFailures(t *testing.T) {
	t.Parallel()
	c := serve(t, (&sink{}).ServeHTTP)
	broken := io.MultiReader(strings.NewReader("{}\n{}\n"), iotest.ErrReader(errors.New("disk on fire")))
	_, err := c.Load(t.Context(), "s", broken, LoadOptions{})
	require.ErrorContains(t, err, "disk on fire")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = c.Load(ctx, "s", strings.NewReader("{}\n"), LoadOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

func TestChunkerGrowsForLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", 1000)
	c := newChunker(iotest.OneByteReader(strings.NewReader("a\n"+long+"\nb")), 4)
	var got []string
	var first []int64
	for {
		next, err := c.next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		got, first = append(got, string(next.lines)), append(first, next.firstLine)
	}
	require.Equal(t, "a\n"+long+"\nb", strings.Join(got, ""))
	require.EqualValues(t, 1, first[0])
	require.EqualValues(t, 2, first[1])
}

// FuzzChunker checks that no byte is lost, doubled or moved, and that only the last chunk may end within a line.
func FuzzChunker(f *testing.F) {
	f.Add([]byte("a\nbb\n\nccc"), 2)
	f.Add([]byte("aaaaaaaa"), 4)
	f.Fuzz(func(t *testing.T, text []byte, size int) {
		c := newChunker(bytes.NewReader(text), 1+size&0xff)
		var all []byte
		for {
			next, err := c.next()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
			require.NotEmpty(t, next.lines)
			require.EqualValues(t, 1+bytes.Count(all, []byte("\n")), next.firstLine)
			if len(all) > 0 {
				require.Equal(t, byte('\n'), all[len(all)-1])
			}
			all = append(all, next.lines...)
		}
		require.Equal(t, string(text), string(all))
	})
}
