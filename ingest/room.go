package ingest

import (
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const (
	// A twentieth of the disk is left free: what runs beside us needs some, and so do the segments and the journal that follow the log.
	// On a large disk a gigabyte is enough for that: several segments of the usual size. It is never less than a segment and a file of
	// the log take, as a start after a crash copies the one that was open; on a disk too small even for that, half of it is left.
	reservePart     = 20
	leastReserve    = 256 << 20
	greatestReserve = 1 << 30
	// roomAge is how long the file system's last word on its free space is believed, less what was taken since.
	roomAge = time.Second
	// roomFactor is how much of the disk a byte of a request is taken for: its share of a frame, and of a segment later.
	roomFactor = 2
)

// room turns events away before the disk is full, so that there is space for what must go on: the journal, segments, snapshots. It is a
// forecast: others may fill the disk meanwhile, and then the write fails after all, and is taken back. A sync that meets a full disk, as on
// file systems that choose the place of bytes late, fails the log until the next start.
type room struct {
	fs  vfs.FS
	now func() time.Time

	mu struct {
		sync.Mutex
		asked time.Time
		left  int64 // beyond the reserve
	}
}

// take claims space for the bytes of a chunk, or fails with CodeDiskFull.
func (r *room) take(bytes int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	bytes *= roomFactor
	if now := r.now(); r.mu.left <= bytes || now.Sub(r.mu.asked) >= roomAge {
		free, total, err := r.fs.FreeBytes() // under the lock: it asks the kernel, not the disk
		if err != nil {
			return nil // where nobody knows, the write itself will tell
		}
		r.mu.asked, r.mu.left = now, int64(free)-reserve(total)
	}
	if r.mu.left <= bytes {
		return event.Errorf(event.CodeDiskFull, "the disk is nearly full: too little is free to take more events").
			WithHint("free some space in the data directory's file system and send them again; queries go on")
	}
	r.mu.left -= bytes
	return nil
}

// full asks the disk now, and says why events would be turned away; nil where they would not.
func (r *room) full() error {
	r.mu.Lock()
	r.mu.asked = time.Time{}
	r.mu.Unlock()
	return r.take(0)
}

// reserve is what stays free on a disk of a size.
func reserve(total uint64) int64 {
	return min(max(int64(total/reservePart), leastReserve), greatestReserve, int64(total/2))
}
