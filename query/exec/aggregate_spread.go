package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

const (
	// spreadFrom is how many groups a worker's table has when it is looked at whether rows had better be divided: a larger one leaves
	// a core's second-level cache, so that nearly every look-up waits for memory.
	spreadFrom = 64 << 10
	// textWeight is how many times as much memory a group by text takes as one by a number.
	textWeight = 4
	// spreadShare is how many rows for each group there are at most for that: where groups have many rows, holding the rows takes more memory
	// than the groups, and a table that is too large for the cache is still looked up in fewer places.
	spreadShare = 4
)

// spread is the rows that a worker has not grouped but divided. A table of many groups costs a wait for memory for each row, growing it costs
// as much again, and in the end every group has to be looked up in the table of another worker. Rows that are divided first by a hash of
// their keys are grouped part by part in small tables, side by side and once.
type spread struct {
	on     bool // rows are divided from now on
	never  bool // there was no room
	rows   []*divided
	hasher *partHasher // nil before the first rows
	bytes  int64
}

// canSpread reports whether rows can be divided at little cost: there is one set of groups, by keys of a fixed size or text, and what a call
// keeps of a group has a fixed size. A call with a filter may fail on rows that the filter leaves out.
func (o *aggregateOp) canSpread() bool {
	sets := o.node.SetsOfGroups()
	if len(sets) != 1 || len(sets[0]) == 0 {
		return false
	}
	for _, e := range o.node.Groups {
		if kind := e.Type().Kind; kind != event.Text && !fixedSize(kind) {
			return false
		}
	}
	return !slices.ContainsFunc(o.calls, func(c aggregateCall) bool { return c.filter != nil || !c.fixedState() })
}

// fixedSize reports whether all values of a type take the same memory.
func fixedSize(k event.Kind) bool {
	switch k {
	case event.Text, event.JSONB, event.Array, event.Bytea, event.Unknown:
		return false
	default:
		return true
	}
}

// fixedState reports whether a call's state of a group has a fixed size.
func (c *aggregateCall) fixedState() bool {
	if c.node.Distinct || len(c.node.Order) > 0 || len(c.node.Marks) > 0 {
		return false
	}
	inner, ok := kernel.NewAccumulator(c.node.Fn)
	if !ok {
		return false
	}
	state, err := inner.State(nil)
	return err == nil && !slices.ContainsFunc(state, func(column arrow.Array) bool {
		_, fixed := column.DataType().(arrow.FixedWidthDataType)
		return !fixed || column.DataType().ID() == arrow.DICTIONARY
	})
}

// look decides whether the worker divides rows from now on.
func (p *partial) look(rows int) {
	p.rows += rows
	if !p.op.spreads || p.spread.on || p.spread.never {
		return
	}
	engine, groups := p.op.run.engine, p.sets[0].count()
	from := engine.spreadFrom
	if slices.ContainsFunc(p.sets[0].types, func(t event.Type) bool { return t.Kind == event.Text }) {
		from /= textWeight
	}
	p.spread.on = groups >= from && p.rows <= groups*engine.spreadShare
}

// divide keeps the keys and arguments of a batch, part after part.
func (p *partial) divide(keys []arrow.Array, batch *Batch) error {
	columns := slices.Clone(keys)
	for i := range p.op.calls {
		args, err := p.op.run.evalColumns(p.op.calls[i].args, batch)
		if err != nil {
			return err
		}
		columns = append(columns, args...)
	}
	if p.spread.hasher == nil {
		p.spread.hasher = newPartHasher(p.sets[0].types)
	}
	rows, ends, err := divide(p.spread.hasher, keys, batch.Rows)
	if err != nil {
		return err
	}
	for i, c := range columns {
		columns[i] = kernel.Take(c, rows)
	}
	out := &Batch{Columns: columns, Rows: batch.Rows}
	p.spread.rows = append(p.spread.rows, &divided{batch: out, ends: ends})
	p.spread.bytes += batchBytes(out)
	if p.memory.fits(p.bytes()) {
		return nil
	}
	return p.gatherSpread()
}

// gatherSpread groups the rows that were divided after all, since there is no room for them.
func (p *partial) gatherSpread() error {
	rows := p.spread.rows
	p.spread = spread{never: true, bytes: p.spread.bytes}
	for i, d := range rows {
		if err := p.op.run.kernel.Err(); err != nil {
			return err
		}
		rows[i] = nil
		p.spread.bytes -= batchBytes(d.batch)
		if err := p.sets[0].consume(d.batch); err != nil {
			return err
		}
		if err := p.fit(); err != nil {
			return err
		}
	}
	return nil
}

// consume groups rows of keys followed by the arguments of all calls.
func (s *groupSet) consume(batch *Batch) error {
	s.ids = resized(s.ids, batch.Rows)
	s.table.assign(batch.Columns[:len(s.types)], s.ids)
	rest := batch.Columns[len(s.types):]
	for i := range s.op.calls {
		args := make([]kernel.Operand, len(s.op.calls[i].args))
		for j := range args {
			args[j].Array = rest[j]
		}
		if err := s.accumulators[i].Update(s.groups(), args, batch.Rows); err != nil {
			return err
		}
		rest = rest[len(args):]
	}
	return nil
}
