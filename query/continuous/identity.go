package continuous

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// meaning says what the state of a program means. It is kept with the state, and a program whose own is another cannot take it. It follows what
// operators keep and of which rows, and nothing else: neither how the program prints, nor names, nor where between them rows are filtered, picked
// and computed. A test writes the identities of many queries down: where one changes, the views of users are built anew.
type meaning struct {
	// Reads are the types of the columns that were read of each input, by id: a column that has changed its type since has another.
	Reads map[string]map[event.FieldID]string `json:"reads"`
	// Keeps are the operators that keep something, every input before what reads it.
	Keeps []form `json:"keeps"`
	// places are the places of operators in Keeps.
	places map[node]int
}

// form is what the state of one operator means.
type form struct {
	// Kind is what it keeps. Version is that of the way in which it writes this: whoever changes that, or lets it mean something else, counts it
	// up, and says in load what is to be done with older ones.
	Kind    string `json:"kind"`
	Version int    `json:"version"`
	// Computes is what is kept, in terms of the columns of the rows below: $0 is the first that is asked for.
	Computes []string `json:"computes,omitempty"`
	// Of are the rows of each input.
	Of [][]rowSource `json:"of,omitempty"`
}

// rowSource is where rows come from: those of a union come from several.
type rowSource struct {
	// From is an input, #n for the operator at that place of Keeps, and what makes several rows of one.
	From string `json:"from"`
	// Where are the conditions that they meet, in no order.
	Where []string `json:"where,omitempty"`
	// Columns are those that Computes asks for, Held all that are kept.
	Columns []string `json:"columns,omitempty"`
	Held    []string `json:"held,omitempty"`
	all     []string
}

// keeper is an operator whose state means something. An operator that is none, and writes anything, is a fault of the program.
type keeper interface {
	node
	// form gives kind, version and what is computed; whole tells that rows are kept with all their columns.
	form(in shapes) (f form, whole bool)
}

// shapes write expressions over the inputs of an operator.
type shapes struct {
	widths []int
	column func(int) string
}

// all is for expressions over the columns of all inputs, one after the other.
func (s shapes) all() plan.Shape { return plan.Shape{Column: s.column} }

// of is for expressions over the columns of one input.
func (s shapes) of(input int) plan.Shape {
	before := 0
	for _, w := range s.widths[:input] {
		before += w
	}
	return plan.Shape{Column: func(i int) string { return s.column(before + i) }}
}

// tree is for a plan whose scans are tables named by the place of an input; columns are those of each node's own inputs.
func tree(n plan.Node) string {
	s := plan.Shape{Column: func(i int) string { return fmt.Sprintf("#%d", i) }}
	s.Input = func(n plan.Node) string {
		if table, ok := n.(*plan.Scan); ok {
			return "table " + table.Stream
		}
		return s.Of(n)
	}
	return s.Of(n)
}

// identify finds the identity of a program.
func (p *Program) identify() meaning {
	out := meaning{Reads: map[string]map[event.FieldID]string{}, places: map[node]int{}}
	for _, in := range p.inputs {
		out.Reads[in.Name] = map[event.FieldID]string{}
		for _, id := range in.Fields {
			c, _ := in.Schema.ByID(id)
			out.Reads[in.Name][id] = c.Type.String()
		}
	}
	out.rows(p.root)
	return out
}

// rows notes what an operator and those below it keep, and gives where its rows come from.
func (d *meaning) rows(n node) []rowSource {
	below := make([][]rowSource, 0, 2)
	for _, in := range sourcesOf(n) {
		below = append(below, d.rows(in))
	}
	if k, ok := n.(keeper); ok {
		d.keep(k, below)
	}
	switch n := n.(type) {
	case *scanNode:
		return []rowSource{{From: n.input, all: n.ids}}
	case *filterNode:
		return eachSource(below[0], func(s rowSource) rowSource { return s.where(n.exprs) })
	case *projectNode:
		return eachSource(below[0], func(s rowSource) rowSource {
			s.all = shortened(s.shape().OfAll(n.exprs))
			return s
		})
	case *assignNode:
		return multiplied(below[0], n.plan, len(n.cols))
	case *unnestNode:
		return multiplied(below[0], n.of, len(n.cols))
	case *repeatNode:
		return multiplied(below[0], n.of, len(n.cols))
	case *unionNode:
		return slices.Concat(below...)
	case *soFarNode:
		return below[0]
	default:
		from := fmt.Sprintf("#%d", len(d.Keeps)-1)
		out := rowSource{From: from}
		for i := range n.columns() {
			out.all = append(out.all, fmt.Sprintf("%s.%d", from, i))
		}
		return []rowSource{out}
	}
}

