package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// fillGrid is the result of a grouping laid out by bucket and combination of the other groups.
type fillGrid struct {
	node   *plan.Fill
	input  *Batch
	times  []int64
	groups int
	// rows holds, bucket after bucket, the input's row of each group; -1 where there is none.
	rows []int32
	// first is the first row of each group, and timeless are the rows without a bucket.
	first    []int32
	timeless []int32
}

func newFillGrid(n *plan.Fill, input *Batch, times []int64) *fillGrid {
	g := &fillGrid{node: n, input: input, times: times}
	ids := make([]uint32, input.Rows)
	switch {
	case len(n.By) > 0 && input.Rows > 0:
		keys, types := make([]arrow.Array, len(n.By)), make([]event.Type, len(n.By))
		for i, at := range n.By {
			keys[i], types[i] = input.Columns[at], n.Columns()[at].Type
		}
		table := newGroupTable(types)
		table.assign(keys, ids)
		g.groups = table.count()
	case len(n.By) == 0 && len(times) > 0:
		g.groups = 1
	}
	g.place(ids)
	return g
}

// place finds the cell of each row of the input.
func (g *fillGrid) place(ids []uint32) {
	g.rows, g.first = make([]int32, len(g.times)*g.groups), make([]int32, g.groups)
	for i := range g.rows {
		g.rows[i] = -1
	}
	for i := range g.first {
		g.first[i] = -1
	}
	column := g.input.Columns[g.node.Time]
	for row, t := range arrow.GetValues[int64](column.Data(), 1) {
		if column.IsNull(row) {
			g.timeless = append(g.timeless, int32(row))
			continue
		}
		if g.first[ids[row]] < 0 {
			g.first[ids[row]] = int32(row)
		}
		at, _ := slices.BinarySearch(g.times, t)
		g.rows[at*g.groups+int(ids[row])] = int32(row)
	}
}

// filled gives a row for each cell of groups that have a time, followed by the rows without one.
func (g *fillGrid) filled() (*Batch, error) {
	g.dropTimeless()
	out := &Batch{Rows: len(g.rows) + len(g.timeless)}
	for i, c := range g.node.Columns() {
		var column arrow.Array
		var err error
		switch {
		case i == g.node.Time:
			column = g.timeColumn()
		case slices.Contains(g.node.By, i):
			column = g.gathered(i, func(cell int) int32 { return g.first[cell%g.groups] })
		default:
			column, err = g.values(i, c.Type)
		}
		if err != nil {
			return nil, err
		}
		out.Columns = append(out.Columns, column)
	}
	return out, nil
}

// dropTimeless leaves out the cells of groups all of whose rows are without a bucket.
func (g *fillGrid) dropTimeless() {
	if len(g.node.By) == 0 || !slices.Contains(g.first, -1) {
		return
	}
	var kept []int32
	for cell, row := range g.rows {
		if g.first[cell%g.groups] >= 0 {
			kept = append(kept, row)
		}
	}
	g.rows = kept
	g.first = slices.DeleteFunc(g.first, func(row int32) bool { return row < 0 })
	g.groups = len(g.first)
}

func (g *fillGrid) timeColumn() arrow.Array {
	out, valid := make([]int64, len(g.rows)+len(g.timeless)), event.NewBitmap(len(g.rows)+len(g.timeless))
	for cell := range g.rows {
		out[cell] = g.times[cell/g.groups]
		valid.Set(cell)
	}
	return event.NewTimestamps(out, valid)
}

// gathered is a column of the input with the row that from gives for each cell, NULL for -1.
func (g *fillGrid) gathered(column int, from func(cell int) int32) arrow.Array {
	n := len(g.rows) + len(g.timeless)
	if g.input.Rows == 0 {
		return event.NewNulls(g.node.Columns()[column].Type, n)
	}
	rows, valid := make([]int32, n), event.NewBitmap(n)
	for cell := range g.rows {
		if row := from(cell); row >= 0 {
			rows[cell] = row
			valid.Set(cell)
		}
	}
	for i, row := range g.timeless {
		rows[len(g.rows)+i] = row
		valid.Set(len(g.rows) + i)
	}
	return kernel.TakeValid(g.input.Columns[column], rows, valid)
}

// values is a column that is filled.
func (g *fillGrid) values(column int, t event.Type) (arrow.Array, error) {
	present := func(cell int) int32 { return g.rows[cell] }
	switch g.node.Modes[column] {
	case plan.FillPrevious, plan.FillPreviousOrNull:
		return g.gathered(column, g.previous(column)), nil
	case plan.FillLinear:
		return g.linear(g.gathered(column, present), t), nil
	case plan.FillConstant:
		return g.withConstant(column, g.node.Values[column].Value)
	default:
		return g.gathered(column, present), nil
	}
}

// previous gives for each cell without a row the latest row of its group that has a value; where NULLs are filled too, for one whose row has none.
func (g *fillGrid) previous(column int) func(cell int) int32 {
	latest := make([]int32, g.groups)
	for i := range latest {
		latest[i] = -1
	}
	values, nulls := g.input.Columns[column], g.node.Modes[column] == plan.FillPreviousOrNull
	return func(cell int) int32 {
		row, group := g.rows[cell], cell%g.groups
		switch {
		case row >= 0 && !isNull(values, int(row)):
			latest[group] = row
		case row < 0 || nulls && latest[group] >= 0:
			return latest[group]
		}
		return row
	}
}

// withConstant puts a constant behind the values and takes it for each cell without a row.
func (g *fillGrid) withConstant(column int, constant arrow.Array) (arrow.Array, error) {
	values, err := kernel.Concat([]arrow.Array{g.input.Columns[column], constant})
	if err != nil {
		return nil, err
	}
	rows := make([]int32, 0, len(g.rows)+len(g.timeless))
	for _, row := range g.rows {
		if row < 0 {
			row = int32(g.input.Rows)
		}
		rows = append(rows, row)
	}
	return kernel.Take(values, append(rows, g.timeless...)), nil
}
