package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/racing"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/server/config"
)

// heapAtWrites is the greatest heap, of what is reachable, that was seen while segments were written.
type heapAtWrites struct {
	mu     sync.Mutex
	writes int
	most   uint64
}

func (h *heapAtWrites) look(op vfs.Op, name string) error {
	if op != vfs.OpWrite || !strings.HasPrefix(name, "tmp/") {
		return nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.writes++; h.writes%8 == 1 {
		h.most = max(h.most, reachable())
	}
	return nil
}

func reachable() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestIngestAndMergesStayInMemory sends long texts for as long as it takes to seal and merge several times the memory that there is for that. What is
// reachable is never more than a merge may have, a seal, and rows that are not sealed.
func TestIngestAndMergesStayInMemory(t *testing.T) { //nolint:paralleltest // the heap is that of all tests
	if racing.On {
		t.Skip("it measures the heap, which make test does without the race detector")
	}
	const bodies, bodyRows, textBytes = 110, 250, 4000
	c := config.Default()
	c.Data, c.Listen, c.AdminListen = t.TempDir(), "127.0.0.1:0", "127.0.0.1:0"
	c.Memory, c.SealBytes, c.CompactCPU, c.ScrubRate = 256<<20, 2<<20, 100, 0
	disk, err := vfs.NewReal(c.Data)
	require.NoError(t, err)
	heap := &heapAtWrites{}
	a := newApp(c, slog.New(slog.DiscardHandler), time.Now)
	require.NoError(t, a.open(vfs.NewFaulty(disk, heap.look)))
	require.NoError(t, a.listen(t.Context(), "test"))
	s := &instance{App: a, t: t, data: c.Data}
	defer func() { require.NoError(t, s.Close()) }()

	before := reachable()
	rng := rand.New(rand.NewPCG(3, 4))
	for range bodies {
		var body bytes.Buffer
		for range bodyRows {
			text := make([]byte, textBytes)
			for i := range text {
				text[i] = byte('a' + rng.IntN(26))
			}
			fmt.Fprintf(&body, `{"n":%d,"text":%q}`+"\n", rng.IntN(1000), text)
		}
		s.ingest("long", body.String())
	}
	s.seal("long")
	s.compact.Look(t.Context())
	view := s.segments.View("long")
	require.Less(t, len(view.Segments()), bodies/8, "they were merged")
	require.NoError(t, view.Close())
	require.Equal(t, fmt.Sprintf("[%d,%d]\n", bodies*bodyRows, bodies*bodyRows*textBytes), s.query("SELECT count(*), sum(length(text)) FROM long").text())

	const inputs = 4*2<<20 + 4<<20 // rows that are not sealed, and a body or two
	bound := int64(segments.LeastWriteBytes + inputs)
	took := int64(heap.most) - int64(before)
	t.Logf("%d MiB taken, of %d", took>>20, bound>>20)
	require.LessOrEqual(t, took, bound)
	require.Positive(t, took)
}
