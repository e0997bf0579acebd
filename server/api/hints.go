package api

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode/csvbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/fieldbody"
	"github.com/tidemarkdb/tidemark/internal/charset"
)

// charsetHint is for those who send texts in another encoding without a word of it.
func charsetHint(summary ingest.Summary, form format, set *charset.Charset) string {
	foreign := func(e ingest.RowError) bool { return strings.HasSuffix(e.Reason, "invalid UTF-8") }
	if set != nil || form.binary() || !slices.ContainsFunc(summary.Errors, foreign) {
		return ""
	}
	return "rows that are not UTF-8 are turned away; charset=windows-1252, or what the text is in, reads them (tidemark load --charset)"
}

// otherTimeHint is for those who name an event time for a stream that goes by another one. A stream that the request has made goes by what it names.
func otherTimeHint(in *ingest.Body, named string) string {
	schema := in.Schema()
	if named == "" || schema == nil || eventTimeOf(schema, "") == named {
		return ""
	}
	goes := "the arrival of its rows"
	if column := eventTimeOf(schema, ""); column != "" {
		goes = fmt.Sprintf("%q", column)
	}
	return fmt.Sprintf("time=%s has no effect: the stream goes by %s, as it was made", named, goes)
}

// misfitHint is for rows that could be read, of which the stream takes none. named is the event time that the request names.
func misfitHint(summary ingest.Summary, named string) string {
	switch {
	case summary.Known:
		return fmt.Sprintf("DESCRIBE %s shows what its columns take; ALTER STREAM %s adds columns", summary.Stream, summary.Stream)
	case named != "":
		return "name a field in time= whose values can be read as times, or leave it out"
	default:
		return ""
	}
}

// escapeHint is for those who send CSV in which backslashes stand before quotes.
func escapeHint(summary ingest.Summary) string {
	if !slices.ContainsFunc(summary.Errors, func(e ingest.RowError) bool { return strings.HasSuffix(e.Reason, csvbody.BackslashFault) }) {
		return ""
	}
	return `rows have \", which stands for a backslash and the end of a cell; escape=\ (%5C in an address) takes it for a quote (tidemark load --escape)`
}

// formHint is what the reader of a body has to tell of it.
func formHint(rows chunks) string {
	if r, ok := rows.(*fieldbody.Reader); ok {
		return r.Hint()
	}
	return ""
}
