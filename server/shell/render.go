package shell

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/tidemarkdb/tidemark/server/client"
)

// Layout is how answers are shown. Its zero value is for output that no person looks at.
type Layout struct {
	// Expanded shows a block for each row, a column a line.
	Expanded Expanded
	// Width is how many characters a line of the terminal has; 0 where there is none.
	Width int
	// Color sets NULLs and headers apart.
	Color bool
}

// Expanded says when rows are shown as blocks.
type Expanded uint8

// The choices of Expanded.
const (
	ExpandedOff Expanded = iota
	ExpandedOn
	ExpandedAuto // where columns are wider than the terminal
)

// WriteTable prints an answer as aligned columns with the number of rows below, or as a block per row when expanded.
// A statement without columns prints OK.
func WriteTable(w io.Writer, result *client.Result, layout Layout) {
	switch {
	case len(result.Columns) == 0:
		fmt.Fprintln(w, "OK")
		return
	case layout.Expanded == ExpandedOn:
		writeBlocks(w, result, layout)
	default:
		lines := columnLines(result, layout)
		if layout.Expanded == ExpandedAuto && layout.Width > 0 && widest(lines) > layout.Width {
			writeBlocks(w, result, layout)
			break
		}
		for _, line := range lines {
			fmt.Fprintln(w, line)
		}
	}
	fmt.Fprintln(w, rowCount(result))
}

func widest(lines []string) int {
	width := 0
	for _, line := range lines {
		width = max(width, text.StringWidthWithoutEscSequences(line))
	}
	return width
}

// columnLines are the lines of a table, without blanks at their ends.
func columnLines(result *client.Result, layout Layout) []string {
	t := table.NewWriter()
	t.SetStyle(tableStyle())
	header := make(table.Row, len(result.Columns))
	configs := make([]table.ColumnConfig, len(result.Columns))
	for i, c := range result.Columns {
		header[i] = layout.header(printable(c.Name))
		configs[i] = table.ColumnConfig{Number: i + 1, Align: alignment(c.Type), AlignHeader: alignment(c.Type)}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, values := range result.Rows {
		row := make(table.Row, len(values))
		for i, v := range values {
			row[i] = layout.cell(v)
		}
		t.AppendRow(row)
	}
	lines := strings.Split(strings.TrimRight(t.Render(), "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return lines
}

// The escape sequences of colour.
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

func (l Layout) header(name string) string {
	if !l.Color {
		return name
	}
	return bold + name + plain
}

func (l Layout) cell(value any) string {
	if l.Color && value == nil {
		return faint + "NULL" + plain
	}
	return Cell(value)
}

// writeBlocks prints a row as lines of "name | value" under a numbered rule.
func writeBlocks(w io.Writer, result *client.Result, layout Layout) {
	width := 0
	for _, c := range result.Columns {
		width = max(width, text.StringWidthWithoutEscSequences(printable(c.Name)))
	}
	for n, values := range result.Rows {
		title := fmt.Sprintf("─[ row %d ]", n+1)
		fmt.Fprintln(w, title+strings.Repeat("─", max(2, width+12-len([]rune(title)))))
		for i, v := range values {
			fmt.Fprintf(w, "%s │ %s\n", text.Pad(layout.header(printable(result.Columns[i].Name)), width, ' '), layout.cell(v))
		}
	}
}

func rowCount(result *client.Result) string {
	n := strconv.Itoa(len(result.Rows)) + " rows"
	if len(result.Rows) == 1 {
		n = "1 row"
	}
	if result.Stats.Truncated {
		n += ", cut at the most allowed"
	}
	return "(" + n + ")"
}

func tableStyle() table.Style {
	style := table.StyleLight
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{DrawBorder: false, SeparateColumns: true, SeparateHeader: true}
	return style
}

// alignment puts numbers to the right, where their digits line up.
func alignment(sqlType string) text.Align {
	base, _, _ := strings.Cut(strings.ToUpper(sqlType), "(")
	if isNumber(base) {
		return text.AlignRight
	}
	return text.AlignLeft
}

func isNumber(sqlType string) bool {
	switch sqlType {
	case "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE PRECISION", "NUMERIC":
		return true
	default:
		return false
	}
}

// Cell is a value as one line of plain text.
func Cell(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case string:
		return printable(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case json.RawMessage:
		return printable(string(v))
	default:
		return printable(fmt.Sprint(v))
	}
}

// printable escapes what would break the table or steer the terminal: control characters and line breaks.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if unsafe(r) {
			clean = false
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unsafe(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// unsafe covers control characters and the invisible marks that reverse the reading order.
func unsafe(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar
}

// Thousands writes a count with separators: 1,234,567.
func Thousands(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}
