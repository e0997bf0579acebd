package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// partial is what one worker has aggregated.
type partial struct {
	op     *aggregateOp
	sets   []*groupSet
	kept   []int32 // scratch: the rows that a FILTER keeps
	memory reservation
	rows   int // grouped so far
	spread spread
	latest latestBuckets

	file    *spill.File     // nil before anything was spilled
	spilled []spilledGroups // by set
}

func (o *aggregateOp) newPartial() *partial {
	p := &partial{op: o, memory: reservation{budget: o.run.budget, operator: "GROUP BY"}}
	for _, columns := range o.node.SetsOfGroups() {
		p.sets = append(p.sets, o.newGroupSet(columns))
	}
	return p
}

func (p *partial) consume(batch *Batch) error {
	keys, err := p.op.run.evalColumns(p.op.groups, batch)
	if err != nil {
		return err
	}
	if l := p.op.buckets; l != nil {
		p.latest.take(l, keys[l.group])
	}
	if p.spread.on {
		return p.divide(keys, batch)
	}
	for _, s := range p.sets {
		s.assign(keys, batch.Rows)
	}
	for i := range p.op.calls {
		if err := p.update(i, batch); err != nil {
			return err
		}
	}
	p.look(batch.Rows)
	return p.fit()
}

// update gives call i the batch's rows.
func (p *partial) update(i int, batch *Batch) error {
	call, r := &p.op.calls[i], p.op.run
	if call.node.Fn == plan.GroupingFunction {
		return nil
	}
	filtered := false
	if call.filter != nil {
		condition, err := call.filter.Eval(r.kernel, batch.Columns, batch.Rows)
		if err != nil {
			return err
		}
		p.kept = kernel.True(condition, batch.Rows, p.kept[:0])
		if filtered = len(p.kept) < batch.Rows; filtered {
			batch = batch.take(p.kept, call.reads)
		}
	}
	args := make([]kernel.Operand, len(call.args))
	for j, program := range call.args {
		var err error
		if args[j], err = program.Eval(r.kernel, batch.Columns, batch.Rows); err != nil {
			return err
		}
	}
	for _, s := range p.sets {
		groups := s.groups()
		if filtered {
			groups.IDs = s.idsOf(p.kept)
		}
		if err := s.accumulators[i].Update(groups, args, batch.Rows); err != nil {
			return err
		}
	}
	return nil
}

// merge adds another worker's groups.
func (p *partial) merge(o *partial) error {
	for i, s := range p.sets {
		if err := s.merge(o.sets[i]); err != nil {
			return err
		}
	}
	o.memory.release()
	return p.memory.resize(p.bytes())
}

func (p *partial) bytes() int64 {
	total := p.spread.bytes
	for _, s := range p.sets {
		total += s.bytes()
	}
	return total
}

// result lays the groups of all sets end to end.
func (p *partial) result() (*Batch, error) {
	batches := make([]*Batch, len(p.sets))
	for i, s := range p.sets {
		var err error
		if batches[i], err = s.result(); err != nil {
			return nil, err
		}
	}
	if len(batches) == 1 {
		return batches[0], nil
	}
	return joinBatches(batches)
}

// groupSet is the groups by some of the keys, and what was computed of each.
type groupSet struct {
	op           *aggregateOp
	columns      []int        // the keys, by index into the plan's groups
	types        []event.Type // of the keys
	table        *groupTable  // nil where there are no keys
	accumulators []kernel.Accumulator
	ids          []uint32 // scratch: the groups of a batch's rows
	keptIDs      []uint32 // scratch: those of the rows that a FILTER keeps
}

func (o *aggregateOp) newGroupSet(columns []int) *groupSet {
	s := &groupSet{op: o, columns: columns}
	for _, c := range columns {
		s.types = append(s.types, o.node.Groups[c].Type())
	}
	if len(s.types) > 0 {
		s.table = newGroupTable(s.types)
	}
	for i := range o.calls {
		s.accumulators = append(s.accumulators, o.newAccumulator(s, i))
	}
	return s
}

