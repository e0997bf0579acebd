package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Program is a compiled expression. It never changes and may be shared by workers.
type Program struct {
	root step
	// columns are the indexes of the columns that the expression reads, ascending.
	columns []int
}

// evalOn computes the expression for some rows, ascending, of a batch that has total.
func (p *Program) evalOn(ctx *Context, columns []arrow.Array, total int, rows []int32) (Operand, error) {
	if len(rows) == total {
		return p.root.eval(ctx, columns, total)
	}
	taken := make([]arrow.Array, len(columns))
	for _, i := range p.columns {
		taken[i] = Take(columns[i], rows)
	}
	return p.root.eval(ctx, taken, len(rows))
}

// step is one compiled node of an expression.
type step interface {
	eval(ctx *Context, columns []arrow.Array, rows int) (Operand, error)
}

// Compile resolves an expression's functions and prepares what depends on its constants alone. A function or cast that does not
// exist, or a constant pattern that cannot be read, is an *event.Error.
func Compile(e plan.Expr) (*Program, error) {
	root, columns, err := compile(e, nil)
	if err != nil {
		return nil, err
	}
	slices.Sort(columns)
	return &Program{root: root, columns: slices.Compact(columns)}, nil
}

// Eval computes the expression over the rows of a batch. columns are those of the plan node's input; the ones that the
// expression does not read may be nil.
func (p *Program) Eval(ctx *Context, columns []arrow.Array, rows int) (Operand, error) {
	return p.root.eval(ctx, columns, rows)
}

// EvalConst computes an expression that reads no columns and gives an array of one value.
func EvalConst(e plan.Expr, ctx *Context) (arrow.Array, error) {
	p, err := Compile(e)
	if err != nil {
		return nil, err
	}
	if len(p.columns) > 0 {
		return nil, event.Errorf(event.CodeInternal, "%s is not constant", e)
	}
	out, err := p.Eval(ctx, nil, 1)
	if err != nil {
		return nil, err
	}
	return Decode(out.Array), nil
}

// compile returns the step for e and appends the columns it reads.
func compile(e plan.Expr, columns []int) (step, []int, error) {
	switch e := e.(type) {
	case *plan.ColumnRef:
		return &columnStep{index: e.Index}, append(columns, e.Index), nil
	case *plan.Literal:
		e.Value.NullN() // an array counts its NULLs when first asked, and notes it: not among the workers that share this one
		return &literalStep{value: Operand{Array: e.Value, Const: true}}, columns, nil
	case *plan.OuterRef:
		return &outerStep{index: e.Index, name: e.Name}, columns, nil
	case *plan.Call:
		return compileCall(e, columns)
	case *plan.Cast:
		input, columns, err := compile(e.Input, columns)
		if err != nil {
			return nil, nil, err
		}
		f, err := castFunc(e.Input.Type(), e.To)
		if err != nil {
			return nil, nil, err
		}
		if e.Try {
			f = trying(f, e.To)
		}
		return newCallStep(f, []step{input}, castsValues(e.Input.Type(), e.To)), columns, nil
	case *plan.Case:
		return compileCase(e, columns)
	default:
		return nil, nil, event.Errorf(event.CodeInternal, "unknown expression %T", e)
	}
}

func compileCall(e *plan.Call, columns []int) (step, []int, error) {
	if input, steps, ok := jsonChain(e); ok {
		inner, columns, err := compile(input, columns)
		return newCallStep(strict(e.Fn.Result, followChain(steps, e.Fn.Name == "->>")), []step{inner}, mayRemember(e.Fn)), columns, err
	}
	f, err := resolve(e)
	if err != nil {
		return nil, nil, err
	}
	switch e.Fn.Name {
	case "and", "or", "coalesce":
		if s, columns, ok, err := compileSet(e, columns); ok || err != nil {
			return s, columns, err
		}
		args, columns, err := programs(e.Args, columns)
		return &lazyStep{fn: f, name: e.Fn.Name, args: args, result: e.Fn.Result}, columns, err
	}
	args := make([]step, len(e.Args))
	for i, a := range e.Args {
		if args[i], columns, err = compile(a, columns); err != nil {
			return nil, nil, err
		}
	}
	return newCallStep(f, args, mayRemember(e.Fn)), columns, nil
}

// programs compiles expressions that may have to run on some rows only, and appends the columns they read.
func programs(exprs []plan.Expr, columns []int) ([]*Program, []int, error) {
	out := make([]*Program, len(exprs))
	for i, e := range exprs {
		p, err := Compile(e)
		if err != nil {
			return nil, nil, err
		}
		out[i], columns = p, append(columns, p.columns...)
	}
	return out, columns, nil
}

// resolve finds a call's function, prepared for those of its arguments that are literals.
func resolve(e *plan.Call) (Func, error) {
	impl := functions[e.Fn.Signature()]
	if impl.prepare != nil {
		k, err := prepare(impl, e.Args)
		if err != nil {
			return nil, err
		}
		if k != nil {
			return strict(e.Fn.Result, k), nil
		}
	}
	f, ok := Lookup(e.Fn)
	if !ok {
		return nil, event.Errorf(event.CodeInternal, "function %s has no implementation", e.Fn.Signature())
	}
	return f, nil
}

func prepare(impl implementation, args []plan.Expr) (kernel, error) {
	constants := make([]arrow.Array, len(args))
	for i, a := range args {
		if literal, ok := a.(*plan.Literal); ok {
			if isNull(literal.Value) {
				return nil, nil
			}
			constants[i] = literal.Value
		}
	}
	return impl.prepare(constants)
}

type columnStep struct{ index int }

func (s *columnStep) eval(_ *Context, columns []arrow.Array, _ int) (Operand, error) {
	return Operand{Array: columns[s.index]}, nil
}

type literalStep struct{ value Operand }

func (s *literalStep) eval(*Context, []arrow.Array, int) (Operand, error) { return s.value, nil }

type callStep struct {
	fn   Func
	args []step
	// alone is the argument that what fn gives is a matter of, value by value; -1 if there is no such.
	alone int
}

func newCallStep(fn Func, args []step, byValue bool) *callStep {
	s := &callStep{fn: fn, args: args, alone: -1}
	if byValue {
		s.alone = onlyVarying(args)
	}
	return s
}

func (s *callStep) eval(ctx *Context, columns []arrow.Array, rows int) (Operand, error) {
	if err := ctx.Err(); err != nil {
		return Operand{}, err
	}
	args := make([]Operand, len(s.args))
	for i, a := range s.args {
		var err error
		if args[i], err = a.eval(ctx, columns, rows); err != nil {
			return Operand{}, err
		}
	}
	if s.alone >= 0 {
		if out, ok := ctx.Memo.over(ctx, s, args, s.alone, rows); ok {
			return out, nil
		}
	}
	return s.fn(ctx, args, rows)
}
