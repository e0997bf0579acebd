package parquetbody

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/columnar"
)

// maxDepth bounds the nesting of groups, well within what a row may have.
const maxDepth = 30

var errLevels = errors.New("levels that contradict the schema")

// assembler writes the values of a nested column as JSON.
type assembler struct {
	root  *node
	types []leafType
	// What follows is of the rows under way.
	leaves []leafRows
	dst    []byte
	limit  int
	failed error
}

// node is a column of the file, with what its annotations make of it.
type node struct {
	name               string
	optional, repeated bool
	children           []*node
	leaf               int // the first leaf below, counted within the column
	leaves             int
	list, entries      bool // LIST and MAP
	label              []byte
	isText             bool
}

// leafRows are the values of a leaf for some rows.
type leafRows struct {
	values     arrow.Array
	reps, defs []int32
	starts     []int // where each row begins, and the end
}

// add makes the node of a column, and those below.
func (a *assembler) add(c *parquet.Column, logical []any, depth int) (*node, error) {
	if depth > maxDepth {
		return nil, event.Errorf(event.CodeNotSupported, "columns nested more than %d deep", maxDepth)
	}
	n := &node{name: c.Name(), optional: c.Optional(), repeated: c.Repeated(), leaf: len(a.types)}
	n.label = append(event.AppendJSONString(nil, c.Name()), ':')
	if c.Leaf() {
		t, err := leafTypeOf(c, logical)
		if err != nil {
			return nil, err
		}
		a.types = append(a.types, t)
		n.leaves, n.isText = 1, t.arrow.ID() == arrow.STRING && t.extension == ""
		return n, nil
	}
	if of := c.Type().LogicalType(); of != nil {
		_, n.list = of.Value.(*format.ListType)
		_, n.entries = of.Value.(*format.MapType)
		if _, variant := of.Value.(*format.VariantType); variant {
			return nil, event.Errorf(event.CodeNotSupported, "column %q is a VARIANT, which cannot be read", c.Name()).WithHint("write it as JSON, or as text")
		}
	}
	for _, child := range c.Columns() {
		below, err := a.add(child, logical, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, below)
		n.leaves += below.leaves
	}
	if n.leaves == 0 {
		return nil, event.Errorf(event.CodeNotSupported, "column %q is a group without columns", c.Name())
	}
	one := len(n.children) == 1 && n.children[0].repeated
	n.list, n.entries = n.list && one, n.entries && one && len(n.children[0].children) == 2
	return n, nil
}

// build reads n rows.
func (a *assembler) build(readers []leaf, n int) (arrow.Array, error) {
	a.leaves = a.leaves[:0]
	for i := range readers {
		rows, err := readers[i].readRows(&a.types[i], n)
		if err != nil {
			return nil, err
		}
		a.leaves = append(a.leaves, rows)
	}
	s := readers[0].shared
	offsets, data := make([]int32, 1, n+1), make([]byte, 0, readers[0].textBytes)
	valid := event.NewBitmap(n)
	lo, hi := make([]int, len(readers)), make([]int, len(readers))
	for row := range n {
		for i := range a.leaves {
			lo[i], hi[i] = a.leaves[i].starts[row], a.leaves[i].starts[row+1]
		}
		start := len(data)
		a.dst, a.limit = data, start+decode.MaxRowBytes+2
		a.field(a.root, lo, hi, 0, 0)
		if data = a.dst; a.failed != nil {
			return nil, a.failed
		}
		if string(data[start:]) == "null" {
			data = data[:start]
		} else {
			valid.Set(row)
		}
		if err := s.take(len(data) - start); err != nil {
			return nil, err
		}
		offsets = append(offsets, int32(len(data)))
	}
	a.dst = nil
	readers[0].textBytes = len(data) + len(data)/8
	return event.NewStrings(offsets, data, valid), nil
}

// levelBytes is what a value of a nested column takes beside itself: its levels, twice.
const levelBytes = 16

// readRows reads the values of n rows.
func (l *leaf) readRows(t *leafType, n int) (leafRows, error) {
	var out leafRows
	g := l.gathered(n)
	for {
		if l.page.left == 0 {
			more, err := l.turn()
			if err != nil {
				return out, err
			}
			if !more {
				break
			}
		}
		now := l.page.rows(n-len(out.starts), len(out.defs), &out.starts)
		if len(out.starts) == 0 || len(out.defs)+now > pageValues {
			return out, errLevels
		}
		if err := l.shared.take(levelBytes * now); err != nil {
			return out, err
		}
		if now == 0 {
			break
		}
		reps, depths := l.page.levels(now)
		out.reps, out.defs = append(out.reps, reps...), append(out.defs, depths...)
		present := now - countBelow(depths, int32(l.deepest))
		if depths == nil {
			out.defs = append(out.defs, make([]int32, now)...)
		}
		if reps == nil {
			out.reps = append(out.reps, make([]int32, now)...)
		}
		if err := l.gather(g, present); err != nil {
			return out, err
		}
	}
	if len(out.starts) != n {
		return out, errRows
	}
	out.starts = append(out.starts, len(out.defs))
	var valid event.Bitmap
	if l.deepest > 0 {
		valid = event.NewBitmap(len(out.defs))
		for i, def := range out.defs {
			if int(def) == l.deepest {
				valid.Set(i)
			}
		}
	}
	var err error
	out.values, err = t.make(g, len(out.defs), valid)
	return out, err
}

