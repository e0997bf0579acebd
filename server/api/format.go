package api

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/arrowbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/csvbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/fieldbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/jsonbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/linebody"
	"github.com/tidemarkdb/tidemark/ingest/decode/logfmtbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/parquetbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/w3cbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/zeekbody"
	"github.com/tidemarkdb/tidemark/internal/charset"
)

// chunks gives a body's rows chunk by chunk, and io.EOF after the last.
type chunks interface {
	Next() (*decode.Chunk, error)
}

// format is a way to write events for one stream.
type format struct {
	name   string // in ?format=
	media  []string
	params []string // parameters of the query that only this format knows
	// open reads bodies as they come; whole and file read those that have to be there first, in memory and on disk.
	open  func(src io.Reader, query url.Values, in *ingest.Body) (chunks, error)
	whole func(body []byte, hold func(bytes int64) error) (chunks, error)
	file  func(body io.ReaderAt, size int64, hold func(bytes int64) error) (chunks, error)
	// parts reads bodies of which one part has to be there at a time, for whose memory hold is asked.
	parts func(src io.Reader, hold func(bytes int64) error) (chunks, error)
	// sniff is set where the beginning of the body has to be looked at: it may be of another format.
	sniff bool
	// hint is what may be wrong where no row could be read.
	hint string
	// time is the event-time column of a stream that rows make for which the request names none; "" lets the rows tell.
	time string
}

const cellsHint = "the first line must name the columns, unless header=false"

// formats lists all of them, the default first.
var formats = []format{
	{
		name: "ndjson", media: []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}, open: openLines, sniff: true,
		hint: "the body must be one JSON object a line, or JSON objects over several lines",
	},
	{
		name: "json", media: []string{"application/json"}, params: []string{"rows"}, open: openJSON,
		hint: "the body must be JSON objects, or arrays of objects; rows=name takes them from an array inside of the objects",
	},
	{name: "csv", media: []string{"text/csv"}, params: []string{"delimiter", "escape", "null", "date_order", "header", "columns"}, open: openCSV, hint: cellsHint},
	{
		name: "tsv", media: []string{"text/tab-separated-values"}, params: []string{"escape", "null", "date_order", "header", "columns"}, open: openTSV,
		hint: cellsHint,
	},
	{name: "lines", open: openText, time: linebody.TimeColumn, hint: "the body must be lines of text in UTF-8"},
	{name: "zeek", open: openZeek, hint: "the body must be a log of Zeek in columns, which begins with #separator"},
	{name: "w3c", open: openW3C, hint: "the body must be a log in the W3C's extended format, with a line of #Fields before its rows"},
	{name: "logfmt", open: openLogfmt, hint: "the body must be lines of key=value pairs"},
	{
		name: "influx", params: []string{"precision"}, open: openInflux,
		hint: "a line is measurement,tag=value field=value timestamp",
	},
	{name: "bulk", open: openBulk, hint: "a row stands behind a line that says where it goes, such as {\"index\":{}}"},
	{
		name: "arrow", media: []string{"application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file"},
		parts: func(src io.Reader, hold func(int64) error) (chunks, error) { return arrowbody.NewReader(src, hold) },
		hint:  "the body must be an Arrow IPC stream",
	},
	{
		name: "parquet", media: []string{"application/vnd.apache.parquet", "application/x-parquet"},
		whole: func(body []byte, hold func(int64) error) (chunks, error) { return parquetbody.NewReader(body, hold) },
		file: func(body io.ReaderAt, size int64, hold func(int64) error) (chunks, error) {
			return parquetbody.NewFileReader(body, size, hold)
		},
		hint: "the body must be a Parquet file",
	},
}

// limit bounds the decompressed body; 0 for one that is taken in as it comes, or goes to a file.
func (f format) limit(s *Server) int64 {
	if f.whole == nil || s.Spool != nil {
		return 0
	}
	return wholeBytes
}

