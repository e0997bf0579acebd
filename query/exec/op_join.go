package exec

import (
	"context"
	"slices"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// joinOp pairs rows: it reads one input, the build side, into memory, grouped by the keys that the conditions equate, and then
// looks up each row of the other, the probe side. Of a group it takes the rows that up to three comparisons by order leave, which it finds
// by halving. Other conditions are computed for the pairs that keys and ranges leave; without either those are all pairs. The first
// reader that is asked builds for all.
type joinOp struct {
	run         *run
	node        *plan.Join
	left, right operator
	probe       operator
	build       operator
	buildIsLeft bool
	columns     []plan.Column // of both sides
	leftWidth   int
	used        []bool      // of the output
	reads       []bool      // the columns of both sides that the output or a condition reads
	probeExprs  []plan.Expr // the keys of the probe side, over the columns of both
	probeKeys   []*kernel.Program
	buildKeys   []*kernel.Program
	keyTypes    []event.Type
	ranges      *joinRanges     // nil where no condition compares by order
	whole       residual        // the conditions that are no keys
	rest        residual        // those of them that ranges does not answer
	test        *kernel.Program // nil but for a mark join with a test
	byMember    bool            // the test is the last key
	runtime     []keyFilter

	once  sync.Once
	built *joinBuild
	err   error // of building
}

func (r *run) newJoin(ctx context.Context, n *plan.Join, used []bool) (operator, error) {
	left, right := n.Left.Columns(), n.Right.Columns()
	o := &joinOp{run: r, node: n, leftWidth: len(left), used: used}
	o.columns = append(append(o.columns, left...), right...)
	if err := o.buildInputs(ctx); err != nil {
		return nil, err
	}
	o.chooseSides()
	if err := o.compileConditions(); err != nil {
		return nil, err
	}
	if n.Kind != plan.MarkJoin && !o.pads(!o.buildIsLeft) {
		o.narrowProbe()
	}
	return o, nil
}

// buildInputs builds both sides with the columns that the output or a condition reads.
func (o *joinOp) buildInputs(ctx context.Context) error {
	needed := o.needed()
	o.reads = needed
	var err error
	if o.left, err = o.run.build(ctx, o.node.Left, needed[:o.leftWidth]); err != nil {
		return err
	}
	o.right, err = o.run.build(ctx, o.node.Right, needed[o.leftWidth:])
	return err
}

// needed marks the columns of both sides that the output or a condition reads.
func (o *joinOp) needed() []bool {
	needed := make([]bool, len(o.columns))
	if o.node.Kind == plan.MarkJoin {
		copy(needed[:o.leftWidth], o.used)
	} else {
		copy(needed, o.used)
	}
	plan.MarkColumns(needed, o.node.On...)
	if o.node.Test != nil {
		plan.MarkColumns(needed, o.node.Test)
	}
	return needed
}

// chooseSides builds on the side with fewer rows. Only the rows of the probe side come out as they are, so kinds of join that
// give each row of Left once always probe with it, and those that keep unpaired rows of one side probe with that one
// unless it is much smaller: keeping those of the build side takes a single reader.
func (o *joinOp) chooseSides() {
	const much = 8
	left, right := estimateRows(o.left), estimateRows(o.right)
	switch o.node.Kind {
	case plan.SingleJoin, plan.MarkJoin:
	case plan.LeftJoin:
		o.buildIsLeft = left < right/much
	case plan.RightJoin:
		o.buildIsLeft = left/much <= right
	default:
		o.buildIsLeft = left < right
	}
	o.probe, o.build = o.left, o.right
	if o.buildIsLeft {
		o.probe, o.build = o.right, o.left
	}
}

// pads tells whether unpaired rows of a side come out.
func (o *joinOp) pads(left bool) bool {
	switch o.node.Kind {
	case plan.FullJoin:
		return true
	case plan.LeftJoin, plan.SingleJoin:
		return left
	case plan.RightJoin:
		return !left
	default:
		return false
	}
}

// residual is conditions that pairs are tested by.
type residual struct {
	conditions []*kernel.Program // over the columns of both sides
	reads      []bool            // the columns that the conditions and the test of a mark join read
}

// compileConditions parts the conditions into keys, ranges and the rest.
func (o *joinOp) compileConditions() error {
	parts := plan.PartConditions(o.node.On, o.leftWidth)
	equalities := parts.Keys
	if o.node.Test != nil && len(parts.Ranges)+len(parts.Rest) == 0 {
		if o.byMember = plan.IsTestKey(o.node.Test, o.leftWidth); o.byMember {
			equalities = slices.Concat(equalities, []plan.Expr{o.node.Test})
		}
	}
	var leftKeys, rightKeys []plan.Expr
	for _, e := range equalities {
		l, r, _ := plan.SplitLookup(e, o.leftWidth)
		leftKeys, rightKeys = append(leftKeys, l), append(rightKeys, r)
		o.keyTypes = append(o.keyTypes, l.Type())
	}
	probe, build := leftKeys, rightKeys
	if o.buildIsLeft {
		probe, build = rightKeys, leftKeys
	}
	o.probeExprs = probe
	var err error
	if o.probeKeys, err = compileAll(probe); err != nil {
		return err
	}
	if o.buildKeys, err = compileAll(build); err != nil {
		return err
	}
	if o.ranges, err = o.newRanges(parts.Ranges); err != nil {
		return err
	}
	return o.compileRest(parts)
}

// compileRest compiles the conditions that are no keys, and the test.
func (o *joinOp) compileRest(parts plan.JoinConditions) error {
	var whole, rest []plan.Expr
	for _, e := range o.node.On {
		if slices.Contains(parts.Keys, e) {
			continue
		}
		whole = append(whole, e)
		if !o.ranges.answers(e) {
			rest = append(rest, e)
		}
	}
	var err error
	if o.whole, err = o.newResidual(whole); err != nil {
		return err
	}
	if o.rest, err = o.newResidual(rest); err != nil {
		return err
	}
	if o.node.Test != nil {
		o.test, err = kernel.Compile(o.node.Test)
	}
	return err
}

func (o *joinOp) newResidual(conditions []plan.Expr) (residual, error) {
	out := residual{reads: make([]bool, len(o.columns))}
	plan.MarkColumns(out.reads, conditions...)
	if o.node.Test != nil {
		plan.MarkColumns(out.reads, o.node.Test)
	}
	var err error
	out.conditions, err = compileAll(conditions)
	return out, err
}

// buildAt is where the build side's columns begin among those of both; probeAt likewise.
func (o *joinOp) buildAt() int {
	if o.buildIsLeft {
		return 0
	}
	return o.leftWidth
}

func (o *joinOp) probeAt() int { return o.leftWidth - o.buildAt() }

func (o *joinOp) buildWidth() int {
	if o.buildIsLeft {
		return o.leftWidth
	}
	return len(o.columns) - o.leftWidth
}

// width is that of the probe side, or 1 where somebody has to know that all pairs have been found.
func (o *joinOp) width() int {
	if o.pads(o.buildIsLeft) {
		return 1
	}
	return o.probe.width()
}

func (o *joinOp) open() reader {
	input := o.probe.open
	if o.width() == 1 {
		input = func() reader { return gather(o.probe) }
	}
	r := &joinReader{op: o, input: input()}
	r.load = r.probe
	return r
}

// ready is the build side, made at the first call.
func (o *joinOp) ready(ctx context.Context) (*joinBuild, error) {
	o.once.Do(func() {
		o.err = guard(func() (err error) {
			o.built, err = o.buildSide(ctx)
			return err
		})
	})
	return o.built, o.err
}
