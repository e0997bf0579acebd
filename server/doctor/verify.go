package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

const (
	journalDir  = "journal"
	logDir      = "log"
	segmentsDir = "segments"
	viewsDir    = "views"
	stateDir    = "state"
	trashDir    = "trash"
	lockName    = "LOCK"
)

// ErrNoData says that a directory is none of Tidemark.
var ErrNoData = errors.New("the directory has no journal, log or segments: it is not a data directory")

// verifier is one run of Verify.
type verifier struct {
	ctx    context.Context
	fs     vfs.FS
	report *Report
	// catalog and manifest are what the journal says; nil if it cannot be read.
	catalog  *catalog.Catalog
	manifest *manifest.Manifest
	// taken is up to where others than segments have taken rows of the streams.
	taken map[string]event.Vector
}

// Verify reads everything in a data directory and holds it against its checksums. Findings are no error; an error is what kept it from
// looking on.
func Verify(ctx context.Context, files vfs.FS) (*Report, error) {
	v := &verifier{ctx: ctx, fs: files, report: &Report{Findings: []Finding{}}}
	if err := v.recognize(); err != nil {
		return nil, err
	}
	for _, step := range []func() error{v.journal, v.logs, v.segments, v.views, v.requests, v.root} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("verify: %w", err)
		}
	}
	v.report.sort()
	return v.report, nil
}

func (v *verifier) recognize() error {
	names, err := v.fs.ReadDir(".")
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	for _, known := range []string{journalDir, logDir, segmentsDir} {
		if slices.Contains(names, known) {
			return nil
		}
	}
	return ErrNoData
}

