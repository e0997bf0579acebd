package exec

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// sortedRun is rows in order: in memory, as a batch and the order of its rows, or on disk.
type sortedRun struct {
	batch  *Batch
	order  []int32
	chunks []spilled
}

// writeRun writes a run in memory to a file.
func (r *run) writeRun(file *spill.File, s sortedRun) ([]spilled, error) {
	rows := r.chunkRows(batchBytes(s.batch), s.batch.Rows)
	var out []spilled
	for at := 0; at < len(s.order); at += rows {
		if err := r.kernel.Err(); err != nil {
			return nil, err
		}
		piece := s.batch.take(s.order[at:min(at+rows, len(s.order))], all(len(s.batch.Columns)))
		written, err := r.append(file, piece.Columns, piece.Rows)
		if err != nil {
			return nil, err
		}
		out = append(out, written)
	}
	return out, nil
}

// merge makes a reader of all rows in order. Where there are more runs on disk than can be merged at once, neighbours are first
// merged into longer ones.
func (o *sortOp) merge(ctx context.Context, runs []sortedRun, memory *reservation) (*mergeReader, error) {
	width := o.mergeWidth()
	for before := -1; onDisk(runs) > width && onDisk(runs) != before; {
		before = onDisk(runs)
		var err error
		if runs, err = o.mergeOnce(ctx, runs, width); err != nil {
			return nil, err
		}
	}
	// Each run on disk has a chunk in memory, as read and as decompressed, and there is one batch of the outcome.
	const copies = 3
	if n := onDisk(runs); n > 0 {
		if err := memory.resize(memory.held + int64(n)*copies*o.run.chunkBytes()); err != nil {
			return nil, err
		}
	}
	return o.newMerge(runs, memory), nil
}

// mergeWidth is how many runs on disk are merged at one time: as many as have room for their chunks in a quarter of the budget.
func (o *sortOp) mergeWidth() int {
	const (
		least    = 4
		greatest = 256
	)
	return int(min(max(o.run.budget.limit/4/(3*o.run.chunkBytes()), least), greatest))
}

func onDisk(runs []sortedRun) int {
	n := 0
	for _, r := range runs {
		if r.batch == nil {
			n++
		}
	}
	return n
}

// mergeOnce merges the runs on disk, width of them at a time, into a new file. Runs keep their order, which decides between equal
// rows: those of each worker are merged among themselves only, which is where its run in memory ends them.
func (o *sortOp) mergeOnce(ctx context.Context, runs []sortedRun, width int) ([]sortedRun, error) {
	file, err := o.run.spillFile()
	if err != nil {
		return nil, err
	}
	var out []sortedRun
	for len(runs) > 0 {
		n := 0
		for n < min(width, len(runs)) && runs[n].batch == nil {
			n++
		}
		if n == 0 {
			out, runs = append(out, runs[0]), runs[1:]
			continue
		}
		merged, err := o.mergeInto(ctx, file, runs[:n])
		if err != nil {
			return nil, err
		}
		out, runs = append(out, merged), runs[n:]
	}
	return out, nil
}

func (o *sortOp) mergeInto(ctx context.Context, file *spill.File, runs []sortedRun) (sortedRun, error) {
	if len(runs) == 1 {
		return runs[0], nil
	}
	in, out := o.newMerge(runs, &reservation{budget: o.run.budget}), sortedRun{}
	in.size = runs[0].chunks[0].chunk.Rows
	err := feed(ctx, in, func(batch *Batch) error {
		written, err := o.run.append(file, batch.Columns, batch.Rows)
		out.chunks = append(out.chunks, written)
		return err
	})
	return out, err
}

// mergeReader merges sorted runs by a tree of losers (D. Knuth, The Art of Computer Programming, volume 3, section 5.4.1): each row
// costs one comparison for each level of the tree.
type mergeReader struct {
	op      *sortOp
	cursors []*mergeCursor
	// losers[0] is the cursor whose row comes next; the others are the losers of the matches at each node.
	losers []int
	left   int64 // rows still to give; negative without a limit
	size   int   // rows of a batch
	memory *reservation
}

