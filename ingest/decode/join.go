package decode

import (
	"slices"

	"github.com/zeebo/xxh3"
)

// Join makes one chunk of the chunks of one body, in their order. Fields are those of all; columns stay columns where all chunks have the same.
func Join(chunks []*Chunk) *Chunk {
	if len(chunks) == 1 {
		return chunks[0]
	}
	out := &Chunk{joined: chunks}
	out.Columns, out.Rows = joinColumns(chunks)
	out.Types = chunks[0].Types
	if out.Columns != nil {
		out.Spell = func() (texts [][]byte) {
			for _, c := range chunks {
				texts = append(texts, c.RowTexts()...)
			}
			return texts
		}
	}
	rows := 0
	for _, c := range chunks {
		for _, r := range c.Refused {
			if c.Numbers == nil {
				r.Line += rows
			}
			out.Refused = append(out.Refused, r)
		}
		rows += len(c.Refused)
		rows += out.join(c)
		out.Numbers = append(out.Numbers, c.Numbers...)
		for _, f := range c.Fields {
			if !slices.ContainsFunc(out.Fields, func(o Field) bool { return o.Name == f.Name }) {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	out.Digest = sumOf(chunks, (*Chunk).Sum)
	return out
}

// join adds the rows of a chunk, and gives how many those are.
func (c *Chunk) join(more *Chunk) int {
	switch {
	case c.Columns != nil:
		return more.Rows
	case more.Columns != nil || more.Texts != nil:
		texts := more.RowTexts()
		c.Texts = append(c.Texts, texts...)
		return len(texts)
	default:
		c.Lines = append(c.Lines, more.Lines...)
		if n := len(c.Lines); n > 0 && c.Lines[n-1] != '\n' {
			c.Lines = append(c.Lines, '\n')
		}
		return countRows(more.Lines)
	}
}

// sumOf is a hash of the chunks' hashes.
func sumOf(chunks []*Chunk, one func(*Chunk) [16]byte) [16]byte {
	sums := xxh3.New128()
	for _, c := range chunks {
		sum := one(c)
		_, _ = sums.Write(sum[:]) // never fails
	}
	return sums.Sum128().Bytes()
}

// countRows counts the lines that are not blank.
func countRows(text []byte) int {
	rows := splitLines(text)
	n := 0
	for _, ok := rows.next(); ok; _, ok = rows.next() {
		n++
	}
	return n
}
