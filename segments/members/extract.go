// Package members finds, in the documents of a JSONB column, members that are worth a column of their own, and takes their values out.
//
// What is taken of a path is exactly what the operator -> yields along it: the text of the value as it stands in the document, and nothing where
// there is no such member. Of members with one name the last counts. Documents are valid JSON in UTF-8; of others the answers mean nothing, but no
// input makes anything panic. Paths lead through objects only. A Set is used by one goroutine at a time; the package reads and writes no files.
package members

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

const (
	// MaxDepth is how many names a path has at most: nobody groups by what lies deeper, and walking costs for each level.
	MaxDepth = 4
	// MaxPaths is how many members of a column are kept at most. Each has a description in the footer for every page.
	MaxPaths = 32
)

// Set is some paths whose values are taken in one walk over a document.
type Set struct {
	paths [][]string
	root  node
}

// node is a name on the way of some paths.
type node struct {
	name     string
	escaped  bool // documents have the name with escapes: a key that looks like it is another
	children []*node
	// place is that of the path that ends here; -1 for none.
	place int
	// first and end enclose the places of all paths that lead here or further.
	first, end int
}

// NewSet makes a set of paths, which Paths lists in their order: sorted, each once.
func NewSet(paths [][]string) *Set {
	s := &Set{paths: slices.Clone(paths), root: node{place: -1}}
	slices.SortFunc(s.paths, slices.Compare[[]string])
	s.paths = slices.CompactFunc(s.paths, slices.Equal[[]string])
	for place, path := range s.paths {
		n := &s.root
		for _, name := range path {
			n.end = place + 1
			n = n.child(name, place)
		}
		n.place, n.end = place, place+1
	}
	return s
}

// child is the child of a name, which is made if it is not the last one: paths come sorted, and place is that of the first that leads there.
func (n *node) child(name string, place int) *node {
	if last := len(n.children) - 1; last >= 0 && n.children[last].name == name {
		return n.children[last]
	}
	made := &node{name: name, escaped: strings.IndexByte(name, '\\') >= 0, place: -1, first: place}
	n.children = append(n.children, made)
	return made
}

// Paths lists the paths; the place of a path is that of its value in what Extract fills in.
func (s *Set) Paths() [][]string { return s.paths }

// Extract sets values[i] to the text of the value at the i-th path of a document, or to no text where there is none: the text of a value is never
// empty. Values are parts of the document.
func (s *Set) Extract(document string, values []string) {
	clear(values)
	if at := jsonscan.SkipSpace(document, 0); at < len(document) && document[at] == '{' {
		s.root.walk(document, at, values)
	}
}

// walk takes the values out of the object that opens at at, and is the place behind it.
func (n *node) walk(s string, at int, values []string) int {
	next := 0 // documents of one maker have their members in one order, so that this child is mostly the next one found
	for at = jsonscan.SkipSpace(s, at+1); at < len(s) && s[at] == '"'; at = jsonscan.SkipSpace(s, at+1) {
		end := jsonscan.SkipString(s, at)
		key := s[at+1 : max(at+1, end-1)]
		at = jsonscan.SkipSpace(s, end)
		at = jsonscan.SkipSpace(s, min(at+1, len(s))) // the colon
		if found := n.find(key, next); found >= 0 {
			at = n.children[found].take(s, at, values)
			next = (found + 1) % len(n.children)
		} else {
			at = jsonscan.SkipValue(s, at)
		}
		if at = jsonscan.SkipSpace(s, at); at >= len(s) || s[at] != ',' {
			break
		}
	}
	return min(at+1, len(s))
}

// find is the place of the child of a key as it stands in a document, at first; -1 where there is none.
func (n *node) find(key string, first int) int {
	if c := n.children[first]; c.name == key && !c.escaped {
		return first
	}
	if strings.IndexByte(key, '\\') >= 0 {
		key = unquote(key)
	}
	return slices.IndexFunc(n.children, func(c *node) bool { return c.name == key })
}

// unquote is what a key with escapes stands for.
func unquote(key string) string {
	var out string
	if json.Unmarshal([]byte(`"`+key+`"`), &out) != nil {
		return key
	}
	return out
}

// take takes the value at at, which is that of the node's name, and is the place behind it. A member of the same name before it, with all below,
// does not count.
func (n *node) take(s string, at int, values []string) int {
	clear(values[n.first:n.end])
	var end int
	if len(n.children) > 0 && at < len(s) && s[at] == '{' {
		end = n.walk(s, at, values)
	} else {
		end = jsonscan.SkipValue(s, at)
	}
	if n.place >= 0 {
		values[n.place] = s[at:end]
	}
	return end
}
