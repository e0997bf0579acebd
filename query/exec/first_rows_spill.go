package exec

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// fit asks for the memory of the rows that are kept, and spills them where there is none.
func (p *firstRowsPart) fit() error {
	if p.table == nil || !p.op.run.canSpill() {
		return p.memory.resize(p.bytes())
	}
	if p.memory.fits(p.bytes()) {
		return nil
	}
	return p.spill()
}

// spill divides the rows that are kept by the values of which there is one each, and begins anew.
func (p *firstRowsPart) spill() error {
	o := p.op
	if p.divider == nil {
		var err error
		if p.divider, err = o.run.newRowDivider(o.byAt(), o.types, 0); err != nil {
			return err
		}
	}
	if err := p.pick.settle(); err != nil {
		return err
	}
	if len(p.pick.batches) > 0 {
		by, err := p.table.keys()
		if err != nil {
			return err
		}
		rows := make([]int32, len(p.pick.ids))
		for i, g := range p.pick.ids {
			rows[i] = int32(g)
		}
		kept := p.pick.batches[0]
		columns := append([]arrow.Array(nil), kept.Columns...)
		for _, b := range by {
			columns = append(columns, kernel.Take(b, rows))
		}
		if err := p.divider.addAll(&Batch{Columns: columns, Rows: kept.Rows}); err != nil {
			return err
		}
	}
	p.table, p.pick, p.firsts = newGroupTable(o.types), pick{keys: o.node.Keys}, groupFirsts{} // their numbers are those of the old table
	return p.memory.resize(0)
}

// byAt is where the values of which there is one row each begin among the columns that are spilled.
func (o *firstRowsOp) byAt() int { return len(o.carried) + len(o.keys) }

// newPartsReader spills what workers still hold and computes part by part.
func (o *firstRowsOp) newPartsReader(parts []*firstRowsPart) (reader, error) {
	dividers := make([]*rowDivider, len(parts))
	for i, p := range parts {
		if err := p.spill(); err != nil {
			return nil, err
		}
		dividers[i] = p.divider
	}
	divided, err := finishRows(dividers)
	return &partsReader{
		run: o.run, parts: divided, first: o.byAt(), types: o.types, newCollector: func() rowCollector { return o.newPart() },
	}, err
}

func (p *firstRowsPart) room(bytes int64, _ int) bool { return p.memory.fits(p.bytes() + 2*bytes) }

func (p *firstRowsPart) insist(bytes int64, _ int) error { return p.memory.resize(p.bytes() + 2*bytes) }

// add takes rows that spill wrote.
func (p *firstRowsPart) add(batch *Batch) error {
	p.ids = resized(p.ids, batch.Rows)
	at := p.op.byAt()
	p.table.assign(batch.Columns[at:], p.ids)
	return p.pick.update(batch.Columns[:at], p.ids, p.count(), sequence(batch.Rows))
}

func (p *firstRowsPart) result(context.Context) (*Batch, error) { return p.kept() }

func (p *firstRowsPart) let() { p.memory.release() }
