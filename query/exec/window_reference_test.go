package exec_test

import (
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// window answers a window by looking, for each row, at every row of its partition, as the standard words it.
func (r reference) window(n *plan.Window) []row {
	members := map[string][]row{}
	var order []string
	for _, in := range r.run(n.Input) {
		name := renderRow(evalAll(n.Partition, in), 0)
		if members[name] == nil {
			order = append(order, name)
		}
		members[name] = append(members[name], in)
	}
	var out []row
	for _, name := range order {
		p := &partition{node: n, rows: members[name]}
		sort.SliceStable(p.rows, func(i, j int) bool { return p.compare(p.rows[i], p.rows[j], p.node.Order) < 0 })
		p.number()
		for i, in := range p.rows {
			one := append(row{}, in...)
			for _, c := range n.Calls {
				one = append(one, p.call(c, i))
			}
			out = append(out, one)
		}
	}
	return out
}

type partition struct {
	node   *plan.Window
	rows   []row
	groups []int // the number of each row's group of peers
}

func (p *partition) compare(a, b row, keys []plan.SortKey) int {
	for _, k := range keys {
		x, y := eval(k.Expr, a), eval(k.Expr, b)
		switch {
		case x.IsNull(0) && y.IsNull(0):
			continue
		case x.IsNull(0) || y.IsNull(0):
			if x.IsNull(0) == k.NullsFirst {
				return -1
			}
			return 1
		}
		if c := kernel.Compare(x, 0, y, 0, k.Expr.Type()); c != 0 {
			if k.Descending {
				return -c
			}
			return c
		}
	}
	return 0
}

func (p *partition) number() {
	for i := range p.rows {
		switch {
		case i == 0:
			p.groups = append(p.groups, 0)
		case p.compare(p.rows[i-1], p.rows[i], p.node.Peers()) == 0:
			p.groups = append(p.groups, p.groups[i-1])
		default:
			p.groups = append(p.groups, p.groups[i-1]+1)
		}
	}
}

// frame lists the rows that row i sees.
func (p *partition) frame(f plan.Frame, i int) []int {
	var out []int
	for j := range p.rows {
		if !p.from(f, i, j) || !p.upTo(f, i, j) {
			continue
		}
		peer := p.groups[i] == p.groups[j]
		switch f.Exclude {
		case plan.ExcludeNothing:
		case plan.ExcludeRow:
			if i == j {
				continue
			}
		case plan.ExcludeGroup:
			if peer {
				continue
			}
		case plan.ExcludeTies:
			if peer && i != j {
				continue
			}
		}
		out = append(out, j)
	}
	return out
}

// from reports whether row j is not before the start of row i's frame, upTo whether it is not after the end.
func (p *partition) from(f plan.Frame, i, j int) bool {
	return f.Start.Kind == plan.UnboundedPreceding || (f.Start.Kind != plan.UnboundedFollowing && p.place(f, f.Start, i, j) >= 0)
}

func (p *partition) upTo(f plan.Frame, i, j int) bool {
	return f.End.Kind == plan.UnboundedFollowing || (f.End.Kind != plan.UnboundedPreceding && p.place(f, f.End, i, j) <= 0)
}

// place is below 0 where row j is before the bound of row i, 0 where it is at it, above 0 where it is after it.
func (p *partition) place(f plan.Frame, b plan.FrameBound, i, j int) int {
	if f.Unit == plan.FrameRange && b.Offset != nil {
		return p.rangePlace(b, i, j)
	}
	at := 0
	if b.Offset != nil {
		at = int(b.Offset.Value.(*array.Int64).Value(0))
		if b.Kind == plan.Preceding {
			at = -at
		}
	}
	if f.Unit == plan.FrameRows {
		return j - i - at
	}
	return p.groups[j] - p.groups[i] - at
}

func (p *partition) rangePlace(b plan.FrameBound, i, j int) int {
	key := p.node.Order[0]
	x, y := eval(key.Expr, p.rows[i]), eval(key.Expr, p.rows[j])
	if x.IsNull(0) || y.IsNull(0) {
		return p.groups[j] - p.groups[i]
	}
	op := "+"
	if (b.Kind == plan.Preceding) != key.Descending {
		op = "-"
	}
	bound := eval(call(op, key.Expr, b.Offset), p.rows[i])
	c := kernel.Compare(y, 0, bound, 0, key.Expr.Type())
	if key.Descending {
		return -c
	}
	return c
}

func (p *partition) call(c plan.WindowCall, i int) arrow.Array {
	bigints := func(v int) arrow.Array { return event.NewInt64s([]int64{int64(v)}, nil) }
	doubles := func(v float64) arrow.Array { return event.NewFloat64s([]float64{v}, nil) }
	first, last := i, i
	for first > 0 && p.groups[first-1] == p.groups[i] {
		first--
	}
	for last+1 < len(p.rows) && p.groups[last+1] == p.groups[i] {
		last++
	}
	switch c.Fn.Name {
	case "row_number":
		return bigints(i + 1)
	case "rank":
		return bigints(first + 1)
	case "dense_rank":
		return bigints(p.groups[i] + 1)
	case "percent_rank":
		if len(p.rows) == 1 {
			return doubles(0)
		}
		return doubles(float64(first) / float64(len(p.rows)-1))
	case "cume_dist":
		return doubles(float64(last+1) / float64(len(p.rows)))
	case "ntile":
		return p.tile(c, i)
	case "lag", "lead":
		return p.neighbour(c, i)
	}
	frame := p.frame(c.Frame, i)
	if c.Fn.Aggregate {
		var rows []row
		for _, j := range frame {
			rows = append(rows, p.rows[j])
		}
		if c.Distinct {
			rows = distinctRows(c, rows)
		}
		return aggregateOne(plan.Aggregation{Fn: c.Fn, Args: c.Args, Filter: c.Filter}, rows)
	}
	var values []arrow.Array
	for _, j := range frame {
		if v := eval(c.Args[0], p.rows[j]); !c.IgnoreNulls || v.IsValid(0) {
			values = append(values, v)
		}
	}
	nth := 0
	switch c.Fn.Name {
	case "last_value":
		nth = len(values) - 1
	case "nth_value":
		n := eval(c.Args[1], p.rows[i])
		if n.IsNull(0) {
			return event.NewNulls(c.Fn.Result, 1)
		}
		nth = int(n.(*array.Int64).Value(0)) - 1
	}
	if nth < 0 || nth >= len(values) {
		return event.NewNulls(c.Fn.Result, 1)
	}
	return values[nth]
}

// tile deals rows out one after the other: tile t gets a row more where it is among the first.
func (p *partition) tile(c plan.WindowCall, i int) arrow.Array {
	n := int(eval(c.Args[0], p.rows[0]).(*array.Int64).Value(0))
	at := 0
	for t := 1; ; t++ {
		at += len(p.rows) / n
		if t <= len(p.rows)%n {
			at++
		}
		if i < at {
			return event.NewInt64s([]int64{int64(t)}, nil)
		}
	}
}

func (p *partition) neighbour(c plan.WindowCall, i int) arrow.Array {
	distance := 1
	if len(c.Args) > 1 {
		n := eval(c.Args[1], p.rows[i])
		if n.IsNull(0) {
			return event.NewNulls(c.Fn.Result, 1)
		}
		distance = int(n.(*array.Int64).Value(0))
	}
	if c.Fn.Name == "lag" {
		distance = -distance
	}
	step := 1
	if distance < 0 {
		step, distance = -1, -distance
	}
	at := i
	for distance > 0 {
		at += step
		if at < 0 || at >= len(p.rows) {
			if len(c.Args) > 2 {
				return eval(c.Args[2], p.rows[i])
			}
			return event.NewNulls(c.Fn.Result, 1)
		}
		if !c.IgnoreNulls || eval(c.Args[0], p.rows[at]).IsValid(0) {
			distance--
		}
	}
	return eval(c.Args[0], p.rows[at])
}

// distinctRows are the first rows with their argument, of those that the call's filter keeps.
func distinctRows(c plan.WindowCall, rows []row) []row {
	if c.Filter != nil {
		rows = keep(rows, c.Filter)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(rows, func(r row) bool {
		text := renderRow(row{eval(c.Args[0], r)}, 0)
		defer func() { seen[text] = true }()
		return seen[text]
	})
}
