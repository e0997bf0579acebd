package ingest

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestAStartDoesNotGrowWithSealedRows counts what a start opens and reads after few seals and after many. Between them is nothing but the
// size of the journal, which is bounded.
func TestAStartDoesNotGrowWithSealedRows(t *testing.T) {
	t.Parallel()
	count := func(seals int) (ops map[string]int) {
		disk := vfs.NewMem()
		small := func(o *Options) { o.LogFileBytes = 1 }
		s := openStore(t, disk, small)
		for n := range seals {
			_, err := s.send("s", numbered(10*n, 10*n+10))
			require.NoError(t, err)
			stream, err := s.Stream("s")
			require.NoError(t, err)
			_, err = stream.Seal(t.Context())
			require.NoError(t, err)
		}
		s.close(t)
		var mu sync.Mutex
		ops = map[string]int{}
		s = openStore(t, vfs.NewFaultyAll(disk, func(op vfs.Op, name string) error {
			mu.Lock()
			defer mu.Unlock()
			if dir, _, _ := strings.Cut(name, "/"); op == vfs.OpOpen || op == vfs.OpRead {
				ops[string(op)+" "+dir]++
			}
			return nil
		}), small)
		s.close(t)
		return ops
	}
	few := count(3)
	require.Equal(t, few, count(40))
	require.Zero(t, few["read segments"])
}

// BenchmarkRestart measures a start with a log of unsealed rows beside decoding the same bytes: the goal is at most twice the time. Its size is
// TIDEMARK_RESTART_MIB, 64 unless set.
func BenchmarkRestart(b *testing.B) {
	mib := 64
	if set := os.Getenv("TIDEMARK_RESTART_MIB"); set != "" {
		var err error
		mib, err = strconv.Atoi(set)
		require.NoError(b, err)
	}
	fs, err := vfs.NewReal(b.TempDir())
	require.NoError(b, err)
	s := openStore(b, fs)
	body := restartBody(5000)
	for sent := 0; sent < mib<<20; sent += len(body) {
		_, err := s.send("s", body)
		require.NoError(b, err)
	}
	s.close(b)
	var opening, decoding time.Duration
	for b.Loop() {
		began := time.Now()
		s := openStore(b, fs)
		opening += time.Since(began)
		stream, err := s.Stream("s")
		require.NoError(b, err)
		began = time.Now()
		require.NoError(b, stream.sealing.Logs[0].Read(0, func(e *eventlog.Entry) error {
			_, err := decode.Replay(e.Values, stream.opened.Schema, int(e.Meta.SchemaVersion), e.Meta.Arrival)
			return err
		}))
		decoding += time.Since(began)
		b.StopTimer()
		s.close(b)
		b.StartTimer()
	}
	b.SetBytes(int64(mib) << 20)
	b.ReportMetric(opening.Seconds()/decoding.Seconds(), "x-decoding")
	require.NoError(b, fs.Close())
}

// restartBody is some rows of an ordinary kind.
func restartBody(rows int) string {
	var body strings.Builder
	for i := range rows {
		fmt.Fprintf(&body, `{"ts":"2026-01-01T00:%02d:%02d.%03dZ","customer":"customer-%d","path":"/orders/%d/items","status":%d,"took":%d.5}`+"\n",
			i/60%60, i%60, i%1000, i%500, i*7919, 200+i%5, i%97)
	}
	return body.String()
}
