package continuous

import (
	"errors"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// faults holds the rows that an operator could not compute and that may go again: the ratio of two counts that are still 0, a value
// out of range that a later event replaces. While there is one the answer as a whole is an error, as it would be for the query run over the
// same rows; once all have gone it is as if they had never been. Where rows never go a failure stays one, and there are no faults: the
// zero value says so. Of an input with provisional rows only these can go.
type faults struct {
	rows *bag // nil where rows never go
	calc func(Delta) (Delta, error)
}

// keepsFaults tells whether an operator that computes expressions over an input can have faults.
func keepsFaults(input node, exprs []plan.Expr) bool {
	t := input.traits()
	return (!t.appendOnly || t.provisional) && len(plainColumns(exprs)) < len(exprs)
}

// faultsOver makes the faults of an operator that computes its output by calc, row by row, from an input.
func faultsOver(input node, exprs []plan.Expr, calc func(Delta) (Delta, error)) faults {
	f := faults{calc: calc}
	if keepsFaults(input, exprs) {
		f.rows = newBag(typesOf(input.columns()), false)
	}
	return f
}

// compute gives the output for the rows that can be computed and keeps the others.
func (f *faults) compute(in Delta, parts []Delta) ([]Delta, error) {
	out, err := f.calc(in)
	switch {
	case err == nil:
		return append(parts, out), nil
	case f.rows == nil || !ofTheQuery(err):
		return nil, err
	case in.Rows == 1:
		return parts, f.rows.add(in, []uint32{0})
	}
	half := in.Rows / 2
	if parts, err = f.compute(in.between(0, half), parts); err != nil {
		return nil, err
	}
	return f.compute(in.between(half, in.Rows), parts)
}

// ofTheQuery holds for failures that the query's own values cause.
func ofTheQuery(err error) bool {
	var fault *event.Error
	return errors.As(err, &fault) && fault.Code != event.CodeInternal && fault.Code != event.CodeCancelled
}

// fault is the failure of one of the rows, nil where there is none.
func (f *faults) fault() error {
	if f.rows == nil {
		return nil
	}
	rows := f.rows.all()
	if len(rows) == 0 {
		return nil
	}
	one := Delta{Rows: 1}
	for _, v := range f.rows.vectors {
		one.Columns = append(one.Columns, v.gather(rows[:1]))
	}
	_, err := f.calc(one)
	return err
}

func (f *faults) save(w *stateWriter) error {
	if f.rows == nil {
		return nil
	}
	return f.rows.save(w, []uint32{0})
}

func (f *faults) load(r *stateReader, input node) error {
	into := f.rows
	if into == nil {
		if r.version >= identityVersion || input.traits().appendOnly {
			return nil
		}
		into = newBag(typesOf(input.columns()), false) // earlier versions wrote that there is none
	}
	return into.load(r, arrowTypes(input.columns()), 1)
}

func (f *faults) bytes() int64 {
	if f.rows == nil {
		return 0
	}
	return f.rows.bytes()
}

// between is the rows from one to before another.
func (d *Delta) between(from, to int) Delta {
	rows := make([]int32, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, int32(i))
	}
	return d.take(rows)
}

// Fault is why the answer as it is now cannot be given, nil where it can: a row of it, or of what it is computed from, fails. Steps go
// on; what goes later may take the fault with it.
func (m *Machine) Fault() error {
	for _, op := range m.operators {
		if f, ok := op.(interface{ fault() error }); ok {
			if err := f.fault(); err != nil {
				return err
			}
		}
	}
	return nil
}
