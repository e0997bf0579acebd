package client

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

// TestLoadSendsAgainWhatHasAKey: under a key a request is made again also after it was taken in part, or failed without a word; the report counts
// each row once.
func TestLoadSendsAgainWhatHasAKey(t *testing.T) {
	t.Parallel()
	for name, contentType := range map[string]string{"lines": "", "file": "text/csv"} {
		var attempts atomic.Int64
		keys := make(chan string, 3)
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			n := attempts.Add(1)
			keys <- r.Header.Get("Idempotency-Key")
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != "a\n1\n2\n" {
				panic(http.ErrAbortHandler)
			}
			switch n {
			case 1:
				w.Header().Set("Retry-After", "0")
				answer(w, 429, "application/problem+json", `{"code":"too_busy","detail":"come back","accepted":1,"duplicates":1}`)
			case 2:
				panic(http.ErrAbortHandler)
			default:
				answer(w, 200, "application/json", `{"accepted":2,"duplicates":2}`)
			}
		})
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte("a\n1\n2\n"), 0o600))
		file, err := os.Open(path)
		require.NoError(t, err)
		report, err := c.Load(t.Context(), "s", file, LoadOptions{ContentType: contentType, Identity: path})
		require.NoError(t, err, name)
		require.NoError(t, file.Close())
		require.Equal(t, LoadReport{Accepted: 3, Duplicates: 1}, report, name)
		key := <-keys
		require.True(t, strings.HasPrefix(key, "load-"))
		require.Equal(t, [2]string{key, key}, [2]string{<-keys, <-keys})
	}
}

// TestLoadGivesUpOnAServerThatIsNotThere: a few attempts, then the error.
func TestLoadGivesUpOnAServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	var attempts atomic.Int64
	c := serve(t, func(http.ResponseWriter, *http.Request) {
		attempts.Add(1)
		panic(http.ErrAbortHandler)
	})
	_, err := c.Load(t.Context(), "s", strings.NewReader("{}"), LoadOptions{Identity: "x"})
	require.Error(t, err)
	require.EqualValues(t, lostRetries+1, attempts.Load())
	attempts.Store(0)
	_, err = c.Load(t.Context(), "s", strings.NewReader("{}"), LoadOptions{})
	require.Error(t, err)
	require.EqualValues(t, 1, attempts.Load(), "without a key it might store rows twice")
}

// TestLoadOutlastsARestart: a server that took a part of the load and is then not there gets the time to start again, and one that was never there does not.
func TestLoadOutlastsARestart(t *testing.T) {
	t.Parallel()
	for _, met := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			attempts := 0
			c, err := New(DefaultURL)
			require.NoError(t, err)
			c.http.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return nil, err
				}
				switch attempts++; {
				case attempts == 1 && met:
					return nil, io.ErrUnexpectedEOF
				case attempts <= restartRetries:
					return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
				default:
					answered := httptest.NewRecorder()
					answer(answered, 200, "application/json", `{"accepted":1}`)
					return answered.Result(), nil
				}
			})
			report, err := c.Load(t.Context(), "s", strings.NewReader("{}"), LoadOptions{Identity: "x"})
			if !met {
				require.ErrorContains(t, err, "cannot reach")
				require.Equal(t, lostRetries+1, attempts)
				return
			}
			require.NoError(t, err)
			require.EqualValues(t, 1, report.Accepted)
		})
	}
}

// roundTripper is a transport without a network.
type roundTripper func(r *http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
