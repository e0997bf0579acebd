package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// Repaired is what Repair did.
type Repaired struct {
	// Aside is the directory that what is damaged was moved to; "" if nothing was.
	Aside string `json:"aside,omitempty"`
	// Done says what was changed, and Lost what cannot be had back from this directory: a sentence each.
	Done []string `json:"done"`
	Lost []string `json:"lost"`
}

// WriteText prints the result for people.
func (r *Repaired) WriteText(w io.Writer) error {
	var out strings.Builder
	for _, s := range r.Done {
		fmt.Fprintln(&out, "done:", s)
	}
	for _, s := range r.Lost {
		fmt.Fprintln(&out, "lost:", s)
	}
	switch {
	case len(r.Done)+len(r.Lost) == 0:
		fmt.Fprintln(&out, "nothing to repair")
	case r.Aside != "":
		fmt.Fprintln(&out, "what was moved is in", r.Aside)
	}
	_, err := io.WriteString(w, out.String())
	return err
}

func (r *Repaired) done(format string, args ...any) {
	r.Done = append(r.Done, fmt.Sprintf(format, args...))
}
func (r *Repaired) lost(format string, args ...any) {
	r.Lost = append(r.Lost, fmt.Sprintf(format, args...))
}

// repairer is one run of Repair.
type repairer struct {
	ctx    context.Context
	fs     vfs.FS
	now    time.Time
	report *Report
	out    *Repaired
}

// Repair brings a data directory to where a server opens it and answers with what is left. It may be broken off at any moment and run again.
func Repair(ctx context.Context, files vfs.FS, now time.Time) (*Repaired, error) {
	report, err := Verify(ctx, files)
	if err != nil {
		return nil, err
	}
	r := &repairer{ctx: ctx, fs: files, now: now.UTC(), report: report, out: &Repaired{Done: []string{}, Lost: []string{}}}
	for _, step := range []func() error{r.state, r.journal, r.segments, r.logs} {
		if err := step(); err != nil {
			return r.out, fmt.Errorf("repair: %w", err)
		}
	}
	return r.out, nil
}

// damaged lists the damaged files below a directory, each once.
func (r *repairer) damaged(dir string) []string {
	var out []string
	for _, f := range r.report.Findings {
		if f.Kind == Damage && (f.File == dir || strings.HasPrefix(f.File, dir+"/")) && !slices.Contains(out, f.File) {
			out = append(out, f.File)
		}
	}
	return out
}

// aside moves a file or directory out of the way. One that is missing already is none of its business.
func (r *repairer) aside(name string) error {
	if _, err := r.fs.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := r.makeAside(); err != nil {
		return err
	}
	target := path.Join(r.out.Aside, name)
	if err := vfs.MkdirAllSync(r.fs, path.Dir(target)); err != nil {
		return fmt.Errorf("move %s aside: %w", name, err)
	}
	if err := r.fs.Rename(name, target); err != nil {
		return fmt.Errorf("move %s aside: %w", name, err)
	}
	return errors.Join(r.fs.SyncDir(path.Dir(target)), r.fs.SyncDir(path.Dir(name)))
}

// makeAside chooses a directory that does not exist yet.
func (r *repairer) makeAside() error {
	if r.out.Aside != "" {
		return nil
	}
	base := path.Join(trashDir, "doctor-"+r.now.Format("20060102T150405Z"))
	for n := 0; ; n++ {
		name := base
		if n > 0 {
			name = fmt.Sprintf("%s.%d", base, n)
		}
		if _, err := r.fs.Stat(name); errors.Is(err, fs.ErrNotExist) {
			r.out.Aside = name
			return vfs.MkdirAllSync(r.fs, name)
		} else if err != nil {
			return err
		}
	}
}

// state moves damaged checkpoints and snapshots away, and with a changelog all that was made of it: the view is then built anew.
func (r *repairer) state() error {
	for _, file := range r.damaged(stateDir) {
		if err := r.aside(file); err != nil {
			return err
		}
		if strings.HasPrefix(file, stateDir+"/dedup/") {
			r.out.done("%s is moved aside: requests that the log no longer has are not known again if they are repeated", file)
		} else {
			r.out.done("%s is moved aside: the view goes back to the checkpoint before, or is built anew", file)
		}
	}
	gone := map[string]bool{}
	for _, file := range r.damaged(viewsDir) {
		generation := path.Base(path.Dir(file))
		if gone[generation] {
			continue
		}
		gone[generation] = true
		for _, dir := range []string{path.Join(stateDir, generation), path.Join(viewsDir, generation)} {
			if err := r.aside(dir); err != nil {
				return err
			}
		}
		r.out.done("the changelog and the checkpoints of view %s are moved aside: it is built anew from its streams", generation)
	}
	return nil
}

