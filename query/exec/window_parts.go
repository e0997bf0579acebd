package exec

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowBuckets is the most parts of a window.
const windowBuckets = 1 << 8

// windowParts is all rows of a window, in memory, in parts of whole partitions. Readers take one part after another, side by side, and
// compute it by itself, so that only the parts in work take more memory than their rows.
type windowParts struct {
	op    *windowOp
	whole *Batch
	rows  []int32 // of whole, part after part; nil where the parts lie in it as they are
	parts []windowPart
	// working is held by readers while they compute, and by one alone that had no room beside others.
	working sync.RWMutex

	mu struct {
		sync.Mutex
		next int // the first part that nobody has taken
		left int // parts that are not done with
		// held is the memory of the rows, spare what was set aside for computing and is not lent to a reader.
		held, spare reservation
	}
}

// partRows is about how many rows are arranged and computed together: few enough to stay in a cache, many enough that what a part costs
// beside its rows does not tell. A partition is never divided.
func (o *windowOp) partRows() int { return 2 * o.run.engine.options.BatchRows }

// windowPart is a stretch of rows. Those that lie in order already know where their partitions start, the end included.
type windowPart struct {
	from, to int32
	starts   []int32
}

// newParts divides what workers have collected.
func (o *windowOp) newParts(ctx context.Context, buffers []*windowBuffer) (*windowParts, error) {
	all := buffers[0]
	for _, b := range buffers[1:] {
		all.absorb(b)
	}
	if !o.arranged {
		all.lineUp()
	}
	p, err := o.joinRows(ctx, all)
	if err != nil {
		return nil, err
	}
	switch {
	case all.rows == 0:
	case o.arranged:
		p.cut(o.runStarts(p.whole))
	case all.rows < 2*o.partRows() || len(all.buckets) == 0:
		p.parts = []windowPart{{to: int32(all.rows)}}
	default:
		p.scatter(slices.Concat(all.buckets...))
	}
	p.mu.left = len(p.parts)
	p.mu.held, p.mu.spare = all.memory, reservation{budget: all.memory.budget, operator: all.memory.operator}
	p.mu.held.held = min(p.mu.held.held, all.size+placeBytes*int64(all.rows))
	p.mu.spare.held = all.memory.held - p.mu.held.held
	return p, nil
}

// joinRows lays collected rows end to end, in no parts yet.
func (o *windowOp) joinRows(ctx context.Context, b *windowBuffer) (*windowParts, error) {
	p := &windowParts{op: o, whole: &Batch{}}
	if b.rows == 0 {
		return p, nil
	}
	var err error
	p.whole, err = joinColumns(ctx, b.batches, o.run.engine.options.Workers)
	b.batches = nil
	return p, err
}

// joinColumns is joinBatches with some columns at a time. The batches lose theirs.
func joinColumns(ctx context.Context, batches []*Batch, workers int) (*Batch, error) {
	out := &Batch{Columns: make([]arrow.Array, len(batches[0].Columns))}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(workers)
	for _, b := range batches {
		out.Rows += b.Rows
	}
	for i := range out.Columns {
		column := make([]*Batch, len(batches))
		for j, b := range batches {
			column[j] = (&Batch{Columns: b.Columns[i : i+1], Rows: b.Rows}).slice(0, b.Rows) // one array may be two columns
			b.Columns[i] = nil
		}
		group.Go(func() error {
			return guard(func() error {
				if err := ctx.Err(); err != nil {
					return err
				}
				joined, err := joinBatches(column)
				if err != nil {
					return err
				}
				out.Columns[i] = joined.Columns[0]
				return nil
			})
		})
	}
	return out, group.Wait()
}

// scatter makes parts of the rows whose buckets are neighbours.
func (p *windowParts) scatter(buckets []uint8) {
	parts := windowBuckets
	for parts > 1 && len(buckets)/parts < p.op.partRows() {
		parts /= 2
	}
	ends := make([]int32, parts)
	each := windowBuckets / parts
	for _, b := range buckets {
		ends[int(b)/each]++
	}
	next, end := make([]int32, parts), int32(0)
	for i, n := range ends {
		next[i] = end
		end += n
		if n > 0 {
			p.parts = append(p.parts, windowPart{from: next[i], to: end})
		}
	}
	p.rows = make([]int32, len(buckets))
	for row, b := range buckets {
		at := &next[int(b)/each]
		p.rows[*at] = int32(row)
		*at++
	}
}

// cut makes parts of rows that lie in order, of which starts says where each partition starts and the last one ends.
func (p *windowParts) cut(starts []int32) {
	first := 0
	for i := 1; i < len(starts); i++ {
		if from := starts[first]; int(starts[i]-from) >= p.op.partRows() || i == len(starts)-1 {
			part := windowPart{from: from, to: starts[i]}
			for _, start := range starts[first : i+1] {
				part.starts = append(part.starts, start-from)
			}
			p.parts = append(p.parts, part)
			first = i
		}
	}
}

// runStarts is where the partitions of arranged rows start, the end included.
func (o *windowOp) runStarts(whole *Batch) []int32 {
	partition, _ := o.split(whole.Columns)
	keys := make([]plan.SortKey, len(partition))
	for i, e := range o.node.Partition {
		keys[i].Expr = e
	}
	compare, starts := comparers(partition, keys), []int32{0}
	for i := 1; i < whole.Rows; i++ {
		for _, c := range compare {
			if c(i-1, i) != 0 {
				starts = append(starts, int32(i))
				break
			}
		}
	}
	return append(starts, int32(whole.Rows))
}

// take gives a part that nobody has taken, and false when there is none.
func (p *windowParts) take() (windowPart, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.next == len(p.parts) {
		return windowPart{}, false
	}
	p.mu.next++
	return p.parts[p.mu.next-1], true
}

// compute computes all calls over a part, in memory that the caller gives back by done. Where there is no room beside other readers' parts
// it waits for them.
func (p *windowParts) compute(ctx context.Context, part windowPart, memory *reservation) (*Batch, error) {
	p.working.RLock()
	out, err := p.op.computePart(ctx, p, part, memory)
	p.working.RUnlock()
	if failure := (*event.Error)(nil); !errors.As(err, &failure) || failure.Code != event.CodeMemoryLimit {
		return out, err
	}
	p.giveBack(memory)
	p.working.Lock()
	defer p.working.Unlock()
	return p.op.computePart(ctx, p, part, memory)
}

// lend brings memory to bytes at least, at first out of what was set aside.
func (p *windowParts) lend(memory *reservation, bytes int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	lent := max(0, min(p.mu.spare.held, bytes-memory.held))
	p.mu.spare.held -= lent
	memory.held += lent
	return memory.resize(max(bytes, memory.held))
}

func (p *windowParts) giveBack(memory *reservation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.spare.held += memory.held
	memory.held = 0
}

// done takes back the memory of a part whose outcome has been read. After the last one nothing is held.
func (p *windowParts) done(memory *reservation) {
	p.giveBack(memory)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.left--; p.mu.left == 0 {
		p.whole, p.rows = nil, nil
		p.mu.held.release()
		p.mu.spare.release()
	}
}
