package record

import (
	"fmt"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// A sync of a file that has grown makes its new size and the place of its new blocks durable, too. So a file whose frames are synced in small
// groups grows by zeroes, many groups ahead: then most syncs have nothing but bytes to see to. See docs/decisions/0007-log-files-grow-ahead.md.
const (
	// aheadGroups is how many groups like the last one the zeroes have room for, so that fewer than one sync in a hundred makes the file grow.
	aheadGroups = 128
	// mostAhead bounds the zeroes: it is what a file takes in vain at most.
	mostAhead = 4 << 20
	// mostGroup is the largest group for which there are any: to write the bytes of a larger one twice takes longer than the growing does. A small one
	// between larger ones has none either, as those would soon use them up.
	mostGroup = 128 << 10
	// aheadBlock rounds the ends of the zeroes to what file systems allocate.
	aheadBlock = 4 << 10
)

var zeroes [64 << 10]byte

// ahead is the space of a file behind its frames.
type ahead struct {
	// limit is where zeroes end at the latest; 0 is none at all.
	limit int64
	// end is where the zeroes end; no further than the frames if there are none.
	end int64
	// group is how large the last group was, in bytes.
	group int
}

// Ahead lets the file grow by zeroes from now on, up to a size with which it is to be complete. Whoever reads it meanwhile has to know where
// the frames end.
func (w *Writer) Ahead(limit int64) { w.ahead.limit = limit }

// zeroAhead makes room for the next groups, if a group of that many bytes has used it up; the next sync makes it durable. Without space on the
// disk, the file goes on as others do.
func (w *Writer) zeroAhead(group int) error {
	before := w.ahead.group
	w.ahead.group = group
	if w.written <= w.ahead.end || max(group, before) > mostGroup {
		return nil
	}
	step := min(max(int64(group)*aheadGroups, w.written), mostAhead)
	end := min((w.written+step+aheadBlock-1)/aheadBlock*aheadBlock, w.ahead.limit)
	for at := w.written; at < end; {
		n, err := w.file.WriteAt(zeroes[:min(end-at, int64(len(zeroes)))], at)
		if vfs.Full(err) {
			w.ahead.limit = 0
			if err := w.cutZeroes(); err != nil {
				return w.fail(err)
			}
			return nil
		}
		if err != nil {
			return w.fail(fmt.Errorf("write %s: %w", w.name, err))
		}
		at += int64(n)
	}
	w.ahead.end = max(end, w.written)
	return nil
}

// flushLast is Flush for what the file ends with.
func (w *Writer) flushLast() error {
	limit := w.ahead.limit
	w.ahead.limit = 0
	err := w.Flush()
	w.ahead.limit = limit
	if err != nil || w.ahead.end <= w.written {
		return err
	}
	if err := w.cutZeroes(); err != nil {
		return w.fail(err)
	}
	return nil
}

// cutZeroes cuts off what lies behind the frames.
func (w *Writer) cutZeroes() error {
	w.ahead.end = 0
	if err := w.file.Truncate(w.written); err != nil {
		return fmt.Errorf("cut %s: %w", w.name, err)
	}
	return nil
}