// opened is the journal with its states.
type opened struct {
	*journal.Journal
	catalog  *catalog.Catalog
	manifest *manifest.Manifest
}

func (r *repairer) open(dir string) (*opened, error) {
	o := &opened{catalog: catalog.New(), manifest: manifest.New()}
	var err error
	o.Journal, err = journal.Open(r.fs, dir, map[journal.Kind]journal.State{
		journal.KindStream: o.catalog, journal.KindSegment: o.manifest,
	})
	if err != nil {
		return nil, err
	}
	o.catalog.Use(o.Journal)
	return o, nil
}

// segments moves damaged segments aside, takes them off the list and notes what they held as lost.
func (r *repairer) segments() (err error) {
	files := r.damaged(segmentsDir)
	if len(files) == 0 {
		return nil
	}
	o, err := r.open(journalDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	for _, stream := range o.manifest.Streams() {
		for _, segment := range o.manifest.View(stream).Segments {
			if !slices.Contains(files, segment.File) {
				continue
			}
			if err := r.dropSegment(o, segment); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropSegment notes the loss first: a crash in between leaves a segment listed that cannot be read, which is no wrong answer.
func (r *repairer) dropSegment(o *opened, s *manifest.Segment) error {
	if _, ok := o.catalog.Stream(s.Stream); !ok {
		r.out.lost("rows of view %s in %s: queries that need them fail; CREATE OR REPLACE the view to build it anew", s.Stream, s.File)
		return nil
	}
	for p := range s.To {
		part := event.Partition(p)
		if err := r.quarantine(o, s.Stream, part, s.From.At(part), s.To.At(part), s.File, "the segment is damaged or missing"); err != nil {
			return err
		}
	}
	view := o.manifest.View(s.Stream)
	edit := manifest.Edit{Stream: s.Stream, ExpectedNext: view.Sealed.Next, Remove: []uint64{s.ID}, Settled: []uint64{s.ID}, Sealed: view.Sealed}
	if err := o.manifest.Commit(o, edit); err != nil {
		return err
	}
	if err := r.aside(s.File); err != nil {
		return err
	}
	r.out.lost("%d rows of stream %s in %s, events from %s to %s", s.Rows, s.Stream, s.File, clockOf(s.MinTime), clockOf(s.MaxTime))
	return nil
}

func clockOf(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339) }

func (r *repairer) quarantine(o *opened, stream string, p event.Partition, from, to event.Offset, file, reason string) error {
	if from >= to {
		return nil
	}
	return o.catalog.Quarantine(stream, catalog.Quarantine{Partition: p, From: from, To: to, File: file, Reason: reason, Found: r.now})
}

// logs lets every log reach to where rows were sealed, and to where others have taken them: no offset is given twice. Damage within a log is
// quarantined by the next start.
func (r *repairer) logs() (err error) {
	o, err := r.open(journalDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	known, err := taken(r.fs, o.catalog)
	if err != nil {
		return err
	}
	for _, s := range o.catalog.Streams() {
		for p := range s.Partitions {
			part := event.Partition(p)
			if err := r.extendLog(o, s.Name, part, known[s.Name].At(part)); err != nil {
				return err
			}
		}
	}
	for _, file := range r.damaged(logDir) {
		r.out.done("%s: the next start of the server notes the offsets that are lost", file)
	}
	return nil
}

// extendLog lets a log that ends before what was sealed or taken of it go on behind that. What was taken and not sealed is lost, and so may be
// what came behind it.
func (r *repairer) extendLog(o *opened, stream string, p event.Partition, known event.Offset) error {
	sealed := o.manifest.View(stream).Sealed.Next.At(p)
	l, err := r.look(stream, p)
	if err != nil || max(sealed, known) <= l.next {
		return err
	}
	lost, end := max(sealed, l.next), max(sealed, known)
	if err := r.quarantine(o, stream, p, lost, end, fmt.Sprintf("%s/%020d.log", l.dir, lost), "the file is missing"); err != nil {
		return err
	}
	name := fmt.Sprintf("%s/%020d.log", l.dir, end)
	if err := vfs.MkdirAllSync(r.fs, l.dir); err != nil {
		return err
	}
	w, err := record.Create(r.fs, name, record.EventLog, record.NewSalt())
	if err != nil {
		return err
	}
	r.out.done("%s is made: the log goes on behind what was sealed or read", name)
	r.out.lost("what was in the log of stream %s, partition %d and in no segment", stream, p)
	return errors.Join(w.Mark(), w.Close())
}
