package decode

import (
	"bytes"
	"sync/atomic"
)

const (
	// MaxChunkCells is about how many values the rows of a chunk may become. A column has a place for each row, with a value or without: short rows
	// beside one that has thousands of members would take thousands of times their own memory.
	MaxChunkCells = 1 << 22

	// leastRow is how short a line with a row may be, and fewColumns are so few that it does no harm to go by how long the first lines are.
	leastRow   = 3
	fewColumns = 16
)

// Cells is about how many values the chunk's rows become under a schema of so many columns; 0 where columns come with the chunk, which others do not add to.
func (c *Chunk) Cells(columns int) int {
	switch {
	case c.Columns != nil:
		return 0
	case c.Texts != nil:
		return columns * len(c.Texts)
	case columns <= fewColumns:
		rows := splitLines(c.Lines)
		return columns * rows.about()
	case columns*len(c.Lines)/leastRow <= MaxChunkCells:
		return columns * len(c.Lines) / leastRow
	default:
		return columns * bytes.Count(c.Lines, newline) // but for a last one without a break
	}
}

// Split cuts a chunk of texts or lines into such of at most so many rows. first is the number of the chunk's first row, as in Decode.
func (c *Chunk) Split(rows int, first int64) []*Chunk {
	var parts []*Chunk
	if c.Texts != nil {
		parts = c.splitTexts(rows, first)
	} else {
		parts = c.splitLines(rows)
	}
	free, left := c.Free, new(atomic.Int64)
	left.Store(int64(len(parts)))
	for _, part := range parts {
		part.Fields, part.Kept = c.Fields, c.Kept/int64(len(parts))
		if free != nil {
			part.Free = func() {
				if left.Add(-1) == 0 {
					free()
				}
			}
		}
	}
	return parts
}

func (c *Chunk) splitLines(rows int) (parts []*Chunk) {
	for rest := c.Lines; len(rest) > 0; {
		end := 0
		for n := 0; n < rows && end < len(rest); n++ {
			if next := bytes.IndexByte(rest[end:], '\n'); next >= 0 {
				end += next + 1
			} else {
				end = len(rest)
			}
		}
		parts = append(parts, &Chunk{Lines: rest[:end:end]})
		rest = rest[end:]
	}
	return parts
}

// splitTexts numbers all rows, as those that were refused stand between the texts. They go with the first part.
func (c *Chunk) splitTexts(rows int, first int64) (parts []*Chunk) {
	numbers, refused := c.Numbers, c.Refused
	if numbers == nil {
		places := c.places(len(c.Texts))
		numbers = make([]int64, len(c.Texts))
		for i := range numbers {
			numbers[i] = first + int64(i)
			if places != nil {
				numbers[i] = first + int64(places[i])
			}
		}
		refused = make([]Rejected, len(c.Refused))
		for i, r := range c.Refused {
			r.Line += int(first)
			refused[i] = r
		}
	}
	for from := 0; from < len(c.Texts); from += rows {
		to := min(from+rows, len(c.Texts))
		parts = append(parts, &Chunk{Texts: c.Texts[from:to:to], Numbers: numbers[from:to:to]})
	}
	if len(parts) > 0 {
		parts[0].Refused = refused
	}
	return parts
}
