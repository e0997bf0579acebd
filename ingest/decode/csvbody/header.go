package csvbody

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/linebody"
	"github.com/tidemarkdb/tidemark/ingest/decode/w3cbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/zeekbody"
)

// Header says whether a body's first line names the columns.
type Header uint8

// The kinds of first lines.
const (
	LikelyHeader  Header = iota // names, unless it shows to be a row, which is an error of the request
	WithHeader                  // names, whatever they look like
	WithoutHeader               // a row
)

// ParseHeader reads true or false, and what a media type says of a header: present or absent. "" leaves it to the line.
func ParseHeader(text string) (Header, error) {
	switch text {
	case "":
		return LikelyHeader, nil
	case "true", "present":
		return WithHeader, nil
	case "false", "absent":
		return WithoutHeader, nil
	default:
		return 0, event.Errorf(event.CodeBadRequest, "header is %q", text).WithHint("it is true where the first line names the columns, or false where it is a row")
	}
}

// ParseColumns reads names with commas between them, which may be quoted as cells are.
func ParseColumns(text string) ([]string, error) {
	split := records{delimiter: ','}
	line := split.split([]byte(text))
	if line.fault != "" {
		return nil, event.Errorf(event.CodeBadRequest, "columns: %s", line.fault)
	}
	names := make([]string, len(line.cells))
	for i, c := range line.cells {
		if names[i] = string(c.text); names[i] == "" || slices.Contains(names[:i], names[i]) {
			return nil, event.Errorf(event.CodeBadRequest, "columns: name %d is %q", i+1, names[i]).WithHint("each column needs a name of its own")
		}
	}
	return names, nil
}

// readHeader finds the names of the columns.
func (r *Reader) readHeader() error {
	rec, err := r.firstRecord()
	if errors.Is(err, io.EOF) {
		return event.Errorf(event.CodeBadRequest, "the body is empty").WithHint("its first line must name the columns")
	}
	if err != nil {
		return err
	}
	if rec.fault == "" && r.options.Header != WithoutHeader && r.options.Columns == nil && r.knows(rec.cells) {
		return nil
	}
	names, given := spelled(rec.cells), r.options.Columns
	switch {
	case rec.fault != "" && r.options.Header == WithoutHeader:
		return event.Errorf(event.CodeBadRequest, "first row: %s", rec.fault)
	case rec.fault != "":
		return event.Errorf(event.CodeBadRequest, "header row: %s", rec.fault)
	case r.guessed && slices.Equal(names, given):
		return event.Errorf(event.CodeBadRequest, "the first line has the names that columns= gives, and would be a row").
			WithHint("header=true takes it for the names; header=false takes it as a row (tidemark load --header)")
	case r.options.Header == WithoutHeader:
		r.records.back()
		r.source = "the first row"
		clear(names)
	case r.options.Header == LikelyHeader:
		if err := checkNames(rec); err != nil {
			return err
		}
		r.doubt = r.doubted(rec)
	}
	if given != nil && r.options.Header != WithoutHeader && len(given) != len(names) {
		return event.Errorf(event.CodeBadRequest, "columns names %d, the first line has %d", len(given), len(names))
	}
	if given != nil {
		r.source, names = "columns=", given
	}
	return r.name(names)
}

// knows takes a header whose names are those of columns that the stream has, in their order, as most are: there is no doubt of it, and nothing to be made of
// it. It reports whether this is one.
func (r *Reader) knows(cells []cell) bool {
	schema := r.schema()
	if schema == nil || len(cells) > len(schema.Columns) {
		return false
	}
	header, next := make([]string, 0, len(cells)), 0
	for _, c := range cells {
		at := slices.IndexFunc(schema.Columns[next:], func(known event.Column) bool { return known.Name == string(c.text) })
		if at < 0 {
			return false
		}
		next += at + 1
		header = append(header, schema.Columns[next-1].Name)
	}
	r.header, r.fields = header, make([]decode.Field, len(header))
	for i, name := range header {
		r.fields[i].Name = name
	}
	return true
}

// firstRecord is the one that names the columns, or the first row.
func (r *Reader) firstRecord() (rec record, err error) {
	if r.options.Header == WithoutHeader { // a row may begin with #
		rec, err = r.records.next()
	} else {
		rec, err = r.headerRecord()
	}
	if err != nil {
		return rec, err
	}
	return r.excelHeader(rec)
}

// checkNames refuses a first line that can be told to be none of names.
func checkNames(rec record) error {
	if err := notCSV(rec.raw); err != nil {
		return err
	}
	if isData(rec.cells) {
		return event.Errorf(event.CodeBadRequest, "the first line, %.60q, has numbers and times where the names of the columns are expected", rec.raw).
			WithHint(firstLineHint)
	}
	return nil
}