// bodyFormat finds the format of a request: the one that ?format= names, else that of its Content-Type, else newline-delimited JSON.
func bodyFormat(header http.Header, query url.Values) (format, error) {
	found := formats[0]
	if name := query.Get("format"); name != "" {
		at := slices.IndexFunc(formats, func(f format) bool { return f.name == name })
		if at < 0 {
			return format{}, event.Errorf(event.CodeBadRequest, "format=%s is not known", name).WithHint("use one of %s", formatNames())
		}
		found = formats[at]
	} else if contentType := header.Get("Content-Type"); contentType != "" && !slices.Contains(found.media, contentType) {
		media, _, err := mime.ParseMediaType(contentType)
		if media == formMedia {
			return format{name: formMedia, sniff: true}, checkParams(format{name: "a body without a format"}, query)
		}
		if strings.HasSuffix(media, "+json") { // RFC 6839: whatever it is, such as an event of CloudEvents, it is JSON
			media = jsonMedia
		}
		at := slices.IndexFunc(formats, func(f format) bool { return slices.Contains(f.media, media) })
		if err != nil || at < 0 {
			return format{}, event.Errorf(event.CodeMediaType, "events cannot be read from %q", contentType).
				WithHint("send one JSON object a line with 'Content-Type: application/x-ndjson', or name another format in ?format=: %s", formatNames())
		}
		found = formats[at]
	}
	return found, checkParams(found, query)
}

// parametersOf are those of the query, and header, which the media type of CSV has too. It adds to them.
func parametersOf(headers http.Header, query url.Values, form format) url.Values {
	if !slices.Contains(form.params, "header") || query.Has("header") {
		return query
	}
	if _, params, err := mime.ParseMediaType(headers.Get("Content-Type")); err == nil && params["header"] != "" {
		query.Set("header", params["header"])
	}
	return query
}

// binary reports whether bodies of the format are no text.
func (f format) binary() bool { return f.whole != nil || f.parts != nil }

// charsetOf finds the encoding of a request's text: the one that ?charset= names, else that of its Content-Type; nil for UTF-8.
func charsetOf(header http.Header, query url.Values, form format) (*charset.Charset, error) {
	name := query.Get("charset")
	switch {
	case form.binary() && name != "":
		return nil, event.Errorf(event.CodeBadRequest, "charset means nothing for %s", form.name)
	case form.binary():
		return nil, nil
	case name == "":
		contentType := header.Get("Content-Type")
		if !strings.Contains(contentType, ";") {
			break
		}
		if _, params, err := mime.ParseMediaType(contentType); err == nil { // a format in the address needs none
			name = params["charset"]
		}
	}
	return charset.Find(name)
}

// checkParams refuses parameters that only other formats know.
func checkParams(found format, query url.Values) error {
	for _, f := range formats {
		for _, name := range f.params {
			if query.Has(name) && !slices.Contains(found.params, name) {
				return event.Errorf(event.CodeBadRequest, "%s means nothing for %s", name, found.name)
			}
		}
	}
	return nil
}

func formatNames() string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return strings.Join(names, ", ")
}

// lineChunks are the chunks of a body that is made of lines.
type lineChunks struct {
	lines interface{ Next() ([]byte, error) }
}

// Next is the next chunk.
func (c lineChunks) Next() (*decode.Chunk, error) {
	lines, err := c.lines.Next()
	return &decode.Chunk{Lines: lines, Free: func() { ingest.Recycle(lines); lines = nil }}, err
}

// chunks opens a body, and gives what lets go of it.
func (f format) chunks(s *Server, src *body, query url.Values, in *ingest.Body) (rows chunks, release func(), err error) {
	if f.parts != nil {
		rows, err = f.parts(src, src.account.hold)
		return rows, func() {}, err
	}
	if f.whole == nil {
		rows, err = f.open(src, query, in)
		return rows, func() {}, err
	}
	body, file, err := s.gather(src, src.account)
	switch {
	case err != nil:
	case file != nil:
		rows, err = f.file(file, file.Size(), src.account.hold)
	default:
		rows, err = f.whole(body, src.account.hold)
	}
	release = func() {
		if file != nil {
			if err := file.Close(); err != nil {
				s.Logger.Warn("temporary file of a body", "error", err)
			}
		}
	}
	if err != nil {
		release()
		return nil, nil, err
	}
	return rows, release, nil
}

// pacedChunks are chunks of a body that must not stall. A chunk is asked for when the one before is taken.
type pacedChunks struct {
	chunks
	body  *body
	keyed bool
}

// Next is the next chunk.
func (c pacedChunks) Next() (*decode.Chunk, error) {
	c.body.chunk(c.keyed)
	chunk, err := c.chunks.Next()
	if err != nil {
		return nil, err
	}
	return chunk, c.body.give(chunk)
}

// holdOf is what is asked for the memory that reading a body takes; nil for another reader.
func holdOf(src io.Reader) func(bytes int64) error {
	if b, ok := src.(*body); ok {
		return b.account.hold
	}
	return nil
}

