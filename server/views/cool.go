package views

import (
	"errors"
	"fmt"
	gc "runtime"

	"github.com/tidemarkdb/tidemark/query/spill"
)

// diskRows are the rows of a chunk in a temporary file. Snapshots share chunks and nobody counts who still reads one, so the file goes when
// the garbage collector finds that nothing refers to it.
type diskRows struct {
	file  *spill.File
	at    spill.Chunk
	count int
}

func (d *diskRows) read() (rows, error) {
	columns, err := d.file.Read(d.at)
	if err != nil {
		return rows{}, fmt.Errorf("read rows of a view: %w", err)
	}
	return rows{columns: columns, count: d.count}, nil
}

// writeRows puts rows on disk.
func writeRows(space *spill.Space, r rows) (*diskRows, error) {
	file, err := space.Create()
	if err != nil {
		return nil, err
	}
	at, err := file.Append(r.columns, r.count)
	if err != nil {
		return nil, fmt.Errorf("write rows of a view: %w", errors.Join(err, file.Close()))
	}
	d := &diskRows{file: file, at: at, count: r.count}
	gc.AddCleanup(d, func(file *spill.File) { _ = file.Close() }, file) // what cannot be removed is at the next start
	return d, nil
}

// cool moves chunks of a good size to the disk, the oldest first, until so many bytes of memory are free. They can be read as before.
func (l *liveRows) cool(space *spill.Space, bytes int64) error {
	for _, s := range l.chunks {
		if bytes <= 0 {
			return nil
		}
		if s.disk != nil || !l.wellFilled(s) {
			continue
		}
		disk, err := writeRows(space, s.rows)
		if err != nil {
			return err
		}
		c := *s.chunk
		c.disk, c.columns = disk, nil
		s.chunk = &c
		l.held -= s.size
		l.stored += disk.at.Stored()
		bytes -= s.size
	}
	return nil
}

// bytes is the memory that the rows take, and what is needed to find them.
func (l *liveRows) bytes() int64 { return l.held + l.index.bytes() + int64(l.dead/8) }