// mergeCursor is how far one run has been merged.
type mergeCursor struct {
	run    sortedRun
	batch  *Batch  // the run's, or the chunk that is being merged
	order  []int32 // of batch; nil where the rows lie in order
	at     int     // the next row by order
	rows   int     // of batch that are in order
	done   bool
	taken  []int32 // rows that are part of the batch to be given next
	start  int32   // scratch: where taken lies among the rows of all cursors
	isNull bool    // the first key of the next row
	prefix func(row int) uint64
	head   uint64
	// compare has, for each cursor, the comparisons of this one's keys with its; nil before they are needed.
	compare [][]func(i, j int) int
}

func (o *sortOp) newMerge(runs []sortedRun, memory *reservation) *mergeReader {
	r := &mergeReader{op: o, left: o.node.Limit, size: o.run.engine.options.BatchRows, memory: memory}
	for _, run := range runs {
		r.cursors = append(r.cursors, &mergeCursor{run: run, compare: make([][]func(i, j int) int, len(runs))})
	}
	return r
}

// start brings the first row of every run to its cursor and plays the first matches.
func (r *mergeReader) start() error {
	for i := range r.cursors {
		if err := r.op.run.kernel.Err(); err != nil {
			return err
		}
		if err := r.load(i); err != nil {
			return err
		}
	}
	r.losers = make([]int, len(r.cursors))
	for i := range r.losers {
		r.losers[i] = -1
	}
	for i := range r.cursors {
		r.play(i)
	}
	return nil
}

// load turns to the run's next rows.
func (r *mergeReader) load(i int) error {
	c := r.cursors[i]
	switch {
	case c.batch == nil && c.run.batch != nil:
		c.batch, c.order, c.rows = c.run.batch, c.run.order, len(c.run.order)
	case len(c.run.chunks) > 0:
		batch, err := c.run.chunks[0].read()
		if err != nil {
			return err
		}
		c.batch, c.rows, c.at = batch, batch.Rows, 0
		c.run.chunks = c.run.chunks[1:]
	default:
		c.done, c.batch = true, nil
		return nil
	}
	for k, other := range r.cursors {
		c.compare[k], other.compare[i] = nil, nil
	}
	key := r.op.node.Keys[0]
	if column := c.batch.Columns[r.op.keyAt[0]]; column.DataType().ID() != arrow.NULL {
		c.prefix, _ = prefixOf(column, key.Expr.Type())
	} else {
		c.prefix = func(int) uint64 { return 0 }
	}
	r.look(c)
	return nil
}

// look notes what the next row's first key begins with.
func (r *mergeReader) look(c *mergeCursor) {
	row := c.row()
	if c.isNull = isNull(c.batch.Columns[r.op.keyAt[0]], int(row)); c.isNull {
		return
	}
	if c.head = c.prefix(int(row)); r.op.node.Keys[0].Descending {
		c.head = ^c.head
	}
}

func (c *mergeCursor) row() int32 {
	if c.order == nil {
		return int32(c.at)
	}
	return c.order[c.at]
}

// play lets a cursor's row climb the tree until it loses; the winner of all is losers[0].
func (r *mergeReader) play(i int) {
	for node := (i + len(r.cursors)) / 2; node > 0; node /= 2 {
		if r.losers[node] < 0 { // the first to arrive waits for the other side
			r.losers[node] = i
			return
		}
		if r.before(r.losers[node], i) {
			i, r.losers[node] = r.losers[node], i
		}
	}
	r.losers[0] = i
}