func openLines(src io.Reader, _ url.Values, in *ingest.Body) (chunks, error) {
	hold := holdOf(src)
	if in.Keyed() {
		return lineChunks{ingest.NewKeyedChunks(src, hold)}, nil
	}
	if b, ok := src.(*body); ok {
		src = b.ahead()
	}
	return lineChunks{ingest.NewChunks(src, hold)}, nil
}

func openText(src io.Reader, query url.Values, in *ingest.Body) (chunks, error) {
	options := linebody.Options{Time: func() string { return eventTimeOf(in.Schema(), query.Get("time")) }}
	hold := holdOf(src)
	if in.Keyed() {
		return linebody.NewReader(ingest.NewKeyedChunks(src, hold), options), nil
	}
	if b, ok := src.(*body); ok {
		src = b.ahead()
	}
	options.Recycle = ingest.Recycle
	return linebody.NewReader(ingest.NewChunks(src, hold), options), nil
}

func openZeek(src io.Reader, _ url.Values, in *ingest.Body) (chunks, error) {
	if in.Keyed() {
		return zeekbody.NewReader(ingest.NewKeyedChunks(src, holdOf(src))), nil
	}
	return zeekbody.NewReader(ingest.NewChunks(src, holdOf(src))), nil
}

func openW3C(src io.Reader, _ url.Values, in *ingest.Body) (chunks, error) {
	return openFields(src, &w3cbody.Form{}, in), nil
}

func openLogfmt(src io.Reader, _ url.Values, in *ingest.Body) (chunks, error) {
	return openFields(src, logfmtbody.Form{}, in), nil
}

// openFields opens a body of lines that are names and texts.
func openFields(src io.Reader, form fieldbody.Form, in *ingest.Body) chunks {
	hold := holdOf(src)
	options := fieldbody.Options{Schema: in.Schema, Hold: hold}
	if in.Keyed() {
		return fieldbody.NewReader(ingest.NewKeyedChunks(src, hold), form, options)
	}
	if b, ok := src.(*body); ok {
		src = b.ahead()
	}
	options.Recycle = ingest.Recycle
	return fieldbody.NewReader(ingest.NewChunks(src, hold), form, options)
}

// eventTimeOf is the name of a schema's event-time column, which it may not have; of a stream that is not there yet, what the request says.
func eventTimeOf(schema *event.Schema, asked string) string {
	if schema == nil {
		return asked
	}
	column, _ := schema.ByID(schema.TimeColumn)
	return column.Name
}

func openJSON(src io.Reader, query url.Values, _ *ingest.Body) (chunks, error) {
	if member := query.Get("rows"); member != "" {
		return jsonbody.NewMemberReader(src, member, holdOf(src)), nil
	}
	return jsonbody.NewReader(src, holdOf(src)), nil
}

func openCSV(src io.Reader, query url.Values, in *ingest.Body) (chunks, error) {
	delimiter := query.Get("delimiter")
	switch {
	case delimiter == "tab":
		return openDelimited(src, '\t', query, in)
	case len(delimiter) == 1:
		return openDelimited(src, delimiter[0], query, in)
	case query.Has("delimiter"):
		return nil, event.Errorf(event.CodeBadRequest, "delimiter is %q", delimiter).WithHint("it is one ASCII character, or the word tab")
	}
	return openDelimited(src, 0, query, in)
}

func openTSV(src io.Reader, query url.Values, in *ingest.Body) (chunks, error) {
	return openDelimited(src, '\t', query, in)
}

// openDelimited opens cells with a delimiter between them; 0 lets the header tell which.
func openDelimited(src io.Reader, delimiter byte, query url.Values, in *ingest.Body) (chunks, error) {
	options := csvbody.Options{Delimiter: delimiter, Nulls: query["null"], Schema: in.Schema, Keyed: in.Keyed(), Hold: holdOf(src)}
	var err error
	if query.Has("escape") {
		escape := query.Get("escape")
		if len(escape) != 1 {
			return nil, event.Errorf(event.CodeBadRequest, "escape is %q", escape).
				WithHint("it is one ASCII character, such as a backslash, which an address has as %%5C")
		}
		options.Escape = escape[0]
	}
	if options.Header, err = csvbody.ParseHeader(query.Get("header")); err != nil {
		return nil, err
	}
	if query.Has("columns") {
		if options.Columns, err = csvbody.ParseColumns(query.Get("columns")); err != nil {
			return nil, err
		}
	}
	if query.Has("date_order") {
		if options.Order, err = event.ParseDateOrder(query.Get("date_order")); err != nil {
			return nil, err
		}
	}
	if err := options.Validate(); err != nil {
		return nil, err
	}
	return csvbody.NewReader(src, options), nil
}
