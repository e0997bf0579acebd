package parquet

import (
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/texts"
)

const (
	// maxDistinct is where a code for each row and the dictionary together save little over the text. A dictionary that large
	// still pays: who groups by the column hashes each text once for a row group and not once for each row.
	maxDistinct = 512 << 10
	// MaxDictionaryText bounds a dictionary in bytes: readers hold it as a whole.
	MaxDictionaryText = 16 << 20
	// probeRows is the least number of rows that decide that nearly every value is new, so that none need be numbered. A
	// sixteenth of the rows is asked where that is more: 8,192 rows out of 200,000 values hardly repeat one.
	probeRows = 8 << 10
)

// TextCodes numbers the texts of a column of a row group in order of first appearance, for as long as a dictionary of them pays: until there
// are too many distinct texts, or more than half are, some thousands aside.
type TextCodes struct {
	table              *texts.Table
	probe, limit, used int // rows that are probed, distinct texts at most, and rows that have a number
}

// NewTextCodes begins a column of so many rows, nulls of which have no text.
func NewTextCodes(rows, nulls int) *TextCodes {
	return &TextCodes{table: texts.New(), probe: max(1, rows/16/probeRows) * probeRows, limit: textLimit(rows, nulls)}
}

// textLimit is how many distinct texts a dictionary of a column has at most.
func textLimit(rows, nulls int) int { return min(maxDistinct, (rows-nulls)/2+probeRows/2) }

// atOnce is how many rows Fill looks up at a time.
const atOnce = 64

// Fill gives the rows of the column their codes; those of rows that are NULL are 0. text gives the text of a row, of which nothing is kept. When
// a dictionary does not pay ok is false, and nothing more is to be asked.
func (t *TextCodes) Fill(codes []int32, valid event.Bitmap, text func(row int) string) (ok bool) {
	if t.nearlyAllDiffer(len(codes), valid, text) {
		return false
	}
	var list [atOnce]string
	var rows [atOnce]int
	var numbers [atOnce]uint32
	n := 0
	for row := range codes {
		if codes[row] = 0; valid.Valid(row) {
			list[n], rows[n] = text(row), row
			n++
		}
		if n < atOnce && row+1 < len(codes) {
			continue
		}
		t.table.InsertAll(list[:n], numbers[:n])
		for i, row := range rows[:n] {
			codes[row] = int32(numbers[i])
		}
		before := t.used / probeRows
		t.used += n
		if n = 0; t.used/probeRows != before && !t.fits() {
			return false
		}
	}
	return true
}

// nearlyAllDiffer looks at the first texts by their hashes alone: numbering what is new costs ten times as much as hashing it.
func (t *TextCodes) nearlyAllDiffer(rows int, valid event.Bitmap, text func(row int) string) bool {
	if rows < t.probe {
		return false
	}
	hashes := make([]uint64, 0, t.probe)
	for row := 0; row < rows && len(hashes) < t.probe; row++ {
		if valid.Valid(row) {
			hashes = append(hashes, xxh3.HashString(text(row)))
		}
	}
	return len(hashes) == t.probe && distinct(hashes) > int64(t.probe)*7/8
}

func (t *TextCodes) fits() bool { return fitsDictionary(t.table.Len(), t.table.TextBytes(), t.limit) }

func fitsDictionary(count, bytes, limit int) bool {
	return count <= limit && bytes <= MaxDictionaryText
}

// Dictionary is the distinct texts by code, once all rows have been asked; nil where it does not pay after all.
func (t *TextCodes) Dictionary() *array.String {
	if !t.fits() {
		return nil
	}
	data, ends := t.table.Layout()
	offsets := make([]int32, 1, len(ends)+1)
	for _, end := range ends {
		offsets = append(offsets, int32(end))
	}
	return event.NewStrings(offsets, data, nil).(*array.String)
}
