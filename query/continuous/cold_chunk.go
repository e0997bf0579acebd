package continuous

import (
	"sort"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// coldChunk is rows of one part, in the order of their hashes.
type coldChunk struct {
	hashes []uint32
	gone   event.Bitmap
	alive  int
	file   *coldFile
	at     spill.Chunk
	// last is the latest time of its rows, waits the earliest of those that wait for it.
	last, waits int64
}

// find gives the rows that are left of hashes in ascending order.
func (c *coldChunk) find(hashes []uint32) []int32 {
	if c.alive == 0 {
		return nil
	}
	var out []int32
	at := 0
	for _, h := range hashes {
		at += sort.Search(len(c.hashes)-at, func(i int) bool { return c.hashes[at+i] >= h })
		for ; at < len(c.hashes) && c.hashes[at] == h; at++ {
			if !c.gone.Valid(at) {
				out = append(out, int32(at))
			}
		}
	}
	return out
}

// left lists the rows that were not taken out.
func (c *coldChunk) left() []int32 {
	out := make([]int32, 0, c.alive)
	for i := range c.hashes {
		if !c.gone.Valid(i) {
			out = append(out, int32(i))
		}
	}
	return out
}

func (c *coldChunk) read(rows []int32) ([]arrow.Array, error) {
	columns, err := c.file.Read(c.at)
	if err != nil || len(rows) == len(c.hashes) {
		return columns, err
	}
	for i, column := range columns {
		columns[i] = kernel.Take(column, rows)
	}
	return columns, nil
}

// coldFile is a file and how many need it: the store, and states that were taken down and are not written yet.
type coldFile struct {
	*spill.File
	users atomic.Int64
	size  int64
}

func (f *coldFile) release() error {
	if f.users.Add(-1) > 0 {
		return nil
	}
	return f.Close()
}
