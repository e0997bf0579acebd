package scrub

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// leastRest is the shortest time worth waiting: what is owed beyond it is added up.
const leastRest = 10 * time.Millisecond

// pacedFS reads no faster than a rate, whoever reads. Only the goroutine of the Scrubber uses it.
type pacedFS struct {
	vfs.FS
	ctx   context.Context //nolint:containedctx // the life of the Scrubber, which ends the waits
	rate  int64
	bytes *atomic.Int64
	owed  time.Duration
}

// Open implements vfs.FS.
func (p *pacedFS) Open(name string) (vfs.File, error) {
	file, err := p.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &pacedFile{File: file, fs: p}, nil
}

type pacedFile struct {
	vfs.File
	fs *pacedFS
}

// ReadAt implements io.ReaderAt.
func (f *pacedFile) ReadAt(p []byte, off int64) (int, error) {
	if err := f.fs.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := f.File.ReadAt(p, off)
	f.fs.bytes.Add(int64(n))
	f.fs.rest(n)
	return n, err
}

// rest waits as long as reading so many bytes may take.
func (p *pacedFS) rest(n int) {
	p.owed += time.Duration(float64(n) / float64(p.rate) * float64(time.Second))
	if p.owed < leastRest {
		return
	}
	timer := time.NewTimer(p.owed)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.ctx.Done():
	}
	p.owed = 0
}