// rows counts the values of the page that belong to the rows begun and n more, and notes where those begin, at being where the first value will be.
func (p *page) rows(n, at int, starts *[]int) (values int) {
	if p.reps == nil {
		values = min(n, p.left)
		for i := range values {
			*starts = append(*starts, at+i)
		}
		return values
	}
	for values < p.left {
		if p.reps[values] == 0 {
			if n == 0 {
				break
			}
			n--
			*starts = append(*starts, at+values)
		}
		values++
	}
	return values
}

// levels gives the levels of the next n values, which the page then no longer has.
func (p *page) levels(n int) (reps, depths []int32) {
	if p.reps != nil {
		reps, p.reps = p.reps[:n], p.reps[n:]
	}
	if p.depths != nil {
		depths, p.depths = p.depths[:n], p.depths[n:]
	}
	p.left -= n
	return reps, depths
}

// field writes what a node is in one instance of what is above it. lo and hi bound the values of its leaves; rep and def are the levels of
// what is above.
func (a *assembler) field(n *node, lo, hi []int, rep, def int) {
	if a.failed != nil {
		return
	}
	if lo[n.leaf] >= hi[n.leaf] {
		a.failed = errLevels
		return
	}
	if len(a.dst) > a.limit { // the row is too long already; it will be refused
		a.dst = append(a.dst, "null"...)
		return
	}
	defined := int(a.leaves[n.leaf].defs[lo[n.leaf]])
	switch {
	case n.repeated:
		a.elements(n, lo, hi, rep, def, func(lo, hi []int) { a.instance(n, lo, hi, rep+1, def+1) })
	case n.optional && defined <= def:
		a.dst = append(a.dst, "null"...)
	case n.optional:
		a.instance(n, lo, hi, rep, def+1)
	default:
		a.instance(n, lo, hi, rep, def)
	}
}

// elements writes the repetitions of a node as an array.
func (a *assembler) elements(n *node, lo, hi []int, rep, def int, element func(lo, hi []int)) {
	a.dst = append(a.dst, '[')
	a.repeat(n, lo, hi, rep, def, element)
	a.dst = append(a.dst, ']')
}

// repeat calls element for each repetition of a node, with commas between.
func (a *assembler) repeat(n *node, lo, hi []int, rep, def int, element func(lo, hi []int)) {
	if lo[n.leaf] >= hi[n.leaf] {
		a.failed = errLevels
		return
	}
	if int(a.leaves[n.leaf].defs[lo[n.leaf]]) <= def {
		return
	}
	from, to := append([]int(nil), lo...), append([]int(nil), hi...)
	for first := true; from[n.leaf] < hi[n.leaf] && a.failed == nil; first = false {
		for i := n.leaf; i < n.leaf+n.leaves; i++ {
			to[i] = from[i] + 1
			for to[i] < hi[i] && int(a.leaves[i].reps[to[i]]) > rep+1 {
				to[i]++
			}
		}
		if !first {
			a.dst = append(a.dst, ',')
		}
		element(from, to)
		copy(from, to)
	}
}

// scalar writes a value of a leaf. One that refuses its row is left as what is no JSON, which package columnar finds.
func (a *assembler) scalar(n *node, at int) {
	var fault string
	a.dst, fault = columnar.AppendJSON(a.dst, a.leaves[n.leaf].values, at, a.types[n.leaf].extension)
	switch {
	case fault == "" || fault == columnar.FaultJSON || a.failed != nil:
	case fault == columnar.FaultUTF8:
		a.dst = append(a.dst, 0xff)
	default:
		a.failed = fmt.Errorf("a value of %q: %s", n.name, fault)
	}
}

// instance writes a node that is there.
func (a *assembler) instance(n *node, lo, hi []int, rep, def int) {
	switch {
	case n.children == nil:
		a.scalar(n, lo[n.leaf])
	case n.list:
		inner := n.children[0]
		a.elements(inner, lo, hi, rep, def, func(lo, hi []int) { a.element(n, inner, lo, hi, rep+1, def+1) })
	case n.entries:
		a.entries(n.children[0], lo, hi, rep, def)
	default:
		a.dst = append(a.dst, '{')
		for i, child := range n.children {
			if i > 0 {
				a.dst = append(a.dst, ',')
			}
			a.dst = append(a.dst, child.label...)
			a.field(child, lo, hi, rep, def)
		}
		a.dst = append(a.dst, '}')
	}
}

// element writes an element of a LIST: the only field of the repeated group, but for lists of older writers, where the group is the
// element (the section "Backward-compatibility rules" of Parquet's LogicalTypes.md).
func (a *assembler) element(list, inner *node, lo, hi []int, rep, def int) {
	if len(inner.children) != 1 || inner.name == "array" || inner.name == list.name+"_tuple" {
		a.instance(inner, lo, hi, rep, def)
		return
	}
	a.field(inner.children[0], lo, hi, rep, def)
}

// entries writes a MAP: an object if its keys are texts, else an array of objects.
func (a *assembler) entries(pair *node, lo, hi []int, rep, def int) {
	key, value := pair.children[0], pair.children[1]
	if !key.isText {
		a.elements(pair, lo, hi, rep, def, func(lo, hi []int) { a.instance(pair, lo, hi, rep+1, def+1) })
		return
	}
	a.dst = append(a.dst, '{')
	a.repeat(pair, lo, hi, rep, def, func(lo, hi []int) {
		a.field(key, lo, hi, rep+1, def+1)
		if a.failed == nil && a.dst[len(a.dst)-1] != '"' {
			a.failed = errors.New("a map with a key that is null")
		}
		a.dst = append(a.dst, ':')
		a.field(value, lo, hi, rep+1, def+1)
	})
	a.dst = append(a.dst, '}')
}
