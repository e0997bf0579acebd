package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/shell"
)

// loadCmd sends files to a stream.
type loadCmd struct {
	Stream string   `arg:"" help:"Stream to send to; made if missing."`
	Files  []string `arg:"" name:"file" help:"Files or patterns of names; plain, or compressed by gzip or zstd; - for standard input."`
	Format string   `enum:"auto,ndjson,json,csv,tsv,arrow,parquet" default:"auto" help:"Format of the files: ${enum}; auto goes by their names."`
	Again  bool     `help:"Store lines of NDJSON files once more that were loaded from the same files before."`
	Time   string   `placeholder:"COLUMN" help:"Event-time column, if the load makes the stream."`
	URL    string   `placeholder:"URL" help:"Address of the server ($$TIDEMARK_URL)."`
}

// shownReasons is how many rejections are explained on the terminal.
const shownReasons = 5

// Run loads the files one after the other.
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
	var total summary
	var failed error
	for _, name := range c.Files {
		var report client.LoadReport
		report, failed = c.loadFile(ctx, p, db, name, bar)
		total.add(name, report)
		if failed != nil {
			failed = fmt.Errorf("load %s: %w", name, describeError(failed))
			break
		}
	}
	_ = bar.Finish() // a bar that cannot be drawn is no reason to fail
	total.print(p.stderr, c.Stream, time.Since(started))
	if failed == nil && total.rejected > 0 {
		return errSilent
	}
	return failed
}

// check refuses what would only fail after some files have been sent.
func (c *loadCmd) check() error {
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

func (c *loadCmd) loadFile(ctx context.Context, p *process, db *client.Client, name string, bar io.Writer) (client.LoadReport, error) {
	in := p.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return client.LoadReport{}, err
		}
		defer f.Close()
		in = f
	}
	return db.Load(ctx, c.Stream, io.TeeReader(in, bar), c.options(name))
}

// options says how a file is to be sent. Standard input has no name by which its lines could be known again.
func (c *loadCmd) options(name string) client.LoadOptions {
	options := client.LoadOptions{TimeColumn: c.Time, ContentType: contentType(c.Format, name)}
	if path, err := filepath.Abs(name); err == nil && name != "-" && !c.Again {
		options.Identity = path
	}
	return options
}

// mediaTypes are those of the formats that are sent in one request, by the format's name, which is also the end of a file's.
var mediaTypes = map[string]string{
	"json": "application/json", "csv": "text/csv", "tsv": "text/tab-separated-values",
	"arrow": "application/vnd.apache.arrow.stream", "parquet": "application/vnd.apache.parquet",
}

// contentType is the media type of a file; empty for newline-delimited JSON, which every other name is taken for.
func contentType(format, name string) string {
	if format != "auto" {
		return mediaTypes[format]
	}
	base := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(name), ".gz"), ".zst")
	return mediaTypes[strings.TrimPrefix(filepath.Ext(base), ".")]
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

// totalBytes is the size of all files together, or -1 when standard input makes it unknown.
func (c *loadCmd) totalBytes() int64 {
	var total int64
	for _, name := range c.Files {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.Mode().IsRegular() {
			return -1
		}
		total += info.Size()
	}
	return total
}

func newBar(w io.Writer, total int64) *progressbar.ProgressBar {
	return progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionSetDescription("loading"),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
	)
}

// summary adds up what became of the files' rows.
type summary struct {
	accepted, rejected, duplicates int64
	reasons                        []string
}

func (s *summary) add(file string, report client.LoadReport) {
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
}
