package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode/bulkbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/jsonbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/linebody"
	"github.com/tidemarkdb/tidemark/ingest/decode/logfmtbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/w3cbody"
	"github.com/tidemarkdb/tidemark/ingest/decode/zeekbody"
	"github.com/tidemarkdb/tidemark/internal/charset"
	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/shell"
)

// loadCmd sends files to a stream.
type loadCmd struct {
	Stream    string   `arg:"" help:"Stream to send to; made if missing."`
	Files     []string `arg:"" name:"file" help:"Files or patterns of names; plain, or compressed by gzip or zstd; - for standard input."`
	Format    string   `enum:"auto,ndjson,json,csv,tsv,lines,zeek,w3c,logfmt,influx,bulk,arrow,parquet" default:"auto" help:"${enum}; auto: by name and content."`
	Rows      string   `placeholder:"MEMBER" help:"Member of JSON documents whose array has the rows, such as Records, features or hits.hits."`
	DateOrder string   `placeholder:"dmy|mdy" help:"What comes first in the dates of CSV such as 03/01/2026; else these are text."`
	Delimiter string   `placeholder:"CHAR" help:"What separates the cells of CSV: one character, or tab; else the header tells."`
	Escape    string   `placeholder:"CHAR" help:"What stands before quotes in quoted cells of CSV: a backslash in exports of MySQL."`
	Null      []string `sep:"none" placeholder:"TEXT" help:"Text that means NULL in CSV, in place of the empty one; may be given several times."`
	Header    string   `placeholder:"true|false" help:"Whether the first line of CSV names the columns; else it does, unless it shows to be a row."`
	Columns   string   `placeholder:"NAMES" help:"Names of the columns of CSV without a header, with commas between them."`
	Charset   string   `placeholder:"NAME" help:"Encoding of the text, such as windows-1252 or utf-16; else UTF-8."`
	Again     bool     `help:"Store once more what was loaded from the same files before."`
	Time      string   `placeholder:"COLUMN" help:"Event-time column, if the load makes the stream."`
	AtOnce    int      `default:"4" placeholder:"N" help:"How many files are loaded at a time (${default})."`
	URL       string   `placeholder:"URL" help:"Address of the server ($$TIDEMARK_URL)."`
}

// shownReasons is how many rejections are explained on the terminal.
const shownReasons = 5

