package vfs

import "os"

// PageBytes is what places in a file and in memory have to agree in, modulo it, for WriteUncached to pass the cache by: the size of a page, which every
// block of a disk divides.
const PageBytes = 4 << 10

// leastUncached is from how many bytes on passing the cache by costs less: the disk is waited for in each such call.
const leastUncached = 512 << 10

// uncached is a File that can write past the cache.
type uncached interface {
	writeUncached(p []byte, off int64) (int, error)
}

// WriteUncached is WriteAt for bytes that are written once and hardly ever read. Where the system can, and they are many, they go to the disk straight
// from p, and none of its cache is taken for them, which costs more than all else about such a write. For that, p has to begin at the same place in a
// page of memory as off is in one of the file. They are as durable before Sync, and as easy to read, as by WriteAt.
func WriteUncached(f File, p []byte, off int64) (int, error) {
	if u, ok := f.(uncached); ok && len(p) >= leastUncached {
		return u.writeUncached(p, off)
	}
	return f.WriteAt(p, off)
}

// past is a way past the cache to a file that is open.
type past struct {
	file *os.File
	// none is set where there is no such way.
	none bool
}

// to is the file by that way; nil if there is none.
func (p *past) to(f *os.File) *os.File {
	if p.file == nil && !p.none {
		p.file = openPast(f)
		p.none = p.file == nil
	}
	return p.file
}

// close gives the way up, if there is one.
func (p *past) close() error {
	if p.file == nil {
		return nil
	}
	return p.file.Close()
}

// writeUncached writes whole pages past the cache, and the ends of p, which share pages with what comes before and behind, by way of it.
func (f *realFile) writeUncached(p []byte, off int64) (int, error) {
	first := int(-off & (PageBytes - 1))
	last := first + (len(p)-first)&^(PageBytes-1)
	if last-first < leastUncached || !onPage(p[first:]) || f.past.to(f.File) == nil {
		return f.WriteAt(p, off)
	}
	n := 0
	for _, piece := range [...]struct {
		end   int
		write func([]byte, int64) (int, error)
	}{{first, f.WriteAt}, {last, f.writePast}, {len(p), f.WriteAt}} {
		if n == piece.end {
			continue
		}
		wrote, err := piece.write(p[n:piece.end], off+int64(n))
		if n += wrote; err != nil {
			return n, err
		}
	}
	return n, nil
}

// writePast writes pages past the cache. What the file system does not take that way, which is known only when it is tried, goes the ordinary one, and so
// does all that follows.
func (f *realFile) writePast(p []byte, off int64) (int, error) {
	n, err := f.past.file.WriteAt(p, off)
	if !refusesPast(err) {
		return n, err
	}
	err = f.past.close()
	if f.past = (past{none: true}); err != nil {
		return n, err
	}
	rest, err := f.WriteAt(p[n:], off+int64(n))
	return n + rest, err
}