// newAccumulator makes what computes call i for a set.
func (o *aggregateOp) newAccumulator(s *groupSet, i int) kernel.Accumulator {
	call := &o.calls[i]
	if call.node.Fn == plan.GroupingFunction {
		return &groupingMark{value: s.mark(call.node.Marks)}
	}
	return call.newAccumulator(o.run.kernel)
}

// mark is what grouping() gives for groups, by index into the plan's.
func (s *groupSet) mark(groups []int) int64 {
	var bits int64
	for _, g := range groups {
		bits <<= 1
		if !slices.Contains(s.columns, g) {
			bits |= 1
		}
	}
	return bits
}

// count is the number of groups so far. Without keys there is always one.
func (s *groupSet) count() int {
	if s.table == nil {
		return 1
	}
	return s.table.count()
}

// assign finds the group of each row. keys are those of the plan.
func (s *groupSet) assign(keys []arrow.Array, rows int) {
	if s.table == nil {
		return
	}
	own := make([]arrow.Array, len(s.columns))
	for i, c := range s.columns {
		own[i] = keys[c]
	}
	s.ids = resized(s.ids, rows)
	s.table.assign(own, s.ids)
}

// groups are those of the batch assigned last.
func (s *groupSet) groups() kernel.Groups {
	if s.table == nil {
		return kernel.Groups{Count: 1}
	}
	return kernel.Groups{IDs: s.ids, Count: s.table.count()}
}

func (s *groupSet) idsOf(rows []int32) []uint32 {
	if s.table == nil {
		return nil
	}
	s.keptIDs = resized(s.keptIDs, len(rows))
	for i, row := range rows {
		s.keptIDs[i] = s.ids[row]
	}
	return s.keptIDs
}

// merge looks the keys of another worker's groups up as if they were rows.
func (s *groupSet) merge(o *groupSet) error {
	mapping := []uint32{0}
	if s.table != nil {
		mapping = make([]uint32, o.table.count())
		keys, err := o.table.keys()
		if err != nil {
			return err
		}
		if err := s.op.run.assignAll(s.table, keys, mapping); err != nil {
			return err
		}
	}
	for i, a := range s.accumulators {
		if err := s.op.run.kernel.Err(); err != nil {
			return err
		}
		if err := a.Merge(o.accumulators[i], mapping, s.count()); err != nil {
			return err
		}
	}
	return nil
}

func (s *groupSet) bytes() int64 {
	var total int64
	if s.table != nil {
		total = s.table.bytes()
	}
	for _, a := range s.accumulators {
		total += a.Bytes()
	}
	return total
}

// assignAll finds the groups of more rows than a batch has, some at a time.
func (r *run) assignAll(table *groupTable, keys []arrow.Array, ids []uint32) error {
	for from := 0; from < len(ids); from += r.engine.options.BatchRows {
		if err := r.kernel.Err(); err != nil {
			return err
		}
		to := min(from+r.engine.options.BatchRows, len(ids))
		piece := (&Batch{Columns: keys}).slice(from, to)
		table.assign(piece.Columns, ids[from:to])
	}
	return nil
}

// result lays the plan's groups, NULL where they are not keys of the set, and the aggregates side by side.
func (s *groupSet) result() (*Batch, error) {
	out := &Batch{Rows: s.count()}
	for _, e := range s.op.node.Groups {
		out.Columns = append(out.Columns, nil)
		if len(s.columns) < len(s.op.node.Groups) {
			out.Columns[len(out.Columns)-1] = event.NewNulls(e.Type(), out.Rows)
		}
	}
	if s.table != nil {
		keys, err := s.table.keys()
		if err != nil {
			return nil, err
		}
		for i, c := range s.columns {
			out.Columns[c] = keys[i]
		}
	}
	for _, a := range s.accumulators {
		if err := s.op.run.kernel.Err(); err != nil {
			return nil, err
		}
		column, err := a.Result(out.Rows)
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, column)
	}
	return out, nil
}
