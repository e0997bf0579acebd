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
	"github.com/tidemarkdb/tidemark/ingest/decode/zeekbody"
)

// readHeader reads the names of the columns.
func (r *Reader) readHeader() error {
	rec, err := r.headerRecord()
	if errors.Is(err, io.EOF) {
		return event.Errorf(event.CodeBadRequest, "the body is empty").WithHint("its first line must name the columns")
	}
	if err != nil {
		return err
	}
	if rec, err = r.excelHeader(rec); err != nil {
		return err
	}
	if rec.fault != "" {
		return event.Errorf(event.CodeBadRequest, "header row: %s", rec.fault)
	}
	if err := notCSV(rec.raw); err != nil {
		return err
	}
	if isData(rec.cells) {
		return event.Errorf(event.CodeBadRequest, "the first line, %.60q, has numbers and times where the names of the columns are expected", rec.raw).
			WithHint("put a line in front that names the columns; its first row would be lost as names")
	}
	seen := make(map[string]bool, len(rec.cells))
	r.header, r.fields = make([]string, 0, len(rec.cells)), make([]decode.Field, 0, len(rec.cells))
	for i, c := range rec.cells {
		if !utf8.Valid(c.text) {
			return event.Errorf(event.CodeBadRequest, "header row, cell %d: invalid UTF-8", i+1).
				WithHint("send UTF-8, or name its encoding: charset=windows-1252 reads files that Windows programs wrote (tidemark load --charset)")
		}
		name := columnName(string(c.text), i+1, seen)
		if reason := decode.CheckName(name); reason != "" {
			return event.Errorf(event.CodeBadRequest, "header row, cell %d: %s", i+1, reason)
		}
		seen[name] = true
		r.header = append(r.header, name)
		r.fields = append(r.fields, decode.Field{Name: name})
	}
	return nil
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
	for err == nil && bytes.HasPrefix(rec.raw, []byte{'#'}) && !bytes.HasPrefix(rec.raw, []byte(zeekbody.Magic)) {
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
	case linebody.LooksLike(line):
		return event.Errorf(event.CodeBadRequest, "the first line is one of a log and names no columns").WithHint("format=lines takes each line as a row")
	default:
		return nil
	}
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
