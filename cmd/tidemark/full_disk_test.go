//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/tidemarkdb/tidemark/server/client"
)

// smallDisk mounts a file system of its own in memory, or skips the test where that is not permitted.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("this test needs to mount a small file system, which takes the rights of root: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, unix.Unmount(dir, unix.MNT_DETACH)) })
	return dir
}

// TestAFullDiskLosesNothing fills a real disk to the brim, again and again, while the real server takes events: all that is acknowledged stays,
// queries are answered, and events are taken again without a restart as soon as there is space; also when the server is killed on the full disk.
func TestAFullDiskLosesNothing(t *testing.T) {
	t.Parallel()
	disk := smallDisk(t, "48m")
	data := filepath.Join(disk, "data")
	environ := []string{"TIDEMARK_SEAL_ROWS=3000", "TIDEMARK_SEAL_AGE=1h", "TIDEMARK_LOG_LEVEL=info", "TIDEMARK_LOG_FILE=1MiB"}
	server := startDaemon(t, data, environ...)
	acked := &ackJournal{at: map[place]string{}}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	taken, refused := newTally(), newTally()
	var wait sync.WaitGroup
	for w := range 4 {
		wait.Go(func() { keepSending(ctx, t, server, acked, w, taken, refused) })
	}
	for round := range 8 {
		taken.more(20) // by itself, after the first round
		empty := fillDisk(t, disk)
		refused.more(5)
		c, err := client.New(server.url)
		require.NoError(t, err)
		_, err = c.Query(t.Context(), "SELECT count(*) FROM killed", client.QueryOptions{})
		require.NoError(t, err, "queries go on")
		if round == 0 {
			requireNotReady(t, server, "disk is nearly full")
		}
		empty()
	}
	empty := fillDisk(t, disk)
	refused.more(1)
	stop()
	wait.Wait()
	server.kill(t)
	empty()
	server = startDaemon(t, data, environ...)
	acked.check(t, server, 0)
	t.Logf("%d requests taken, %d refused, %d rows", taken.n, refused.n, len(acked.at))
	server.stop(t)
}

// tally counts, and lets others wait for more.
type tally struct {
	mu   sync.Mutex
	grew *sync.Cond
	n    int
	over bool // nobody counts any more
}

func newTally() *tally {
	c := &tally{}
	c.grew = sync.NewCond(&c.mu)
	return c
}

func (c *tally) add() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	c.grew.Broadcast()
}

func (c *tally) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	c.grew.Broadcast()
}

// more waits until it has grown by a number.
func (c *tally) more(by int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for from := c.n; c.n < from+by && !c.over; {
		c.grew.Wait()
	}
}

// keepSending sends until it is told to stop, and again what was turned away, under the same names.
func keepSending(ctx context.Context, t *testing.T, server *daemon, acked *ackJournal, w int, taken, refused *tally) {
	c, err := client.New(server.url)
	if err != nil {
		t.Error(err)
		return
	}
	for n := 0; ctx.Err() == nil; n++ {
		ids := make([]string, 1+n%5)
		for i := range ids {
			ids[i] = fmt.Sprintf("%d-%d-%d", w, n, i)
		}
		result, err := c.Ingest(ctx, "killed", strings.NewReader(rowsOf(ids)), client.IngestOptions{})
		var fault *client.Error
		switch {
		case err == nil:
			acked.note(ids, result)
			taken.add()
		case errors.As(err, &fault) && fault.Code == "disk_full":
			refused.add()
		case ctx.Err() == nil:
			t.Errorf("%v", err)
			taken.end()
			refused.end()
			return
		}
	}
}

// fillDisk takes all the space there is, down to the last page, and gives it back by the function returned.
func fillDisk(t *testing.T, disk string) (empty func()) {
	t.Helper()
	name := filepath.Join(disk, "filler")
	f, err := os.Create(name)
	require.NoError(t, err)
	for block := make([]byte, 1<<20); len(block) >= 4096; {
		if _, err := f.Write(block); err != nil {
			require.ErrorIs(t, err, unix.ENOSPC)
			block = block[:len(block)/2]
		}
	}
	return func() {
		require.NoError(t, f.Close())
		require.NoError(t, os.Remove(name))
	}
}

func requireNotReady(t *testing.T, server *daemon, reason string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url+"/readyz", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	body := make([]byte, 4096)
	n, _ := answer.Body.Read(body)
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.Contains(t, string(body[:n]), reason)
}
