package continuous

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// LateRows is what a program leaves out of one stream as too late: the answer to a plan without state.
type LateRows struct {
	Stream string
	// Program gives the stream's own columns, in the order of the schema given to Program.LateRows, then the hidden columns _partition, _offset
	// and _watermark, the watermark before the row. A row that was late for several windows is in it once for each.
	Program *Program
}

// lateSpot is a condition of lateness, met while compiling.
type lateSpot struct {
	input plan.Node
	// late is the condition that rows in time fulfil, others what else is asked of them at that place.
	late   plan.Expr
	others []plan.Expr
}

// noteLate remembers a filter that leaves out late rows.
func (c *compiler) noteLate(input plan.Node, conjuncts []plan.Expr, late int) {
	if late < 0 {
		return
	}
	spot := lateSpot{input: input, late: conjuncts[late]}
	spot.others = append(append(spot.others, conjuncts[:late]...), conjuncts[late+1:]...)
	c.late = append(c.late, spot)
}

// LateRows are the rows that the program leaves out as too late, for each place of the plan that does. None means that it knows no
// lateness. A place whose rows cannot be told from those of others is a not_supported error. schemas are the present ones of the streams: the
// rows have columns that the program, which was bound to an earlier one, knows nothing of. They must have the columns that it reads.
func (p *Program) LateRows(schemas map[string]*event.Schema) ([]LateRows, error) {
	var out []LateRows
	for _, spot := range p.late {
		for _, chain := range chains(spot.input) {
			late, err := p.lateRowsOf(spot, chain, schemas)
			if err != nil {
				return nil, err
			}
			out = append(out, late)
		}
	}
	return out, nil
}

// lateRowsOf are the rows that one place leaves out of one stream, of which a chain of nodes gives it rows.
func (p *Program) lateRowsOf(spot lateSpot, chain plan.Node, schemas map[string]*event.Schema) (LateRows, error) {
	scan := onlyScan(chain)
	if scan == nil {
		return LateRows{}, event.Errorf(event.CodeNotSupported,
			"LATE ... ELSE INTO where a window's rows are not those of one stream: a row that is made of several events lies in none").
			WithHint("take the window of the stream itself, as in TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '1 minute'), and join afterwards")
	}
	if !p.isStream(scan.Stream) {
		return LateRows{}, event.Errorf(event.CodeNotSupported, "LATE ... ELSE INTO for rows of the view %s, which lie in no stream", scan.Stream).
			WithHint("put the view's query into WITH: late rows are kept with the columns of their stream")
	}
	schema := schemas[scan.Stream]
	if schema == nil {
		return LateRows{}, event.Errorf(event.CodeInternal, "late rows of %s: its schema is not known", scan.Stream)
	}
	input, places := withFields(chain, schema)
	late := call("not", spot.late)
	for _, e := range spot.others {
		late = call("and", e, late)
	}
	root := pick(&plan.Filter{Input: input, Predicate: late}, places)
	program, err := Compile(root, map[string]InputInfo{scan.Stream: p.infos[scan.Stream]}, Options{})
	if err != nil {
		return LateRows{}, err
	}
	return LateRows{Stream: scan.Stream, Program: program}, nil
}

// chains are the ways that rows take into a node: one for each part of the unions below it.
func chains(n plan.Node) []plan.Node {
	if union, ok := n.(*plan.Union); ok {
		var out []plan.Node
		for _, part := range union.Parts {
			out = append(out, chains(part)...)
		}
		return out
	}
	if len(n.Inputs()) != 1 {
		return []plan.Node{n}
	}
	var out []plan.Node
	for _, in := range chains(n.Inputs()[0]) {
		out = append(out, plan.Over(n, in))
	}
	return out
}

// onlyScan is the scan that a chain of filters, projections and windows of fixed size reads; nil where there is more to it.
func onlyScan(n plan.Node) *plan.Scan {
	switch n := n.(type) {
	case *plan.Scan:
		return n
	case *plan.Filter:
		return onlyScan(n.Input)
	case *plan.Project:
		return onlyScan(n.Input)
	case *plan.Assign:
		return onlyScan(n.Input)
	default:
		return nil
	}
}

// withFields is a chain as onlyScan takes it, over a later schema of the stream, with the columns of that and those that say where a row lies
// behind its own columns, and where these are.
func withFields(n plan.Node, schema *event.Schema) (plan.Node, []int) {
	width := plan.Width(n)
	switch n := n.(type) {
	case *plan.Scan:
		out := *n
		out.Schema, out.Fields = schema, slices.Clone(n.Fields)
		for _, column := range schema.Columns {
			out.Fields = append(out.Fields, column.ID)
		}
		out.Fields = append(out.Fields, event.FieldPartition, event.FieldOffset, event.FieldWatermark)
		return &out, from(width, len(out.Fields)-len(n.Fields))
	case *plan.Filter:
		input, places := withFields(n.Input, schema)
		return &plan.Filter{Input: input, Predicate: n.Predicate}, places
	case *plan.Project:
		input, places := withFields(n.Input, schema)
		out := &plan.Project{Input: input, Exprs: append([]plan.Expr(nil), n.Exprs...), Names: append([]string(nil), n.Names...)}
		columns := input.Columns()
		for _, at := range places {
			out.Exprs = append(out.Exprs, &plan.ColumnRef{Index: at, Name: columns[at].Name, Typ: columns[at].Type})
			out.Names = append(out.Names, columns[at].Name)
		}
		return out, from(width, len(places))
	case *plan.Assign:
		input, places := withFields(n.Input, schema)
		out := *n
		out.Input = input
		wider := plan.Width(input)
		order := append(append(upTo(width-2), wider, wider+1), places...)
		return pick(&out, order), from(width, len(places))
	default:
		panic("continuous: onlyScan lets through what withFields does not know")
	}
}

// from are n numbers that follow each other.
func from(first, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = first + i
	}
	return out
}