// Run loads the files, several at a time.
func (c *loadCmd) Run(p *process) error {
	var err error
	if c.Files, err = expand(c.Files); err != nil {
		return err
	}
	if err = c.check(); err != nil {
		return err
	}
	db, err := p.client(c.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()

	started := time.Now()
	bar := newBar(p.stderr, c.totalBytes())
	results, failed := c.loadAll(ctx, p, db, bar)
	var total summary
	for i, name := range c.Files {
		total.add(name, results[i])
	}
	_ = bar.Finish() // a bar that cannot be drawn is no reason to fail
	if failed == nil && len(total.failures) == 0 || total.accepted+total.rejected+total.duplicates > 0 {
		total.print(p.stderr, c.Stream, time.Since(started))
	}
	switch {
	case ctx.Err() != nil:
		return c.interrupted()
	case failed != nil:
		return failed
	case len(total.failures) > 0:
		return total.failure(len(c.Files))
	case total.rejected > 0:
		return errSilent
	default:
		return nil
	}
}

func (c *loadCmd) interrupted() error {
	if c.Again || slices.Contains(c.Files, "-") {
		return errors.New("interrupted; what was sent is stored, and would be once more by the same command")
	}
	return errors.New("interrupted; the same command goes on with it, and passes over what is stored")
}

// loaded is what became of a file.
type loaded struct {
	client.LoadReport
	// failure is why it could not be loaded, or not all of it, where that is no reason to leave out the others.
	failure error
}

// loadAll loads the files; the first go ahead alone until the stream is there, so that its columns come in the order of those. The results
// are in the order of the files. A failure that is no file's own ends the others.
func (c *loadCmd) loadAll(ctx context.Context, p *process, db *client.Client, bar *progressbar.ProgressBar) ([]loaded, error) {
	results := make([]loaded, len(c.Files))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(c.AtOnce)
	_, err := db.Partitions(ctx, c.Stream)
	made := err == nil
	for i, name := range c.Files {
		load := func() error {
			var err error
			if results[i].LoadReport, err = c.loadFile(ctx, p, db, name, bar); err == nil {
				return nil
			}
			err = fmt.Errorf("load %s: %w", name, describeError(err))
			if !ofFile(err) {
				return err
			}
			results[i].failure = err
			return nil
		}
		if made {
			group.Go(load)
		} else if err := load(); err != nil {
			return results, err
		}
		made = made || results[i].failure == nil
	}
	return results, group.Wait()
}

// ofFile reports whether a failure is one of the file, which others need not have: it cannot be read, or the server does not take it.
func ofFile(err error) bool {
	var source *client.SourceError
	var file *os.PathError
	var refused *client.Error
	switch {
	case client.IsCancelled(err):
		return false
	case errors.As(err, &source), errors.As(err, &file):
		return true
	case errors.As(err, &refused):
		return refused.Status == http.StatusBadRequest || refused.Status == http.StatusRequestEntityTooLarge
	default:
		return false
	}
}

// check refuses what would only fail after some files have been sent.
func (c *loadCmd) check() error {
	if c.AtOnce < 1 {
		return usagef("--at-once must be 1 or more")
	}
	if _, err := event.ParseDateOrder(c.DateOrder); err != nil && c.DateOrder != "" {
		return usagef("--date-order is dmy or mdy")
	}
	if c.Header != "" && c.Header != "true" && c.Header != "false" {
		return usagef("--header is true or false")
	}
	if _, err := charset.Find(c.Charset); err != nil {
		return err
	}
	for _, name := range c.Files {
		if name == "-" {
			continue
		}
		info, err := os.Stat(name)
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%s does not exist", name)
		}
		if err == nil && info.IsDir() {
			return fmt.Errorf("%s is a directory; name the files in it", name)
		}
	}
	return nil
}

