package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// caseStep computes each branch only for the rows that take it, so that a branch can guard another against its errors.
type caseStep struct {
	conditions []*Program
	// branches holds a program for each condition, then one for ELSE, which may be nil for NULL.
	branches []*Program
	result   event.Type
}

func compileCase(e *plan.Case, columns []int) (step, []int, error) {
	conditions, branches := make([]plan.Expr, len(e.Whens)), make([]plan.Expr, len(e.Whens))
	for i, w := range e.Whens {
		conditions[i], branches[i] = w.Condition, w.Then
	}
	if e.Else != nil {
		branches = append(branches, e.Else)
	}
	s := &caseStep{result: e.Typ}
	var err error
	if s.conditions, columns, err = programs(conditions, columns); err != nil {
		return nil, nil, err
	}
	if s.branches, columns, err = programs(branches, columns); err != nil {
		return nil, nil, err
	}
	if e.Else == nil {
		s.branches = append(s.branches, nil)
	}
	return s, columns, nil
}

func (s *caseStep) eval(ctx *Context, columns []arrow.Array, rows int) (Operand, error) {
	out := newMerge(rows)
	rest := sequence(rows)
	for i, condition := range s.conditions {
		if len(rest) == 0 {
			break
		}
		met, err := condition.evalOn(ctx, columns, rows, rest)
		if err != nil {
			return Operand{}, err
		}
		taken, others := split(rest, met)
		if err := s.branch(ctx, out, i, columns, taken); err != nil {
			return Operand{}, err
		}
		rest = others
	}
	if err := s.branch(ctx, out, len(s.branches)-1, columns, rest); err != nil {
		return Operand{}, err
	}
	return out.finish(s.result)
}

func (s *caseStep) branch(ctx *Context, out *merge, i int, columns []arrow.Array, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	value := null(s.result)
	if p := s.branches[i]; p != nil {
		var err error
		if value, err = p.evalOn(ctx, columns, len(out.index), rows); err != nil {
			return err
		}
	}
	out.add(value, rows)
	return nil
}

// sequence is 0, 1, 2 and so on.
func sequence(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// split parts rows by whether the condition computed for them is true.
func split(rows []int32, condition Operand) (met, others []int32) {
	if condition.Const {
		if len(True(condition, 1, nil)) == 1 {
			return rows, nil
		}
		return nil, rows
	}
	chosen := True(condition, len(rows), nil)
	met, others = make([]int32, 0, len(chosen)), make([]int32, 0, len(rows)-len(chosen))
	next := 0
	for i, row := range rows {
		if next < len(chosen) && chosen[next] == int32(i) {
			met, next = append(met, row), next+1
		} else {
			others = append(others, row)
		}
	}
	return met, others
}
