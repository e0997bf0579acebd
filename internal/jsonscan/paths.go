package jsonscan

import (
	"slices"
	"strings"
)

// Paths is some paths through objects, whose values are taken out of a document together: what they have in common is found once. It never changes.
type Paths struct {
	paths [][]string
	root  node
}

// node is a name on the way of some paths.
type node struct {
	name     Name
	children []*node
	byName   map[string]int // the children, where they are many
	// place is that of the path that ends here; -1 for none.
	place int
	// first and end enclose the places of all paths that lead here or further.
	first, end int
}

// manyNames is how many names are worth a map of them.
const manyNames = 8

// fewNames is how many names are searched for one by one: for more a walk over all members of an object is cheaper.
const fewNames = 3

// NewPaths makes a set of paths, which Paths lists in their order: sorted, each once. A path has at least one name.
func NewPaths(paths [][]string) *Paths {
	p := &Paths{paths: slices.Clone(paths), root: node{place: -1}}
	slices.SortFunc(p.paths, slices.Compare[[]string])
	p.paths = slices.CompactFunc(p.paths, slices.Equal[[]string])
	for place, path := range p.paths {
		n := &p.root
		for _, name := range path {
			n.end = place + 1
			n = n.child(name, place)
		}
		n.place, n.end = place, place+1
	}
	p.root.number()
	return p
}

// number makes the maps of a node and of those below.
func (n *node) number() {
	if len(n.children) > manyNames {
		n.byName = make(map[string]int, len(n.children))
	}
	for i, c := range n.children {
		if n.byName != nil {
			n.byName[c.name.name] = i
		}
		c.number()
	}
}

// child is the child of a name, which is made if it is not the last one: paths come sorted, and place is that of the first that leads there.
func (n *node) child(name string, place int) *node {
	if last := len(n.children) - 1; last >= 0 && n.children[last].name.name == name {
		return n.children[last]
	}
	made := &node{name: NameOf(name), place: -1, first: place}
	n.children = append(n.children, made)
	return made
}

// Paths lists the paths; the place of a path is that of its value in what Extract fills in.
func (p *Paths) Paths() [][]string { return p.paths }

// Extract sets values[i] to the text of the value at the i-th path of a document, or to no text where there is none: the text of a value is never
// empty. Of members with one name the last counts. Values are parts of the document.
func (p *Paths) Extract(document string, values []string) {
	clear(values)
	if at := SkipSpace(document, 0); at < len(document) && document[at] == '{' {
		p.root.within(document[at:], values)
	}
}

// within takes the values out of an object, which begins the text.
func (n *node) within(object string, values []string) {
	if len(n.children) > fewNames {
		n.walk(object, 0, values)
		return
	}
	for _, c := range n.children {
		value, ok := c.name.In(object)
		if !ok {
			continue
		}
		if c.place >= 0 {
			values[c.place] = value
		}
		if len(c.children) > 0 && strings.HasPrefix(value, "{") {
			c.within(value, values)
		}
	}
}

// walk takes the values out of the object that opens at at, and is the place behind it.
func (n *node) walk(s string, at int, values []string) int {
	next := 0 // documents of one maker have their members in one order, so that this child is mostly the next one found
	for at = SkipSpace(s, at+1); at < len(s) && s[at] == '"'; at = SkipSpace(s, at+1) {
		end := SkipString(s, at)
		key := s[at:end]
		at = SkipSpace(s, end)
		at = SkipSpace(s, min(at+1, len(s))) // the colon
		if found := n.find(key, next); found >= 0 {
			at = n.children[found].take(s, at, values)
			next = (found + 1) % len(n.children)
		} else {
			at = SkipValue(s, at)
		}
		if at = SkipSpace(s, at); at >= len(s) || s[at] != ',' {
			break
		}
	}
	return min(at+1, len(s))
}

// find is the place of the child of a key as it stands in a document, in quotes, at first; -1 where there is none.
func (n *node) find(key string, first int) int {
	if n.children[first].name.is(key) {
		return first
	}
	name := Unquote(key)
	if n.byName != nil {
		if at, ok := n.byName[name]; ok {
			return at
		}
		return -1
	}
	return slices.IndexFunc(n.children, func(c *node) bool { return c.name.name == name })
}

// take takes the value at at, which is that of the node's name, and is the place behind it. A member of the same name before it, with all below,
// does not count.
func (n *node) take(s string, at int, values []string) int {
	clear(values[n.first:n.end])
	var end int
	switch object := at < len(s) && s[at] == '{'; {
	case object && len(n.children) > fewNames:
		end = n.walk(s, at, values)
	case object && len(n.children) > 0:
		end = SkipNested(s, at)
		n.within(s[at:end], values)
	default:
		end = SkipValue(s, at)
	}
	if n.place >= 0 {
		values[n.place] = s[at:end]
	}
	return end
}
