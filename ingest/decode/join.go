package decode

import (
	"slices"

	"github.com/zeebo/xxh3"
)

// Join makes one chunk of the chunks of one body, in their order. Fields are those of all; columns are left to the texts, which say the same.
func Join(chunks []*Chunk) *Chunk {
	if len(chunks) == 1 {
		return chunks[0]
	}
	out, sums := &Chunk{}, xxh3.New128()
	rows := 0
	for _, c := range chunks {
		sum := c.Sum()
		_, _ = sums.Write(sum[:]) // never fails
		for _, r := range c.Refused {
			if c.Numbers == nil {
				r.Line += rows
			}
			out.Refused = append(out.Refused, r)
		}
		rows += len(c.Refused)
		if c.Texts == nil {
			rows += countRows(c.Lines)
			out.Lines = append(out.Lines, c.Lines...)
			if n := len(out.Lines); n > 0 && out.Lines[n-1] != '\n' {
				out.Lines = append(out.Lines, '\n')
			}
		}
		rows += len(c.Texts)
		out.Texts = append(out.Texts, c.Texts...)
		out.Numbers = append(out.Numbers, c.Numbers...)
		for _, f := range c.Fields {
			if !slices.ContainsFunc(out.Fields, func(o Field) bool { return o.Name == f.Name }) {
				out.Fields = append(out.Fields, f)
			}
		}
	}
	out.Digest = sums.Sum128().Bytes()
	return out
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
