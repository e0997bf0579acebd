package continuous

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// joinNode pairs the rows of two inputs. It keeps both sides under the keys that the conditions equate, and pairs what a step brings on
// one side with what there is on the other. For rows that come out without a pair too, it counts the pairs of each.
type joinNode struct {
	base
	kind     plan.JoinKind
	of       *plan.Join
	keys     [2][]*kernel.Program // over the columns of the side
	keyTypes []event.Type
	near     []timeGap         // conditions on how far times are apart
	rest     []*kernel.Program // the other conditions, over the columns of both
	reads    []bool            // the columns that rest reads
	gaps     []timeGap
	expiry   [2]expiry
	// spill is where keys may go that memory has no room for, nil for nowhere.
	spill *spill.Space
}

// The sides of a join.
const (
	leftSide  = 0
	rightSide = 1
)

// compileJoin makes the operator of a join.
func (c *compiler) compileJoin(n *plan.Join) (node, error) {
	ins, err := c.compileSoFar(n.Inputs()...)
	if err != nil {
		return nil, err
	}
	width := plan.Width(n.Left)
	keys, rest := joinKeys(n.On, width)
	gaps := timeGaps(n.On, width)
	left, right := ins[leftSide].traits(), ins[rightSide].traits()
	if n.Test != nil || n.Kind == plan.SingleJoin {
		out, err := c.recompute(n, ins, [][]plan.Expr{keys[leftSide], keys[rightSide]})
		if err != nil {
			return nil, err
		}
		out.tr = joinTraits(n.Kind, gaps, left, right, width)
		return out, c.boundedRecompute(out, n)
	}
	out := &joinNode{base: base{cols: n.Columns(), ins: ins, tr: joinTraits(n.Kind, gaps, left, right, width)}, kind: n.Kind, of: n, gaps: gaps}
	out.spill = c.options.Spill
	for side := range out.keys {
		if out.keys[side], err = compileExprs(keys[side]); err != nil {
			return nil, err
		}
	}
	for _, e := range keys[leftSide] {
		out.keyTypes = append(out.keyTypes, e.Type())
	}
	rest = slices.DeleteFunc(rest, func(e plan.Expr) bool {
		g, ok := timeGapOf(e, width)
		if ok {
			out.near = withGap(out.near, g)
		}
		return ok
	})
	if out.rest, err = compileExprs(rest); err != nil {
		return nil, err
	}
	out.reads = make([]bool, width+len(ins[rightSide].columns()))
	plan.MarkColumns(out.reads, rest...)
	out.expiry[leftSide], out.expiry[rightSide] = joinExpiry(gaps, left, right)
	for side, e := range out.expiry {
		if e.column < 0 && grows(ins[1-side]) && grows(ins[side]) {
			return out, c.bounded(out, n)
		}
	}
	return out, nil
}

// joinKeys parts conditions into the keys of both sides, over their own columns, and the rest.
func joinKeys(on []plan.Expr, width int) (keys [2][]plan.Expr, rest []plan.Expr) {
	for _, e := range on {
		left, right, ok := plan.SplitLookup(e, width)
		if !ok || !hasJoinKey(left.Type()) || !left.Type().Equal(right.Type()) {
			rest = append(rest, e)
			continue
		}
		keys[leftSide], keys[rightSide] = append(keys[leftSide], left), append(keys[rightSide], shiftColumns(right, 0, -width))
	}
	return keys, rest
}

// hasJoinKey tells types whose equal values have equal bits, once they are canonical.
func hasJoinKey(t event.Type) bool {
	return t.Kind != event.JSONB && t.Kind != event.Interval && t.Kind != event.Array
}

// joinTraits are those of pairs and of rows without one.
func joinTraits(kind plan.JoinKind, gaps []timeGap, left, right *traits, width int) traits {
	out := traits{
		appendOnly: kind == plan.InnerJoin && left.appendOnly && right.appendOnly,
		recomputes: left.recomputes || right.recomputes,
		bounds:     map[int]int64{}, watermarks: map[int]bool{},
	}
	hasLeft := kind != plan.RightJoin && kind != plan.FullJoin // a row without a pair has NULLs for the other side
	hasRight := kind == plan.InnerJoin || kind == plan.RightJoin
	bounds := joinBounds(gaps, left, right, width)
	if kind == plan.FullJoin {
		out.either = eitherTimes(gaps, bounds, width)
	}
	for column, lag := range bounds {
		if (column < width && hasLeft) || (column >= width && hasRight) {
			out.bounds[column] = lag
		}
	}
	if hasLeft {
		out.windows = append(out.windows, left.windows...)
	}
	if hasRight {
		for _, w := range right.windows {
			out.windows = append(out.windows, windowBounds{w.start + width, w.end + width, w.size})
		}
	}
	return out
}

func (n *joinNode) describe() string {
	way := "" // whatever else is asked of pairs is looked at pair by pair
	if len(n.keyTypes) == 0 && len(n.of.On) > 0 {
		way = "pairs"
	}
	out := strings.Replace(n.of.Line(way), "Join", "join", 1)
	for side, e := range n.expiry {
		if e.column < 0 {
			continue
		}
		name := n.ins[side].columns()[e.column].Name
		out += fmt.Sprintf(", %s until the watermark passes %s", [...]string{"left", "right"}[side], name)
		if e.lag > 1 {
			out += " by " + event.FormatInterval(arrow.MonthDayNanoInterval{Nanoseconds: e.lag * 1000})
		}
	}
	return out
}

// form implements keeper.
func (n *joinNode) form(in shapes) (f form, whole bool) {
	f = form{Kind: "pairs", Version: 1, Computes: []string{in.all().Of(n.of), fmt.Sprintf("until %+v", n.expiry)}}
	if len(n.keyTypes) == 0 {
		f.Version = 2 // 2 has rows on disk in runs
	}
	return f, true
}

// pads tells whether rows of a side come out without a pair.
func (n *joinNode) pads(side int) bool {
	switch n.kind {
	case plan.FullJoin:
		return true
	case plan.LeftJoin, plan.MarkJoin:
		return side == leftSide
	case plan.RightJoin:
		return side == rightSide
	default:
		return false
	}
}

func (n *joinNode) start(_ *Machine, inputs []operator) operator {
	o := &joinOp{node: n, inputs: inputs}
	o.begin()
	return o
}

// begin empties the memory of a join.
func (o *joinOp) begin() {
	o.index, o.moved = newRowIndex(o.node.keyTypes), nil
	for side := range o.sides {
		o.sides[side] = o.newSide(side)
	}
}

// newSide is a side without rows.
func (o *joinOp) newSide(side int) *joinSide {
	in := o.node.ins[side]
	return &joinSide{rows: newBag(typesOf(in.columns()), in.traits().appendOnly), expiry: o.node.expiry[side], pads: o.node.pads(side)}
}
