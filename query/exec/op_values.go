package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// valuesOp gives rows that were written out in the query. They are computed when the plan is built.
type valuesOp struct {
	batch Batch
	size  int
}

func (r *run) newValues(n *plan.Values) (operator, error) {
	op := &valuesOp{batch: Batch{Rows: len(n.Rows)}, size: r.engine.options.BatchRows}
	memory := reservation{budget: r.budget, operator: "VALUES"}
	var held int64
	for i, c := range n.Cols {
		column, err := r.writtenColumn(n.Rows, i, c.Type)
		if err != nil {
			return nil, err
		}
		op.batch.Columns = append(op.batch.Columns, column)
		held += arrayBytes(column)
		if err := memory.resize(held); err != nil {
			return nil, err
		}
	}
	return op, nil
}

// writtenColumn computes column i of all rows.
func (r *run) writtenColumn(rows [][]plan.Expr, i int, t event.Type) (arrow.Array, error) {
	if len(rows) == 0 {
		return event.NewNulls(t, 0), nil
	}
	cells := make([]arrow.Array, len(rows))
	for j, row := range rows {
		cell, err := r.constant(row[i])
		if err != nil {
			return nil, err
		}
		if cell.DataType().ID() == arrow.NULL {
			cell = event.NewNulls(t, 1)
		}
		cells[j] = cell
	}
	return kernel.Concat(cells)
}

// constant computes an expression that reads no columns; a literal, by far the most frequent, is its own value.
func (r *run) constant(e plan.Expr) (arrow.Array, error) {
	if literal, ok := e.(*plan.Literal); ok {
		return literal.Value, nil
	}
	return kernel.EvalConst(e, r.kernel)
}

func (o *valuesOp) width() int { return 1 }

func (o *valuesOp) open() reader { return &sliceReader{batch: &o.batch, size: o.size} }
