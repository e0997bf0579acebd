package segments

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/semaphore"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/members"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

const (
	// DefaultWriteBytes is the share of memory for making files where Options do not say otherwise.
	DefaultWriteBytes = 1 << 30
	// LeastWriteBytes is the least there is: half of it is enough to merge four segments of numbers at a time.
	LeastWriteBytes = 96 << 20

	// fullCodecBytes is what a compressor of the archive layout takes at its best, and leanCodecBytes that of a lean one, measured.
	fullCodecBytes = 72 << 20
	leanCodecBytes = 12 << 20
	// leastGroupRows is the least that rows are gathered for.
	leastGroupRows = 1 << 10
	// orderBytes is what the order of a row takes: its place, twice, and the length of its text.
	orderBytes = 36
	// columnRowBytes is the most that a row takes of the column at hand, text apart: values as they are read and in their order, of up to 16
	// bytes, with codes, the table of a dictionary, and hashes.
	columnRowBytes = 96
	// memberRowBytes is what a row takes, texts apart, of the members of its documents that get columns of their own: they are taken out together.
	memberRowBytes = members.MaxPaths * 33 / 8
	// dictionaryTexts is how often the text of a dictionary is held: in a table, laid out, sorted, as a page, and compressed.
	dictionaryTexts = 5
	// cursorBytes is what a merge holds of a row of an input's page, of the numbers that it is sorted by.
	cursorBytes = fixedSorting * 8
)

// budget says how much of a file that is made is in memory at a time. Its parts: a quarter for rows of a row group, three eighths for
// text, a quarter for pages of the inputs, an eighth for those that are looked at again.
type budget int64

// newBudget divides what is left of memory beside the compressor.
func newBudget(memory int64, codec parquet.Codec) (b budget, lean bool) {
	if codec != parquet.Archive {
		return budget(memory), false
	}
	if memory >= 4*fullCodecBytes {
		return budget(memory - fullCodecBytes), false
	}
	return budget(memory - leanCodecBytes), true
}

// groupRows is how many rows of a schema are written at a time. Bloom filters of all columns, a byte for each row at most, are held until
// the row group ends.
func (b budget) groupRows(schema *event.Schema, withMembers bool) int {
	row := int64(orderBytes + columnRowBytes)
	if withMembers && slices.ContainsFunc(schema.Columns, func(c event.Column) bool { return c.Type.Kind == event.JSONB }) {
		row += memberRowBytes
	}
	for _, c := range schema.All() {
		if parquet.MayHaveFilter(c) {
			row++
		}
	}
	return int(max(int64(b)/4/row, leastGroupRows))
}

// groupText is how much text of a column is written at a time: it is held as it is read and in its order, or as a dictionary.
func (b budget) groupText() int {
	text := int64(b) / 8 * 3
	all := text / (1 + dictionaryTexts)
	beside := (text - dictionaryTexts*parquet.MaxDictionaryText) / 2 // what is more than a dictionary can have is held twice
	return int(min(max(all, beside), parquet.MaxGroupText))
}

// pageText ends pages of long text, which are held four times while they are written.
func (b budget) pageText() int { return min(b.groupText()/4, parquet.MaxPageText) }

// caches are for pages that are looked at twice, and for blocks whose rest the next read wants.
func (b budget) caches() (pages, blocks int64) {
	return min(int64(b)/8, mergeCacheBytes), min(int64(b)/64, mergeBlockBytes)
}

// sealBytes is what sealing rows that take so many bytes needs, at most: no column has more text than all of them.
func sealBytes(schema *event.Schema, rows, bytes int64) int64 {
	const fixed = 1 << 20 // what writes, and compresses
	row := int64(orderBytes + columnRowBytes + len(schema.All()))
	return fixed + rows*row + bytes*(1+dictionaryTexts)
}

// inputs is how many of the readers can be merged at a time, from the first on; two can always. Of each there is a page of every column of the order,
// and one at either end of what is read of a column; and of its pages there are descriptions, as of those made of them.
func (b budget) inputs(readers []*parquet.Reader) int {
	left, n := int64(b)/4, 0
	for _, r := range readers {
		rows, page := r.LargestPage()
		left -= cursorBytes*int64(rows) + int64(2+len(r.Meta().SortBy))*page + 2*r.Bytes()
		if n >= 2 && left < 0 {
			return n
		}
		n++
	}
	return n
}

// layout cuts a file so that what is in memory of it fits.
func (b budget) layout(l parquet.Layout, schema *event.Schema, lean bool) parquet.Layout {
	if l.RowGroupRows == 0 {
		l.RowGroupRows = parquet.DefaultRowGroupRows
	}
	l.RowGroupRows = min(l.RowGroupRows, b.groupRows(schema, l.Members))
	if l.PageRows == 0 {
		l.PageRows = parquet.DefaultPageRows
	}
	l.GroupText, l.PageText, l.Lean = b.groupText(), b.pageText(), lean
	return l
}

// writing is the memory that files are made in: a merge may have half of it, one at a time, and so may any seal, of which several may be under
// way. Whoever gets none yet waits.
type writing struct {
	limit int64
	free  *semaphore.Weighted
	held  atomic.Int64
}

func newWriting(limit int64) *writing {
	return &writing{limit: limit, free: semaphore.NewWeighted(limit)}
}

// most is what one file may have.
func (w *writing) most() int64 { return w.limit / 2 }

// take waits for memory, of which there is at most one share for a file. The caller gives it back.
func (w *writing) take(ctx context.Context, bytes int64) (giveBack func(), err error) {
	bytes = min(bytes, w.most())
	if err := w.free.Acquire(ctx, bytes); err != nil {
		return nil, err
	}
	w.held.Add(bytes)
	return func() {
		w.held.Add(-bytes)
		w.free.Release(bytes)
	}, nil
}

// WriteMemory is what files that are being made may take at this moment, and what all may at most, in bytes.
func (s *Store) WriteMemory() (held, limit int64) { return s.writing.held.Load(), s.writing.limit }