// before reports whether the row of cursor a comes before that of b. Equal rows come in the order of their runs.
func (r *mergeReader) before(a, b int) bool {
	x, y := r.cursors[a], r.cursors[b]
	key := r.op.node.Keys[0]
	switch {
	case x.done || y.done:
		return !x.done || (y.done && a < b)
	case x.isNull != y.isNull:
		return x.isNull == key.NullsFirst
	case !x.isNull && x.head != y.head:
		return x.head < y.head
	}
	if x.compare[b] == nil {
		x.compare[b] = pairComparers(r.op.keysOf(x.batch.Columns), r.op.keysOf(y.batch.Columns), r.op.node.Keys)
	}
	i, j := int(x.row()), int(y.row())
	for _, compare := range x.compare[b] {
		if c := compare(i, j); c != 0 {
			return c < 0
		}
	}
	return a < b
}

// pairComparers makes one comparison of two batches for each key, with its direction and the place of NULLs.
func pairComparers(left, right []arrow.Array, keys []plan.SortKey) []func(i, j int) int {
	out := make([]func(i, j int) int, len(keys))
	for k, key := range keys {
		out[k] = pairComparer(left[k], right[k], key)
	}
	return out
}

func pairComparer(left, right arrow.Array, key plan.SortKey) func(i, j int) int {
	var compare func(i, j int) int
	if left.DataType().ID() != arrow.NULL && right.DataType().ID() != arrow.NULL {
		compare = kernel.Comparer(left, right, key.Expr.Type())
	}
	return func(i, j int) int {
		switch a, b := isNull(left, i), isNull(right, j); {
		case a && b:
			return 0
		case a != b && a == key.NullsFirst:
			return -1
		case a != b:
			return 1
		case key.Descending:
			return -compare(i, j)
		default:
			return compare(i, j)
		}
	}
}

// next merges rows until a batch is full or a chunk is used up, whose memory the next one may take.
func (r *mergeReader) next(ctx context.Context) (*Batch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r.losers == nil && len(r.cursors) > 0 {
		if err := r.start(); err != nil {
			return nil, err
		}
	}
	if len(r.cursors) == 1 {
		return r.only()
	}
	var from []int32 // the cursor of each row
	for len(from) < r.size && r.left != 0 && len(r.cursors) > 0 {
		i := r.losers[0]
		c := r.cursors[i]
		if c.done {
			break
		}
		from = append(from, int32(i))
		c.taken = append(c.taken, c.row())
		r.left--
		if c.at++; c.at < c.rows {
			r.look(c)
			r.play(i)
			continue
		}
		out, err := r.gather(from)
		if err != nil {
			return nil, err
		}
		if err := r.load(i); err != nil {
			return nil, err
		}
		r.play(i)
		return out, nil
	}
	return r.gather(from)
}

func (r *mergeReader) close() {}

// only gives the rows of a single run.
func (r *mergeReader) only() (*Batch, error) {
	c := r.cursors[0]
	if !c.done && c.at == c.rows {
		if err := r.load(0); err != nil {
			return nil, err
		}
	}
	if c.done || r.left == 0 {
		r.memory.release()
		return nil, io.EOF
	}
	n := min(r.size, c.rows-c.at)
	if r.left > 0 {
		n = min(n, int(min(r.left, int64(n))))
		r.left -= int64(n)
	}
	c.at += n
	if c.order == nil {
		return c.batch.slice(c.at-n, c.at), nil
	}
	return c.batch.take(c.order[c.at-n:c.at], all(len(c.batch.Columns))), nil
}

// gather lays the rows that cursors have taken side by side, in the order of from.
func (r *mergeReader) gather(from []int32) (*Batch, error) {
	if len(from) == 0 {
		r.memory.release()
		return nil, io.EOF
	}
	var pieces []*Batch
	start := int32(0)
	for _, c := range r.cursors {
		if len(c.taken) == 0 {
			continue
		}
		pieces = append(pieces, c.batch.take(c.taken, all(len(c.batch.Columns))))
		c.start = start
		start += int32(len(c.taken))
		c.taken = c.taken[:0]
	}
	whole, err := joinBatches(pieces)
	if err != nil || len(pieces) == 1 {
		return whole, err
	}
	rows := make([]int32, len(from))
	for i, cursor := range from {
		c := r.cursors[cursor]
		rows[i] = c.start
		c.start++
	}
	return whole.take(rows, all(len(whole.Columns))), nil
}
