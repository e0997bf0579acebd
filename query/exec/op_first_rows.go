package exec

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// firstRowsOp keeps one row for each combination of values. Every worker keeps those of the rows that it reads; they are merged
// once.
type firstRowsOp struct {
	run   *run
	input operator
	node  *plan.FirstRows
	by    []*kernel.Program
	keys  []*kernel.Program
	types []event.Type // of by
	// lead tells the scan what it need not read, where all rows are one group, and groups where it is known how many there can be or the
	// scan may know which groups a morsel has rows of; otherwise they are nil.
	lead   *lead
	groups *groupLead
	// carried are the columns that the parent reads.
	carried []int
}

func (r *run) newFirstRows(ctx context.Context, n *plan.FirstRows, used []bool) (operator, error) {
	n = withinGroups(n)
	by, err := compileAll(n.By)
	if err != nil {
		return nil, err
	}
	keys, err := compileAll(n.Exprs()[len(n.By):])
	if err != nil {
		return nil, err
	}
	op := &firstRowsOp{run: r, node: n, by: by, keys: keys}
	needed := append([]bool(nil), used...)
	plan.MarkColumns(needed, n.Exprs()...)
	op.types = typesOf(n.By)
	for i, u := range used {
		if u {
			op.carried = append(op.carried, i)
		}
	}
	if op.input, err = r.build(ctx, n.Input, needed); err != nil {
		return nil, err
	}
	if len(n.By) == 0 {
		op.lead = newLead(op.input, n.Keys, 0)
	} else {
		op.groups = leadGroups(op.input, n)
	}
	useBriefly(op.input)
	return op, nil
}

// withinGroups leaves out the keys that are the same in all rows of a group, as DISTINCT ON (a) ORDER BY a, b DESC has them: what tells rows
// apart then comes first, where a scan may be led by it.
func withinGroups(n *plan.FirstRows) *plan.FirstRows {
	out := *n
	out.Keys = nil
	for _, k := range n.Keys {
		if !slices.ContainsFunc(n.By, func(by plan.Expr) bool { return plan.Same(by, k.Expr) }) {
			out.Keys = append(out.Keys, k)
		}
	}
	return &out
}

func (o *firstRowsOp) width() int { return 1 }

func (o *firstRowsOp) open() reader { return &firstRowsReader{op: o} }

// firstRowsReader reads all of the input at the first call of next and then hands out the outcome.
type firstRowsReader struct {
	op     *firstRowsOp
	output reader
}

func (r *firstRowsReader) next(ctx context.Context) (*Batch, error) {
	if r.output == nil {
		var err error
		if r.output, err = r.op.compute(ctx); err != nil {
			return nil, err
		}
	}
	return r.output.next(ctx)
}

func (r *firstRowsReader) close() {}

func (o *firstRowsOp) compute(ctx context.Context) (reader, error) {
	parts, err := drain(ctx, o.input, o.newPart)
	if err != nil {
		return nil, err
	}
	spilled := slices.ContainsFunc(parts, func(p *firstRowsPart) bool { return p.divider != nil })
	total := parts[0]
	for i, p := range parts[1:] {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if spilled = spilled || (o.run.canSpill() && p.table != nil && !total.memory.fits(total.bytes()+p.bytes())); spilled {
			parts = append([]*firstRowsPart{total}, parts[i+1:]...)
			break
		}
		if err := total.merge(p); err != nil {
			return nil, err
		}
	}
	if spilled {
		return o.newPartsReader(parts)
	}
	whole, err := total.kept()
	return &sliceReader{batch: whole, size: o.run.engine.options.BatchRows}, err
}

// firstRowsPart is what one worker keeps.
type firstRowsPart struct {
	op     *firstRowsOp
	table  *groupTable // nil where all rows are one group
	pick   pick
	firsts groupFirsts
	ids    []uint32 // scratch
	memory reservation

	divider *rowDivider // nil before anything was spilled
}

func (o *firstRowsOp) newPart() *firstRowsPart {
	p := &firstRowsPart{op: o, pick: pick{keys: o.node.Keys}, memory: reservation{budget: o.run.budget, operator: "DISTINCT ON"}}
	if len(o.types) > 0 {
		p.table = newGroupTable(o.types)
	}
	return p
}

func (p *firstRowsPart) count() int {
	if p.table == nil {
		return 1
	}
	return p.table.count()
}

func (p *firstRowsPart) consume(batch *Batch) error {
	by, err := p.op.run.evalColumns(p.op.by, batch)
	if err != nil {
		return err
	}
	keys, err := p.op.run.evalColumns(p.op.keys, batch)
	if err != nil {
		return err
	}
	p.ids = resized(p.ids, batch.Rows)
	clear(p.ids)
	if p.table != nil {
		p.table.assign(by, p.ids)
	}
	columns := make([]arrow.Array, 0, len(p.op.carried)+len(keys))
	for _, c := range p.op.carried {
		columns = append(columns, batch.Columns[c])
	}
	if err := p.pick.update(append(columns, keys...), p.ids, p.count(), sequence(batch.Rows)); err != nil {
		return err
	}
	if p.op.lead != nil {
		p.op.lead.reachFirst(keys[0])
	}
	if g := p.op.groups; g != nil && g.follows() && p.firsts.take(g.lead, p.ids, keys[0], p.count()) {
		if err := g.reach(&p.firsts, p.table); err != nil {
			return err
		}
	}
	return p.fit()
}

func (p *firstRowsPart) bytes() int64 {
	total := p.pick.bytes() + int64(4*cap(p.ids))
	if p.table != nil {
		total += p.table.bytes()
	}
	return total
}

func (p *firstRowsPart) merge(o *firstRowsPart) error {
	mapping := []uint32{0}
	if p.table != nil {
		keys, err := o.table.keys()
		if err != nil {
			return err
		}
		mapping = make([]uint32, o.table.count())
		if err := p.op.run.assignAll(p.table, keys, mapping); err != nil {
			return err
		}
	}
	if err := p.pick.merge(&o.pick, mapping, p.count()); err != nil {
		return err
	}
	o.memory.release()
	return p.memory.resize(p.bytes())
}

// kept puts the columns that are carried back to their places. There is a row for each group, except that without keys and
// without input there is none.
func (p *firstRowsPart) kept() (*Batch, error) {
	columns, rows, _, err := p.pick.result(p.count())
	if err != nil {
		return nil, err
	}
	out := &Batch{Columns: make([]arrow.Array, plan.Width(p.op.node)), Rows: len(p.pick.ids)}
	if out.Rows == 0 {
		return out, nil
	}
	for i, c := range p.op.carried {
		out.Columns[c] = kernel.Take(columns[i], rows)
	}
	return out, nil
}
