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

// WriteTable prints an answer as aligned columns with the number of rows below, or as a block per row when expanded.
// A statement without columns prints OK.
func WriteTable(w io.Writer, result *client.Result, expanded bool) {
	switch {
	case len(result.Columns) == 0:
		fmt.Fprintln(w, "OK")
		return
	case expanded:
		writeBlocks(w, result)
	default:
		writeColumns(w, result)
	}
	fmt.Fprintln(w, rowCount(result))
}

func writeColumns(w io.Writer, result *client.Result) {
	t := table.NewWriter()
	t.SetStyle(tableStyle())
	header := make(table.Row, len(result.Columns))
	configs := make([]table.ColumnConfig, len(result.Columns))
	for i, c := range result.Columns {
		header[i] = printable(c.Name)
		configs[i] = table.ColumnConfig{Number: i + 1, Align: alignment(c.Type), AlignHeader: alignment(c.Type)}
	}
	t.AppendHeader(header)
	t.SetColumnConfigs(configs)
	for _, values := range result.Rows {
		row := make(table.Row, len(values))
		for i, v := range values {
			row[i] = Cell(v)
		}
		t.AppendRow(row)
	}
	for line := range strings.Lines(t.Render()) {
		fmt.Fprintln(w, strings.TrimRight(line, " \n"))
	}
}

// writeBlocks prints a row as lines of "name | value" under a numbered rule.
func writeBlocks(w io.Writer, result *client.Result) {
	width := 0
	for _, c := range result.Columns {
		width = max(width, text.StringWidthWithoutEscSequences(printable(c.Name)))
	}
	for n, values := range result.Rows {
		title := fmt.Sprintf("─[ row %d ]", n+1)
		fmt.Fprintln(w, title+strings.Repeat("─", max(2, width+12-len([]rune(title)))))
		for i, v := range values {
			fmt.Fprintf(w, "%s │ %s\n", text.Pad(printable(result.Columns[i].Name), width, ' '), Cell(v))
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
	switch base {
	case "SMALLINT", "INTEGER", "BIGINT", "REAL", "DOUBLE PRECISION", "NUMERIC":
		return text.AlignRight
	default:
		return text.AlignLeft
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
	default:
		return printable(nested(v))
	}
}

// nested writes an array or object as compact JSON without the escapes that only HTML needs.
func nested(value any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Sprint(value)
	}
	return strings.TrimSuffix(b.String(), "\n")
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