func (c *loadCmd) loadFile(ctx context.Context, p *process, db *client.Client, name string, bar *progressbar.ProgressBar) (client.LoadReport, error) {
	if name == "-" {
		plain, err := client.Decompress(p.stdin)
		if err != nil {
			return client.LoadReport{}, &client.SourceError{Err: err}
		}
		defer plain.Close()
		whole := bufio.NewReaderSize(plain, sniffBytes)
		begin, _ := whole.Peek(sniffBytes) // what is wrong with the input shows when it is read
		return db.Load(ctx, c.Stream, whole, c.options(name, c.text(begin), bar))
	}
	f, err := os.Open(name)
	if err != nil {
		return client.LoadReport{}, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() == 0 { // whatever its format is, it has no rows
		return client.LoadReport{}, nil
	}
	begin, err := c.begin(f)
	if err != nil {
		return client.LoadReport{}, err
	}
	options := c.options(name, begin, bar)
	if options.Identity, err = c.identity(f, options.ContentType != ""); err != nil {
		return client.LoadReport{}, err
	}
	return db.Load(ctx, c.Stream, f, options)
}

// sniffBytes is how much of a file is looked at to tell its format.
const sniffBytes = 64 << 10

// leastPacked is how much larger than a file its content may be and still be looked at whole.
const leastPacked = 8

// begin is what a file begins with when it is decompressed. Of what is no file, such as a pipe, nothing can be looked at beforehand.
func (c *loadCmd) begin(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if named := formatByName(f.Name()); err != nil || !info.Mode().IsRegular() || named != "" && named != "json" || c.Format != "auto" {
		return nil, err
	}
	plain, err := client.Decompress(f)
	if err != nil {
		return nil, &client.SourceError{Err: err}
	}
	defer plain.Close()
	begin := make([]byte, min(sniffBytes, info.Size()*leastPacked))
	n, _ := io.ReadFull(plain, begin) // what is wrong with the file shows when it is read
	_, err = f.Seek(0, io.SeekStart)
	return c.text(begin[:n]), err
}

// text is the beginning of a file as UTF-8.
func (c *loadCmd) text(begin []byte) []byte {
	set, _ := charset.Find(c.Charset)                                     // check has found it
	text, _ := io.ReadAll(charset.NewReader(bytes.NewReader(begin), set)) // from memory
	return text
}

// options says how a file is to be sent that begins so.
func (c *loadCmd) options(name string, begin []byte, bar *progressbar.ProgressBar) client.LoadOptions {
	options := client.LoadOptions{TimeColumn: c.Time, Rows: c.Rows, Progress: func(n int) { _ = bar.Add(n) }} // a file may have grown
	format := c.formatOf(name, begin)
	options.ContentType = mediaTypes[format]
	options.Charset = c.Charset
	if format == "csv" || format == "tsv" {
		options.DateOrder, options.Nulls, options.Header, options.Columns, options.Escape = c.DateOrder, c.Null, c.Header, c.Columns, c.Escape
	}
	if format == "csv" {
		options.Delimiter = c.Delimiter
	}
	switch format {
	case "influx", "bulk", "lines", "logfmt", "w3c", "zeek":
		options.Format = format
	}
	return options
}

// identity is what a file is known again by: its path, and where it is sent as a whole, its content. What is no file, such as a pipe, and
// standard input have none.
func (c *loadCmd) identity(f *os.File, whole bool) (string, error) {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || c.Again {
		return "", err
	}
	path, err := filepath.Abs(f.Name())
	if whole && (c.Delimiter != "" || c.Null != nil || c.Charset != "") { // the same bytes read otherwise are other rows
		path = fmt.Sprintf("%s %q %q %q", path, c.Delimiter, c.Null, c.Charset)
	}
	if whole && c.Escape != "" {
		path += " escape " + c.Escape
	}
	if whole && (c.Header != "" || c.Columns != "") {
		path = fmt.Sprintf("%s %q %q", path, c.Header, c.Columns)
	}
	if err != nil || !whole {
		return path, err
	}
	sum := sha256.New()
	file := io.TeeReader(f, sum)
	plain, err := client.Decompress(file) // what turns out to be broken in its midst would be stored up to there, and again when it is mended
	if err == nil {
		_, err = io.Copy(io.Discard, plain)
		err = errors.Join(err, plain.Close())
	}
	if err != nil {
		return "", &client.SourceError{Err: err}
	}
	if _, err := io.Copy(io.Discard, file); err != nil { // what is behind the compressed data
		return "", err
	}
	_, err = f.Seek(0, io.SeekStart)
	return fmt.Sprintf("%s %x", path, sum.Sum(nil)), err
}

// mediaTypes are those of the formats that are sent in one request.
var mediaTypes = map[string]string{
	"json": "application/json", "csv": "text/csv", "tsv": "text/tab-separated-values", "influx": "text/plain", "zeek": "text/plain", "w3c": "text/plain",
	"bulk":  "application/x-ndjson",
	"arrow": "application/vnd.apache.arrow.stream", "parquet": "application/vnd.apache.parquet",
}

// formatsByEnd are the formats of files by what their names end in, besides those that are called so themselves.
var formatsByEnd = map[string]string{
	"lp": "influx", "geojson": "json", "tab": "tsv", "feather": "arrow", "arrows": "arrow", "ipc": "arrow", "pq": "parquet", "parq": "parquet",
}

// formatByName is the format that a file's name tells, or "".
func formatByName(name string) string {
	base := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".zst")
	end := strings.TrimPrefix(filepath.Ext(base), ".")
	switch {
	case formatsByEnd[end] != "":
		return formatsByEnd[end]
	case mediaTypes[end] != "", end == "ndjson":
		return end
	default:
		return ""
	}
}