// sourcesOf are the operators whose rows one works on; of panes not those that it reads, but the windows that it puts in their place.
func sourcesOf(n node) []node {
	switch n := n.(type) {
	case *paneNode:
		return []node{n.over}
	case *accumulateNode:
		if n.panes != nil {
			return []node{n.panes.over}
		}
	case *retractNode:
		return sourcesOf(n.of)
	}
	return n.inputs()
}

// keep notes what an operator keeps.
func (d *meaning) keep(k keeper, below [][]rowSource) {
	var asked []int
	in := shapes{column: func(i int) string {
		at := slices.Index(asked, i)
		if at < 0 {
			at = len(asked)
			asked = append(asked, i)
		}
		return fmt.Sprintf("$%d", at)
	}}
	for _, sources := range below {
		in.widths = append(in.widths, len(sources[0].all))
	}
	f, whole := k.form(in)
	if f.Kind == "" {
		return
	}
	before := 0
	for i, sources := range below {
		f.Of = append(f.Of, eachSource(sources, func(s rowSource) rowSource {
			for n, at := range asked {
				if at >= before && at < before+len(s.all) {
					s.Columns = append(s.Columns, fmt.Sprintf("$%d %s", n, s.all[at-before]))
				}
			}
			if whole {
				s.Held = s.all
			}
			s.all = nil
			return s
		}))
		before += in.widths[i]
	}
	d.places[k] = len(d.Keeps)
	d.Keeps = append(d.Keeps, f)
}

func eachSource(sources []rowSource, f func(rowSource) rowSource) []rowSource {
	out := make([]rowSource, len(sources))
	for i, s := range sources {
		out[i] = f(s)
	}
	return out
}

// shape writes expressions over the rows.
func (s rowSource) shape() plan.Shape {
	return plan.Shape{Column: func(i int) string { return s.all[i] }}
}

// where are the rows for which conditions hold.
func (s rowSource) where(conditions []plan.Expr) rowSource {
	s.Where = slices.Concat(s.Where, shortened(s.shape().OfAll(conditions)))
	slices.Sort(s.Where)
	s.Where = slices.Compact(s.Where)
	return s
}

// multiplied are rows of which a node makes several of each, which may have more columns.
func multiplied(sources []rowSource, by plan.Node, width int) []rowSource {
	return eachSource(sources, func(s rowSource) rowSource {
		made := shorter(s.shape().Of(by))
		s.From += " by " + made
		s.all = slices.Clone(s.all)
		for i := 0; len(s.all) < width; i++ {
			s.all = append(s.all, fmt.Sprintf("%s.%d", made, i))
		}
		return s
	})
}

// longTerm is how long a term may be before its hash stands for it: columns that are computed of each other would grow without end.
const longTerm = 400

func shorter(term string) string {
	if len(term) <= longTerm {
		return term
	}
	sum := sha256.Sum256([]byte(term))
	return hex.EncodeToString(sum[:])
}

func shortened(terms []string) []string {
	for i, t := range terms {
		terms[i] = shorter(t)
	}
	return terms
}

// differs says in what state that is kept is not that of a program; empty where it is. Columns that it has been computed of and that are read no
// more do not matter, as long as they are what they were.
func (d meaning) differs(p *Program) string {
	for _, in := range p.inputs {
		if _, ok := d.Reads[in.Name]; !ok || len(d.Reads) != len(p.inputs) {
			return "it has been computed of other inputs"
		}
		for id, was := range d.Reads[in.Name] {
			if c, ok := in.Schema.ByID(id); !ok || c.Type.String() != was {
				return fmt.Sprintf("it has been computed of column %d of %s as %s, which is another now", id, in.Name, was)
			}
		}
	}
	own := p.identify()
	if len(d.Keeps) != len(own.Keeps) {
		return fmt.Sprintf("it is that of %d operators, and the query has %d", len(d.Keeps), len(own.Keeps))
	}
	for i, kept := range d.Keeps {
		now := own.Keeps[i]
		if kept.Version <= now.Version { // load knows
			kept.Version = now.Version
		}
		if was, is := asJSON(kept), asJSON(now); was != is {
			return fmt.Sprintf("it has %s where the query now keeps %s", was, is)
		}
	}
	return ""
}

// text is the identity as it is kept.
func (d meaning) text() string { return asJSON(d) }

func asJSON(v any) string {
	out, err := json.Marshal(v)
	if err != nil { // of strings and numbers
		panic(err)
	}
	return string(out)
}

// StateIdentity says what the state of the program means, as JSON: a program takes state of another one, as of another version of itself, that has
// an equal identity.
func (p *Program) StateIdentity() string { return p.identity }
