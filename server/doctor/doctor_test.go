package doctor

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/app"
	"github.com/tidemarkdb/tidemark/server/config"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.Cleanup(func(int) { http.DefaultClient.CloseIdleConnections() }))
}

// server is one over a directory, on free ports.
type server struct {
	*app.App
	t testing.TB
}

func serve(t testing.TB, dir string) *server {
	t.Helper()
	return serveAt(t, dir, time.Now)
}

func serveAt(t testing.TB, dir string, now func() time.Time) *server {
	t.Helper()
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = dir, "127.0.0.1:0", "127.0.0.1:0"
	a, err := app.StartAt(t.Context(), c, "test", slog.New(slog.NewTextHandler(t.Output(), nil)), now)
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close() })
	return &server{a, t}
}

func (s *server) post(where, body string, headers ...string) (int, string) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.URL()+where, strings.NewReader(body))
	require.NoError(s.t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(s.t, err)
	return answer.StatusCode, string(text)
}

func (s *server) must(where, body string, headers ...string) string {
	s.t.Helper()
	status, text := s.post(where, body, headers...)
	require.Equal(s.t, http.StatusOK, status, "%s %s: %s", where, body, text)
	return text
}

// sql gives the rows of an answer as text.
func (s *server) sql(query string) string {
	_, rows, _ := strings.Cut(s.must("/v1/sql?format=csv&wait=true", query), "\n")
	return strings.ReplaceAll(strings.TrimSpace(rows), "\n", " ")
}

// makeData fills a directory: two streams with sealed and unsealed rows, a view, and a request with a key.
func makeData(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	s := serve(t, dir)
	s.must("/v1/sql", "CREATE STREAM orders (n BIGINT, region TEXT, at TIMESTAMPTZ, WATERMARK FOR at AS at)")
	s.must("/v1/sql", `CREATE MATERIALIZED VIEW totals WITH (memory = '16MiB') AS SELECT region, count(*) AS c FROM orders GROUP BY region`)
	for i := range 3 {
		var body strings.Builder
		for n := range 200 {
			fmt.Fprintf(&body, `{"n":%d,"region":"r%d","at":"2026-03-01T10:%02d:%02dZ"}`+"\n", 200*i+n, n%5, i, n%60)
		}
		s.must("/v1/streams/orders/events", body.String(), "Idempotency-Key", fmt.Sprintf("key%d", i))
		s.must("/v1/streams/clicks/events", fmt.Sprintf(`{"page":"p%d"}`, i))
		if i < 2 {
			s.must("/v1/streams/orders/seal", "")
		}
	}
	require.Equal(t, "600", s.sql("SELECT sum(c) FROM totals"))
	require.NoError(t, s.Close())
	return dir
}

// load reads a directory into memory.
func load(t testing.TB, dir string) (mem *vfs.Mem, names []string) {
	t.Helper()
	mem = vfs.NewMem()
	require.NoError(t, filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		require.NoError(t, err)
		rel, err := filepath.Rel(dir, name)
		require.NoError(t, err)
		rel = filepath.ToSlash(rel)
		if entry.IsDir() {
			return mem.MkdirAll(rel)
		}
		content, err := os.ReadFile(name)
		require.NoError(t, err)
		put(t, mem, rel, content)
		names = append(names, rel)
		return nil
	}))
	return mem, names
}

// put gives a file another content.
func put(t testing.TB, fs vfs.FS, name string, content []byte) {
	t.Helper()
	if _, err := fs.Stat(name); err == nil {
		require.NoError(t, fs.Remove(name))
	}
	file, err := fs.Create(name)
	require.NoError(t, err)
	_, err = file.Write(content)
	require.NoError(t, err)
	require.NoError(t, file.Sync())
	require.NoError(t, file.Close())
}

func read(t testing.TB, fs vfs.FS, name string) []byte {
	t.Helper()
	file, err := fs.Open(name)
	require.NoError(t, err)
	size, err := file.Size()
	require.NoError(t, err)
	content := make([]byte, size)
	_, err = file.ReadAt(content, 0)
	if size > 0 {
		require.NoError(t, err)
	}
	require.NoError(t, file.Close())
	return content
}

// bears reports whether a file is of a kind that doctor answers for.
func bears(name string) bool { return name != "LOCK" && !strings.HasPrefix(name, "trash/") }

func TestVerifyFindsNothingInGoodData(t *testing.T) {
	t.Parallel()
	dir := makeData(t)
	files, err := vfs.NewReadOnly(dir)
	require.NoError(t, err)
	defer files.Close()
	report, err := Verify(t.Context(), files)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
	_, names := load(t, dir)
	kinds := map[string]bool{}
	want := 0
	for _, name := range names {
		if bears(name) {
			want++
			kinds[strings.SplitN(name, "/", 2)[0]+path.Ext(name)] = true
		}
	}
	require.Equal(t, want, report.Files, "%v", names)
	require.Subset(t, kinds, map[string]bool{"journal.log": true, "log.log": true, "segments.parquet": true, "views.log": true, "state.state": true})
}

// TestVerifyNamesEveryDamage damages every file in turn: a flipped bit at sampled places and at every byte of short files, a page of zeroes,
// a cut at sampled places, and two blocks that have changed places. Each time the file is named.
func TestVerifyNamesEveryDamage(t *testing.T) {
	t.Parallel()
	mem, names := load(t, makeData(t))
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	places := func(size int) []int {
		if size <= 64 {
			return rng.Perm(size)
		}
		out := []int{0, 1, 7, 20, size / 2, size - 29, size - 1}
		for range 40 {
			out = append(out, rng.IntN(size))
		}
		return out
	}
	for _, name := range names {
		if !bears(name) {
			continue
		}
		good := read(t, mem, name)
		try := func(what string, at int, bad []byte) {
			put(t, mem, name, bad)
			report, err := Verify(context.Background(), mem)
			require.NoError(t, err, "%s of %s at %d", what, name, at)
			found := false
			for _, f := range report.Findings {
				found = found || f.File == name && (f.To == 0 || what != "flip" || f.From <= int64(at) && int64(at) < f.To)
			}
			require.True(t, found, "%s of %s at %d of %d: %v", what, name, at, len(good), report.Findings)
			if strings.HasPrefix(name, "segments/") || path.Ext(name) == ".state" || path.Ext(name) == ".snapshot" {
				require.True(t, report.Damaged(), "%s of %s at %d: %v", what, name, at, report.Findings)
			}
		}
		for _, at := range places(len(good)) {
			bad := append([]byte(nil), good...)
			bad[at] ^= 1 << rng.IntN(8)
			try("flip", at, bad)
			try("cut", at, good[:at])
		}
		if n := 512; len(good) > 3*n {
			bad := append([]byte(nil), good...)
			clear(bad[n : 2*n])
			try("zeroes", n, bad)
			bad = append([]byte(nil), good...)
			copy(bad[:n], good[n:2*n])
			copy(bad[n:2*n], good[:n])
			try("swap", 0, bad)
		}
		put(t, mem, name, good)
	}
	report, err := Verify(t.Context(), mem)
	require.NoError(t, err)
	require.Empty(t, report.Findings)
}

func TestVerifyRefusesWhatIsNoData(t *testing.T) {
	t.Parallel()
	_, err := Verify(t.Context(), vfs.NewMem())
	require.ErrorIs(t, err, ErrNoData)
}