// formatOf is the format of a file by its name, else by what it begins with: newline-delimited JSON where neither tells. Files that are called JSON
// often have an object a line: these are sent as lines, of which a bad one does not hold up the others.
func (c *loadCmd) formatOf(name string, begin []byte) string {
	named := formatByName(name)
	switch {
	case c.Format != "auto":
		return c.Format
	case (c.Delimiter != "" || c.Header != "" || c.Columns != "") && named != "tsv":
		return "csv"
	case named == "json" && c.Rows == "" && jsonbody.LayoutOf(begin, false) == jsonbody.Lines:
		return "ndjson"
	case named != "":
		return named
	case bytes.HasPrefix(begin, []byte(zeekbody.Magic)):
		return "zeek"
	case isW3C(begin):
		return "w3c"
	case bytes.HasPrefix(begin, []byte("PAR1")):
		return "parquet"
	case bytes.HasPrefix(begin, []byte("ARROW1")), bytes.HasPrefix(begin, []byte{0xff, 0xff, 0xff, 0xff}):
		return "arrow"
	case bulkbody.LooksLike(begin):
		return "bulk"
	case c.Rows != "", jsonbody.LayoutOf(begin, false) == jsonbody.Documents:
		return "json"
	case logfmtbody.LooksLike(begin):
		return "logfmt"
	case linebody.LooksLike(begin):
		return "lines"
	default:
		return "ndjson"
	}
}

func isW3C(begin []byte) bool {
	is, _ := w3cbody.LooksLike(begin, true)
	return is
}

// expand replaces patterns by the names that they match; a name that exists is no pattern.
func expand(names []string) ([]string, error) {
	var out []string
	for _, name := range names {
		_, err := os.Lstat(name)
		if name == "-" || err == nil || !strings.ContainsAny(name, "*?[") {
			out = append(out, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, usagef("%s: %v", name, err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no file matches %s", name)
		}
		out = append(out, found...)
	}
	return out, nil
}

// summary adds up what became of the files' rows.
type summary struct {
	accepted, rejected, duplicates int64
	reasons, hints                 []string
	// failures are of files that could not be loaded.
	failures []error
}

func (s *summary) add(file string, report loaded) {
	if report.failure != nil {
		s.failures = append(s.failures, report.failure)
	}
	s.accepted += report.Accepted
	s.rejected += report.Rejected
	s.duplicates += report.Duplicates
	for _, r := range report.Reasons {
		if r.Line == 0 {
			s.reasons = append(s.reasons, fmt.Sprintf("%s, %s", file, r.Reason))
			continue
		}
		s.reasons = append(s.reasons, fmt.Sprintf("%s:%d: %s", file, r.Line, r.Reason))
	}
	s.reasons = s.reasons[:min(len(s.reasons), shownReasons)]
	if report.Hint != "" && !slices.Contains(s.hints, report.Hint) {
		s.hints = append(s.hints, report.Hint)
	}
}

// failure is what is to be said of the files that could not be loaded, of so many.
func (s *summary) failure(files int) error {
	if len(s.failures) == 1 {
		return s.failures[0]
	}
	shown := make([]string, min(len(s.failures), shownReasons))
	for i := range shown {
		shown[i] = s.failures[i].Error()
	}
	return fmt.Errorf("%d of %d files could not be loaded: %s", len(s.failures), files, strings.Join(shown, "; "))
}

func (s *summary) print(w io.Writer, stream string, took time.Duration) {
	seconds := max(took.Seconds(), 0.001)
	fmt.Fprintf(w, "%s: %s rows accepted, %s rejected in %.1f s (%s rows/s)\n", stream, shell.Thousands(s.accepted),
		shell.Thousands(s.rejected), seconds, shell.Thousands(int64(float64(s.accepted)/seconds)))
	if s.duplicates > 0 {
		fmt.Fprintf(w, "  %s rows had been loaded from these files before; --again stores them once more\n", shell.Thousands(s.duplicates))
	}
	for _, reason := range s.reasons {
		fmt.Fprintf(w, "  %s\n", shell.Cell(reason))
	}
	if more := s.rejected - int64(len(s.reasons)); more > 0 {
		fmt.Fprintf(w, "  and %s more\n", shell.Thousands(more))
	}
	for _, hint := range s.hints {
		fmt.Fprintf(w, "  hint: %s\n", shell.Cell(hint))
	}
}