// name names the columns. What the stream has columns for needs no doubt.
func (r *Reader) name(names []string) error {
	seen, schema, known := make(map[string]bool, len(names)), r.schema(), true
	r.header, r.fields = make([]string, 0, len(names)), make([]decode.Field, 0, len(names))
	for i, text := range names {
		if !utf8.ValidString(text) {
			return event.Errorf(event.CodeBadRequest, "header row, cell %d: invalid UTF-8", i+1).
				WithHint("send UTF-8, or name its encoding: charset=windows-1252 reads files that Windows programs wrote (tidemark load --charset)")
		}
		name := columnName(text, i+1, seen)
		if reason := decode.CheckName(name); reason != "" {
			return event.Errorf(event.CodeBadRequest, "header row, cell %d: %s", i+1, reason)
		}
		seen[name], known = true, known && find(schema, name) != nil
		r.header = append(r.header, name)
		r.fields = append(r.fields, decode.Field{Name: name})
	}
	if known {
		r.doubt = nil
	}
	return nil
}

func spelled(cells []cell) (out []string) {
	for _, c := range cells {
		out = append(out, string(c.text))
	}
	return out
}

// isData reports whether cells are a row, and no names of columns: all are numbers or times, and not all of them whole numbers, as a table with a column for
// each year has them.
func isData(cells []cell) bool {
	odd := false
	for _, c := range cells {
		text := string(c.text)
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			odd = odd || strings.ContainsAny(text, ".-")
			continue
		}
		if _, ok := event.WrittenTimestamp(text); !ok {
			return false
		}
		odd = odd || strings.Contains(text, ":")
	}
	return odd
}

// headerRecord is the first record that is no comment. Lines that begin with # before it are comments, but for the last of them where it has as many
// cells as the line behind: then it names the columns.
func (r *Reader) headerRecord() (record, error) {
	rec, err := r.records.next()
	for err == nil && bytes.HasPrefix(rec.raw, []byte{'#'}) && notCSV(rec.raw) == nil {
		comment, delimiter := record{raw: rec.raw, cells: slices.Clone(rec.cells), fault: rec.fault}, r.records.delimiter
		r.records.delimiter = r.options.Delimiter // the header tells it, and no comment
		rec, err = r.records.next()
		switch {
		case errors.Is(err, io.EOF):
			return comment, nil
		case err == nil && len(rec.cells) == len(comment.cells) && r.records.delimiter == delimiter && !bytes.HasPrefix(rec.raw, []byte{'#'}):
			r.records.back()
			return comment, nil
		}
	}
	return rec, err
}

// excelHeader is the header behind a line that Excel writes and understands, which says what separates cells; without such a line it is the record itself.
func (r *Reader) excelHeader(rec record) (record, error) {
	separator, ok := bytes.CutPrefix(rec.raw, []byte("sep="))
	if !ok || len(separator) != 1 || r.options.Delimiter != 0 {
		return rec, nil
	}
	if err := (Options{Delimiter: separator[0]}).Validate(); err != nil {
		return record{}, err
	}
	r.records.delimiter = separator[0]
	rec, err := r.records.next()
	if err != nil {
		return record{}, event.Errorf(event.CodeBadRequest, "no line names the columns")
	}
	return rec, nil
}

// notCSV is what is wrong where the first line is well known to be another format's.
func notCSV(line []byte) error {
	switch {
	case bytes.HasPrefix(line, []byte(zeekbody.Magic)):
		return event.Errorf(event.CodeBadRequest, "the body is a log of Zeek").WithHint("send it with format=zeek")
	case isW3C(line):
		return event.Errorf(event.CodeBadRequest, "the body is a log in the W3C's extended format").WithHint("send it with format=w3c")
	case linebody.LooksLike(line):
		return event.Errorf(event.CodeBadRequest, "the first line is one of a log and names no columns").
			WithHint("format=lines takes each line as a row; where they are rows of cells, header=false does (tidemark load --header=false)")
	default:
		return nil
	}
}

// isW3C knows the line that names the columns of such a log.
func isW3C(line []byte) bool {
	is, _ := w3cbody.LooksLike(line, true)
	return is
}

// columnName is the name of a column by its cell of the header: a column without one is named for its place, and one whose name was given
// away gets a number.
func columnName(text string, place int, taken map[string]bool) string {
	if text == "" {
		text = fmt.Sprintf("column_%d", place)
	}
	name := text
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", text, n)
	}
	return name
}
