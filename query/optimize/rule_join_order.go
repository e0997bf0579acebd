package optimize

import (
	"fmt"
	"math"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// orderJoins chooses in which order inner joins pair their inputs: it begins with the smallest and goes on with the smallest that a
// equality connects to what it has, then with what a comparison by order does, so that no product of unconnected inputs is made before
// there is no other way. Inputs that no equality connects are joined by themselves first. An input's size is a guess from
// its conditions and, where they are known, the rows of its stream.
// Conditions that may fail wait for the rows of the whole join, but for equalities and comparisons by order of two inputs: finding pairs
// by them is worth that both sides are computed for all rows.
func orderJoins(n plan.Node) (plan.Node, error) {
	if j, ok := n.(*plan.Join); ok && j.Kind == plan.InnerJoin {
		return reorder(j)
	}
	inputs := n.Inputs()
	if len(inputs) == 0 {
		return n, nil
	}
	out := make([]plan.Node, len(inputs))
	for i, in := range inputs {
		var err error
		if out[i], err = orderJoins(in); err != nil {
			return nil, err
		}
	}
	return plan.Over(n, out...), nil
}

// joinGroup is the inputs of inner joins that stand next to each other. Conditions count columns in the order of the inputs.
type joinGroup struct {
	inputs     []plan.Node
	firsts     []int // the first column of each input
	width      int
	conditions []*joinCondition
	failing    []*joinCondition // comparisons by order that may fail: they come last, for the fewest pairs
	late       []plan.Expr      // conditions that may fail
}

type joinCondition struct {
	expr plan.Expr
	// reads names the inputs it reads.
	reads  []int
	finds  search
	placed bool
}

// search is how pairs are found by a condition without looking at all.
type search uint8

const (
	byTrying search = iota
	byOrder
	byEquality
)

func searchBy(on plan.Expr, width int) search {
	if _, _, ok := plan.SplitLookup(on, width); ok {
		return byEquality
	}
	if len(plan.PartConditions([]plan.Expr{on}, width).Ranges) > 0 {
		return byOrder
	}
	return byTrying
}

// subtree is some inputs of a group joined.
type subtree struct {
	node    plan.Node
	members []int  // in the order of the node's columns
	has     []bool // by input
	size    float64
}

func reorder(j *plan.Join) (plan.Node, error) {
	g := &joinGroup{}
	if err := g.flatten(j); err != nil {
		return nil, err
	}
	g.conditions = append(g.conditions, g.failing...)
	for _, c := range g.conditions {
		c.reads = g.inputsOf(c.expr)
	}
	whole := g.joinAll()
	return g.restore(whole)
}

func (g *joinGroup) flatten(n plan.Node) error {
	j, ok := n.(*plan.Join)
	if !ok || j.Kind != plan.InnerJoin {
		input, err := orderJoins(n)
		g.inputs, g.firsts = append(g.inputs, input), append(g.firsts, g.width)
		g.width += plan.Width(n)
		return err
	}
	first := g.width
	if err := g.flatten(j.Left); err != nil {
		return err
	}
	middle := g.width
	if err := g.flatten(j.Right); err != nil {
		return err
	}
	for _, on := range j.On {
		c := &joinCondition{expr: shifted(on, first), finds: searchBy(on, middle-first)}
		switch fails := mayFail(on); {
		case fails && c.finds == byTrying:
			g.late = append(g.late, c.expr)
		case fails && c.finds == byOrder:
			g.failing = append(g.failing, c)
		default:
			g.conditions = append(g.conditions, c)
		}
	}
	return nil
}

// inputsOf lists the inputs whose columns an expression reads, each once.
func (g *joinGroup) inputsOf(e plan.Expr) []int {
	used := make([]bool, g.width)
	plan.MarkColumns(used, e)
	var out []int
	for i, first := range g.firsts {
		end := g.width
		if i+1 < len(g.firsts) {
			end = g.firsts[i+1]
		}
		for _, u := range used[first:end] {
			if u {
				out = append(out, i)
				break
			}
		}
	}
	return out
}

// joinAll joins the inputs that conditions connect and then, the smallest first, what they leave apart.
func (g *joinGroup) joinAll() *subtree {
	left := make([]*subtree, len(g.inputs))
	for i, in := range g.inputs {
		left[i] = &subtree{node: in, members: []int{i}, has: make([]bool, len(g.inputs)), size: guessRows(in)}
		left[i].has[i] = true
	}
	if len(left) == 2 { // which of the two is looked up in is chosen when they run
		return g.join(left[0], left[1])
	}
	var parts []*subtree
	for len(left) > 0 {
		var part *subtree
		part, left = takeSmallest(left, func(*subtree) bool { return true })
		for {
			var next *subtree
			next, left = takeSmallest(left, func(s *subtree) bool { return g.connects(part, s, byEquality) })
			if next == nil {
				break
			}
			part = g.join(part, next)
		}
		parts = append(parts, part)
	}
	whole, parts := takeSmallest(parts, func(*subtree) bool { return true })
	for len(parts) > 0 {
		var next *subtree
		for _, by := range []search{byEquality, byOrder, byTrying} {
			next, parts = takeSmallest(parts, func(s *subtree) bool { return by == byTrying || g.connects(whole, s, by) })
			if next != nil {
				break
			}
		}
		whole = g.join(whole, next)
	}
	return whole
}

// takeSmallest takes the smallest of those that fit, the first of several; nil where none does.
func takeSmallest(from []*subtree, fits func(*subtree) bool) (*subtree, []*subtree) {
	best := -1
	for i, s := range from {
		if fits(s) && (best < 0 || s.size < from[best].size) {
			best = i
		}
	}
	if best < 0 {
		return nil, from
	}
	rest := append(append([]*subtree(nil), from[:best]...), from[best+1:]...)
	return from[best], rest
}

// connects reports whether a condition of a kind finds the pairs of two subtrees.
func (g *joinGroup) connects(a, b *subtree, by search) bool {
	for _, c := range g.conditions {
		if c.finds == by && !c.placed && covers(a, b, c.reads) && !covers(a, a, c.reads) && !covers(b, b, c.reads) {
			return true
		}
	}
	return false
}

// covers reports whether all inputs are in one of two subtrees.
func covers(a, b *subtree, inputs []int) bool {
	for _, in := range inputs {
		if !a.has[in] && !b.has[in] {
			return false
		}
	}
	return true
}

// join joins two subtrees by all conditions that have waited for both.
func (g *joinGroup) join(a, b *subtree) *subtree {
	out := &subtree{members: append(append([]int(nil), a.members...), b.members...), size: a.size * b.size}
	out.has = append([]bool(nil), a.has...)
	for _, m := range b.members {
		out.has[m] = true
	}
	at := g.placesOf(out.members)
	join := &plan.Join{Left: a.node, Right: b.node, Kind: plan.InnerJoin}
	for _, c := range g.conditions {
		if c.placed || !covers(a, b, c.reads) {
			continue
		}
		c.placed = true
		join.On = append(join.On, at.move(c.expr))
		if c.finds == byEquality {
			out.size = min(out.size, max(a.size, b.size))
		}
	}
	out.node = join
	return out
}

// placesOf is where the group's columns are once its inputs stand in another order.
func (g *joinGroup) placesOf(members []int) places {
	out := make(places, g.width)
	next := 0
	for _, m := range members {
		for i := range plan.Width(g.inputs[m]) {
			out[g.firsts[m]+i] = next
			next++
		}
	}
	return out
}

// restore puts the columns back into the order that they had, under the conditions that had to wait.
func (g *joinGroup) restore(whole *subtree) (plan.Node, error) {
	columns := whole.node.Columns()
	if len(columns) != g.width {
		return nil, fmt.Errorf("order joins: %d columns instead of %d", len(columns), g.width)
	}
	at := g.placesOf(whole.members)
	n := whole.node
	if len(g.late) > 0 {
		n = &plan.Filter{Input: n, Predicate: conjunction(mapAll(g.late, at.move))}
	}
	p := &plan.Project{Input: n}
	for _, i := range at {
		c := columns[i]
		p.Exprs = append(p.Exprs, &plan.ColumnRef{Index: i, Name: c.Name, Typ: c.Type})
		p.Names = append(p.Names, c.Name)
	}
	if isNoop(p) {
		return n, nil
	}
	return p, nil
}

// guessRows guesses the size of an input in comparison with others.
func guessRows(n plan.Node) float64 {
	const stream = 1e6
	switch n := n.(type) {
	case *plan.Scan:
		rows := stream
		if n.Rows > 0 {
			rows = float64(n.Rows)
		}
		for _, f := range n.Filter {
			rows *= guessShare(f)
		}
		return rows
	case *plan.Values:
		return float64(len(n.Rows))
	case *plan.Filter:
		rows := guessRows(n.Input)
		for _, f := range plan.Conjuncts(n.Predicate) {
			rows *= guessShare(f)
		}
		return rows
	case *plan.Limit:
		if rows := guessRows(n.Input); n.Count < 0 || rows < float64(n.Count) {
			return rows
		}
		return float64(n.Count)
	case *plan.Aggregate:
		if len(n.Groups) == 0 {
			return 1
		}
		return math.Sqrt(guessRows(n.Input))
	case *plan.Join:
		return max(guessRows(n.Left), guessRows(n.Right))
	default:
		rows := 0.0
		for _, in := range n.Inputs() {
			rows += guessRows(in)
		}
		return max(rows, 1)
	}
}

// guessShare guesses the share of rows that meet a condition.
func guessShare(e plan.Expr) float64 {
	if c, ok := e.(*plan.Call); ok && c.Fn.Name == "=" {
		return 0.01
	}
	return 0.3
}