// list gives the names in a directory; none where it does not exist.
func (v *verifier) list(dir string) ([]string, error) {
	names, err := v.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// folders gives the directories in a directory.
func (v *verifier) folders(dir string) ([]string, error) {
	names, err := v.list(dir)
	return slices.DeleteFunc(names, func(name string) bool {
		info, err := v.fs.Stat(path.Join(dir, name))
		return err != nil || !info.IsDir()
	}), err
}

// take adds what the check of a record file found.
func (v *verifier) take(file string, c record.Checked, err error) {
	v.report.Files++
	v.report.Bytes += c.Bytes
	for _, d := range c.Damage {
		v.report.Findings = append(v.report.Findings, Finding{Kind: Damage, File: file, From: d.From, To: max(d.To, d.From+1), Detail: d.Reason})
	}
	if c.Torn > 0 {
		v.report.Findings = append(v.report.Findings, Finding{
			Kind: Note, File: file, From: c.Bytes - c.Torn, To: c.Bytes, Detail: "a write was cut short, which nobody was told had succeeded",
		})
	}
	switch {
	case err != nil:
		v.report.note(Damage, file, "it cannot be read: %v", err)
	case !c.Closed && c.Torn == 0 && len(c.Damage) == 0:
		v.report.note(Note, file, "it was not closed in order, as when a server is killed")
	}
}

func (v *verifier) journal() error {
	files, err := journal.Check(v.fs, journalDir)
	if errors.Is(err, fs.ErrNotExist) {
		v.report.note(Damage, journalDir, "the journal is missing")
		return nil
	}
	if err != nil {
		return err
	}
	found := len(v.report.Findings)
	for _, f := range files {
		v.take(f.Name, f.Checked, f.Err)
	}
	c, m := catalog.New(), manifest.New()
	err = journal.Look(v.fs, journalDir, map[journal.Kind]journal.State{journal.KindStream: c, journal.KindSegment: m})
	if err == nil {
		err = ingest.CheckLogs(v.fs, c)
	}
	if err != nil {
		if !slices.ContainsFunc(v.report.Findings[found:], func(f Finding) bool { return f.Kind == Damage }) {
			v.report.note(Damage, journalDir, "%s", detail(err))
		}
		return nil
	}
	v.catalog, v.manifest = c, m
	return nil
}

// detail is the sentence of an error, without what it was doing.
func detail(err error) string {
	var fault *event.Error
	if errors.As(err, &fault) {
		return fault.Detail
	}
	return err.Error()
}

func (v *verifier) logs() error {
	streams, err := v.folders(logDir)
	if err == nil && v.catalog != nil {
		v.taken, err = taken(v.fs, v.catalog)
	}
	if err != nil {
		return err
	}
	for _, stream := range streams {
		partitions, err := v.folders(path.Join(logDir, stream))
		if err != nil {
			return err
		}
		for _, partition := range partitions {
			if err := v.log(stream, partition); err != nil {
				return err
			}
		}
	}
	return v.missingLogs()
}

func (v *verifier) log(stream, partition string) error {
	dir := path.Join(logDir, stream, partition)
	files, err := eventlog.Check(v.fs, dir, nil)
	if err != nil {
		return err
	}
	found := len(v.report.Findings)
	for i, f := range files {
		v.take(f.Name, f.Checked, f.Err)
		if f.Missing {
			v.report.note(Damage, f.Name, "it ends before offset %d, and the next file begins with offset %d", f.Next, files[i+1].First)
		}
	}
	v.accept(stream, v.report.Findings[found:])
	if v.catalog == nil || len(files) == 0 {
		return nil
	}
	sealed := v.manifest.View(stream).Sealed.Next.At(partitionOf(partition))
	first, last := files[0], files[len(files)-1]
	if first.First > sealed && !v.knows(stream, first.First) {
		v.report.note(Damage, dir, "offsets %d to %d are in no file of the log and in no segment", sealed, first.First-1)
	}
	if last.Next < sealed && len(last.Damage) == 0 {
		v.report.note(Damage, dir, "the log ends before offset %d, but rows up to offset %d were sealed", last.Next, sealed)
	} else if known := v.taken[stream].At(partitionOf(partition)); last.Next < known && len(last.Damage) == 0 {
		v.report.note(Damage, dir, "the log ends before offset %d, but rows up to offset %d were read", last.Next, known)
	}
	return nil
}

func partitionOf(name string) event.Partition {
	var p event.Partition
	_, _ = fmt.Sscan(name, &p)
	return p
}

// knows reports whether the offsets before one have been noted as lost.
func (v *verifier) knows(stream string, to event.Offset) bool {
	definition, ok := v.catalog.Stream(stream)
	return ok && slices.ContainsFunc(definition.Quarantined, func(q catalog.Quarantine) bool { return q.To == to })
}

// accept marks findings in files of which somebody has accepted the loss.
func (v *verifier) accept(stream string, findings []Finding) {
	if v.catalog == nil {
		return
	}
	definition, ok := v.catalog.Stream(stream)
	if !ok {
		return
	}
	for i := range findings {
		f := &findings[i]
		if f.Kind == Damage && slices.ContainsFunc(definition.Quarantined, func(q catalog.Quarantine) bool {
			return q.Accepted && q.File == f.File && q.Byte == f.From
		}) {
			f.Kind = Known
		}
	}
}

// missingLogs looks for streams whose log is gone.
func (v *verifier) missingLogs() error {
	if v.catalog == nil {
		return nil
	}
	for _, s := range v.catalog.Streams() {
		sealed := v.manifest.View(s.Name).Sealed.Next
		for p := range s.Partitions {
			dir := fmt.Sprintf("%s/%s/%d", logDir, s.Name, p)
			names, err := v.list(dir)
			if err != nil {
				return err
			}
			if len(names) == 0 && max(sealed.At(event.Partition(p)), v.taken[s.Name].At(event.Partition(p))) > 0 {
				v.report.note(Damage, dir, "the log is missing, and with it what was not sealed")
			}
		}
	}
	return nil
}

func (v *verifier) segments() error {
	if v.manifest == nil {
		return v.loneSegments()
	}
	listed := map[string]bool{}
	for _, stream := range v.manifest.Streams() {
		for _, segment := range v.manifest.View(stream).Segments {
			listed[segment.File] = true
			damage, err := segments.CheckFile(v.ctx, v.fs, segment)
			if v.ctx.Err() != nil {
				return v.ctx.Err()
			}
			v.report.Files++
			v.report.Bytes += segment.Bytes
			if err != nil {
				v.report.note(Damage, segment.File, "it cannot be read: %v", err)
			}
			for _, d := range damage {
				v.report.Findings = append(v.report.Findings, Finding{Kind: Damage, File: segment.File, From: d.From, To: d.To, Detail: d.Reason})
			}
		}
	}
	return v.unlisted(listed)
}

// unlisted notes segment files that the manifest does not have.
func (v *verifier) unlisted(listed map[string]bool) error {
	streams, err := v.folders(segmentsDir)
	if err != nil {
		return err
	}
	for _, stream := range streams {
		names, err := v.list(path.Join(segmentsDir, stream))
		if err != nil {
			return err
		}
		for _, name := range names {
			if file := path.Join(segmentsDir, stream, name); !listed[file] {
				v.report.note(Note, file, "the journal does not list it: it was being written or replaced when the server ended")
			}
		}
	}
	return nil
}

// loneSegments checks segment files without a manifest: by the checksums that are in them.
func (v *verifier) loneSegments() error {
	if names, err := v.list(segmentsDir); err != nil || len(names) == 0 {
		return err
	}
	found, err := segments.Rebuild(v.ctx, v.fs)
	if err != nil {
		return err
	}
	for _, stream := range found {
		v.report.Files += len(stream.Edit.Add) + len(stream.Superseded) + len(stream.Damaged)
		for _, s := range stream.Edit.Add {
			v.report.Bytes += s.Bytes
		}
		for file, err := range stream.Damaged {
			v.report.note(Damage, file, "%s", detail(err))
		}
	}
	return nil
}

// views checks the changelogs and checkpoints of views.
func (v *verifier) views() error {
	generations, err := v.folders(viewsDir)
	if err != nil {
		return err
	}
	for _, g := range generations {
		if err := v.recordFiles(path.Join(viewsDir, g), ".log", record.Changelog, false); err != nil {
			return err
		}
	}
	generations, err = v.folders(stateDir)
	if err != nil {
		return err
	}
	for _, g := range generations {
		if err := v.recordFiles(path.Join(stateDir, g), ".state", record.Checkpoint, true); err != nil {
			return err
		}
	}
	return nil
}

// requests checks what is known of requests that may be repeated.
func (v *verifier) requests() error {
	return v.recordFiles(dedup.Dir, ".snapshot", record.Dedup, true)
}

// recordFiles checks the files of a directory. Unless all are whole, the last may end in a write that was cut short.
func (v *verifier) recordFiles(dir, suffix string, content record.Content, whole bool) error {
	names, err := v.list(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasSuffix(name, suffix) })
	for i, name := range names {
		file := path.Join(dir, name)
		checked, err := record.Check(v.fs, file, content, whole || i < len(names)-1, func(record.Frame) error { return nil })
		v.take(file, checked, err)
	}
	return nil
}

// root notes what lies about.
func (v *verifier) root() error {
	names, err := v.fs.ReadDir(".")
	if err != nil {
		return err
	}
	for _, name := range names {
		switch name {
		case journalDir, logDir, segmentsDir, viewsDir, stateDir, trashDir, "tmp", "spill", "backup", lockName:
		default:
			v.report.note(Note, name, "nothing of this name belongs here")
		}
	}
	return nil
}
