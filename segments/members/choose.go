// Package members chooses, of what the documents of a JSONB column have, the members that are worth a column of their own.
//
// Paths lead through objects only. Documents are valid JSON in UTF-8; of others the answers mean nothing, but no input makes anything panic. The
// package reads and writes no files, and its functions may be called from any goroutine.
package members

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

const (
	// MaxDepth is how many names a path has at most: nobody groups by what lies deeper, and walking costs for each level.
	MaxDepth = 6
	// MaxPaths is how many members of a column are kept at most. Each has a description in the footer for every page.
	MaxPaths = maxOften + maxRare

	// sampleRows and sampleBytes bound the documents that a choice looks at: about as many as make a quarter of them distinct from a third.
	sampleRows  = 1000
	sampleBytes = 4 << 20
	// maxSeen bounds the paths that are counted: objects whose names are data, as those keyed by user, have no end of them.
	maxSeen = 2048
	// often is the part of the documents, one in so many, from which on a member is not rare, and seldom that which it has to be in: some twenty of
	// the sample.
	often, seldom = 4, 50
	// maxOften and maxRare are how many members of either kind are kept.
	maxOften, maxRare = 32, 32
	// longest is how many bytes a value may have on average.
	longest = 128
	// repeats is how often each value has to come, of those seen, for a member to count as one that repeats.
	repeats = 4
	// growth is the part of the documents' text, one in so many and spare bytes for each document, that members may add where they are texts that
	// do not repeat.
	growth, spare = 4, 16
	// rareGrowth is growth for rare members, which have it to themselves: they take nothing from those that are there often.
	rareGrowth = 16
)

// Choose picks the members of a column's documents that are worth a column, by a sample of its rows. document gives that of a row; ok is false for
// NULL. Members that repeat their values come first, then short ones, and those last that are different in every document; among their like, those
// of more documents.
func Choose(rows int, document func(row int) (text string, ok bool)) *jsonscan.Paths {
	s := sample{seed: maphash.MakeSeed(), root: &seen{}}
	step := max(1, rows/sampleRows)
	for row := step / 2; row < rows && s.bytes < sampleBytes; row += step {
		if text, ok := document(row); ok {
			s.documents++
			s.bytes += len(text)
			if at := jsonscan.SkipSpace(text, 0); at < len(text) && text[at] == '{' {
				s.walk(text, at, s.root, 1)
			}
		}
	}
	if s.documents == 0 {
		return nil
	}
	var usual, rare []candidate
	for _, c := range s.worthy(nil, s.root, nil) {
		if c.count*often >= s.documents {
			usual = append(usual, c)
		} else {
			rare = append(rare, c)
		}
	}
	paths := cheapest(nil, usual, maxOften, s.bytes/growth+spare*s.documents)
	paths = cheapest(paths, rare, maxRare, s.bytes/rareGrowth)
	if len(paths) == 0 {
		return nil
	}
	return jsonscan.NewPaths(paths)
}

// cheapest appends the paths of so many candidates at most, and of so many bytes.
func cheapest(paths [][]string, of []candidate, most, bytes int) [][]string {
	slices.SortFunc(of, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.cost, b.cost), cmp.Compare(b.count, a.count), slices.Compare(a.path, b.path))
	})
	for _, c := range of[:min(most, len(of))] {
		if bytes -= c.bytes; bytes < 0 {
			break
		}
		paths = append(paths, c.path)
	}
	return paths
}

// sample is what has been seen of some documents.
type sample struct {
	seed      maphash.Seed
	root      *seen
	nodes     int
	documents int
	bytes     int
}

// seen is what is known of the members at one path.
type seen struct {
	children map[string]*seen
	last     int // the document, counted from 1, that had it last
	count    int
	objects  int
	bytes    int
	values   map[uint64]struct{} // hashes of the values that are no objects
}

// walk counts the members of the object that opens at at, and is the place behind it.
func (s *sample) walk(text string, at int, parent *seen, depth int) int {
	for at = jsonscan.SkipSpace(text, at+1); at < len(text) && text[at] == '"'; at = jsonscan.SkipSpace(text, at+1) {
		end := jsonscan.SkipString(text, at)
		key := text[at+1 : max(at+1, end-1)]
		at = jsonscan.SkipSpace(text, end)
		at = jsonscan.SkipSpace(text, min(at+1, len(text))) // the colon
		m := s.child(parent, key)
		switch {
		case m == nil:
			at = jsonscan.SkipValue(text, at)
		case at < len(text) && text[at] == '{' && depth < MaxDepth:
			end = s.walk(text, at, m, depth+1)
			s.count(m, text[at:end])
			at = end
		default:
			end = jsonscan.SkipValue(text, at)
			s.count(m, text[at:end])
			at = end
		}
		if at = jsonscan.SkipSpace(text, at); at >= len(text) || text[at] != ',' {
			break
		}
	}
	return min(at+1, len(text))
}

// child is what is known of a member, or nil where too many are.
func (s *sample) child(parent *seen, key string) *seen {
	if strings.IndexByte(key, '\\') >= 0 {
		key = jsonscan.Unquote(`"` + key + `"`)
	}
	m := parent.children[key]
	if m != nil || s.nodes == maxSeen {
		return m
	}
	if parent.children == nil {
		parent.children = map[string]*seen{}
	}
	s.nodes++
	m = &seen{values: map[uint64]struct{}{}}
	parent.children[key] = m
	return m
}

func (s *sample) count(m *seen, value string) {
	if m.last == s.documents {
		return // the document has it twice
	}
	m.last = s.documents
	m.count++
	m.bytes += len(value)
	if strings.HasPrefix(value, "{") {
		m.objects++
	} else {
		m.values[maphash.String(s.seed, value)] = struct{}{}
	}
}

// candidate is a member that may have a column.
type candidate struct {
	path []string
	// count is how many documents have it, bytes about what its values add, and cost what decides who comes first.
	count, bytes, cost int
}

// worthy appends the candidates below a path.
func (s *sample) worthy(out []candidate, at *seen, path []string) []candidate {
	for name, m := range at.children {
		if m.count*seldom < s.documents {
			continue // nor is anything below it there more often
		}
		below := append(slices.Clip(path), name)
		out = s.worthy(out, m, below)
		average := m.bytes / m.count
		if 2*m.objects > m.count || average > longest {
			continue
		}
		c := candidate{path: below, count: m.count, bytes: m.bytes, cost: average}
		switch distinct := len(m.values); {
		case distinct*repeats <= m.count:
			c.bytes, c.cost = m.count, 0
		case distinct == m.count:
			c.cost += longest
		}
		out = append(out, c)
	}
	return out
}
