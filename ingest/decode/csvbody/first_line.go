package csvbody

import (
	"bytes"
	"slices"
	"strconv"
	"unsafe"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode/celltext"
)

// reading is what a cell reads as, for telling a row from names.
type reading uint8

const (
	noValue reading = iota
	aText
	aNumber
	aTime
	aBoolean
)

func (r reading) String() string {
	return [...]string{"nothing", "a text", "a number", "a time", "a boolean"}[r]
}

// typed reports whether it says something of a column that holds nothing else.
func (r reading) typed() bool { return r >= aNumber }

// firstLine is the line that was taken for the names of the columns, while it is in doubt whether it is a row: most bodies have a line above their rows, and
// those that have none would lose a row without a word of it.
type firstLine struct {
	reader *Reader
	raw    []byte
	cells  []cell
	reads  []reading
	// vague is set where a name is missing between others, or occurs twice: names may be so, and rows often are.
	vague bool
}

// doubted is the line if something in it is not as names are, else nil.
func (r *Reader) doubted(line record) *firstLine {
	cells := slices.Clone(line.cells)
	f := &firstLine{reader: r, raw: line.raw, cells: cells, reads: make([]reading, len(cells))}
	seen, typed := make(map[string]bool, len(cells)), false
	for i, c := range cells {
		f.reads[i] = r.reads(c)
		typed = typed || f.reads[i].typed()
		if len(c.text) == 0 { // an index has no name, and a delimiter may stand behind the last one
			f.vague = f.vague || i > 0 && i < len(cells)-1
			continue
		}
		f.vague = f.vague || seen[string(c.text)]
		seen[string(c.text)] = true
	}
	if !typed && !f.vague {
		return nil
	}
	return f
}

// reads is what a cell reads as.
func (r *Reader) reads(c cell) reading {
	text := unsafe.String(unsafe.SliceData(c.text), len(c.text))
	switch {
	case r.isNull(c), text == "":
		return noValue
	case celltext.IsTruth(c.text):
		return aBoolean
	case isFigure(c.text, r.records.delimiter != ','):
		return aNumber
	}
	if _, ok := event.WrittenTimestamp(text); ok {
		return aTime
	}
	if _, ok := event.DayFirst.YearFirst(text); ok {
		return aTime
	}
	if _, ok := event.MonthFirst.YearFirst(text); ok {
		return aTime
	}
	return aText
}

// isFigure takes a number in more spellings than become one, also with a comma for its point.
func isFigure(text []byte, comma bool) bool {
	if !bytes.ContainsAny(text[:1], "+-.,0123456789") {
		return false
	}
	if comma && bytes.Count(text, []byte{','}) == 1 {
		text = bytes.Replace(text, []byte{','}, []byte{'.'}, 1)
	}
	_, err := strconv.ParseFloat(string(text), 64)
	return err == nil && !bytes.ContainsAny(text, "xXiInN")
}

// column is what the cells below one of the line read as.
type column struct {
	reads    reading
	years    bool // all are numbers that may be years
	repeated bool // one of them is the same text
}

// columns looks at rows.
func (f *firstLine) columns(rows [][]byte) []column {
	out := make([]column, len(f.cells))
	for i := range out {
		out[i].years = true
	}
	split := records{delimiter: f.reader.records.delimiter, escape: f.reader.records.escape}
	for _, raw := range rows {
		cells := f.reader.withoutSurplus(split.split(raw).cells)
		if len(cells) != len(out) {
			continue
		}
		again := bytes.Equal(raw, f.raw) // the line of names, where files were joined
		for i, c := range cells {
			column := &out[i]
			column.repeated = column.repeated || !again && bytes.Equal(c.text, f.cells[i].text)
			if column.reads != aText {
				column.add(f.reader.reads(c), c.text)
			}
		}
	}
	return out
}

func (c *column) add(reads reading, text []byte) {
	switch {
	case reads == noValue:
		return
	case c.reads != noValue && c.reads != reads:
		reads = aText
	}
	c.reads, c.years = reads, c.years && isYear(text)
}

// row says why the line is a row, by the rows below it: which cell of it reads as all below it do. It is none where a cell of it does not, though those below
// read as one thing: that is a name then. -1 says that nothing shows the line to be a row.
func (f *firstLine) row(rows [][]byte) (cell int) {
	columns := f.columns(rows)
	var like []int
	for i, reads := range f.reads {
		switch below := columns[i].reads; {
		case reads != noValue && below.typed() && below != reads:
			return -1
		case reads.typed() && (below == reads || len(rows) == 0 && reads != aBoolean):
			like = append(like, i)
		}
	}
	if len(like) > 0 && !f.namesOfNumbers(like, columns, len(rows) > 0) {
		return like[0]
	}
	again := slices.IndexFunc(columns, func(c column) bool { return c.reads == aText && c.repeated })
	if f.vague && again >= 0 {
		return again
	}
	return -1
}

// countedNames is how many numbers that count on from 0 or 1 are taken for names.
const countedNames = 4

// namesOfNumbers reports whether cells may well be names: years in order above numbers that are no years, as in a table with a column for each, or numbers
// that count on, as those that data frames have for names.
func (f *firstLine) namesOfNumbers(places []int, columns []column, rows bool) bool {
	var numbers []int
	years, below := true, rows
	for _, at := range places {
		text := f.cells[at].text
		n, err := strconv.Atoi(string(text))
		if err != nil || strconv.Itoa(n) != string(text) {
			return false
		}
		numbers = append(numbers, n)
		years, below = years && isYear(text), below && columns[at].years
	}
	up, down, counted := true, true, numbers[0] == 0 || numbers[0] == 1
	for i := 1; i < len(numbers); i++ {
		up, down, counted = up && numbers[i] > numbers[i-1], down && numbers[i] < numbers[i-1], counted && numbers[i] == numbers[i-1]+1
	}
	index := f.reads[0] == noValue
	return years && !below && (up || down) || counted && (len(numbers) >= countedNames || index && numbers[0] == 0)
}

// isYear takes the years that tables are about.
func isYear(text []byte) bool {
	n, err := strconv.Atoi(string(text))
	return err == nil && n >= 1900 && n <= 2100 && len(text) == len("2026")
}

// fault is the error of a body whose first line is a row, as a cell of it shows.
func (f *firstLine) fault(cell int) error {
	like := "and so are all below it"
	if f.reads[cell] == aText {
		like = "and one below it is the same, where names are missing or occur twice"
	}
	return event.Errorf(event.CodeBadRequest, "the first line, %.60q, is a row where the names of the columns are expected: its cell %d, %.40q, is %s, %s",
		f.raw, cell+1, f.cells[cell].text, f.reads[cell], like).WithHint(firstLineHint)
}

// firstLineHint is what to do about a first line that is a row.
const firstLineHint = "header=false takes it as a row, and columns=a,b,... names the columns; header=true takes it for their names " +
	"(tidemark load --header, --columns)"

// judge ends a body whose first line is a row, once rows behind it are there.
func (r *Reader) judge(rows [][]byte) error {
	doubted := r.doubt
	if r.doubt = nil; doubted == nil {
		return nil
	}
	if at := doubted.row(rows); at >= 0 {
		return doubted.fault(at)
	}
	return nil
}
