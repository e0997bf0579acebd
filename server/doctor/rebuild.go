package doctor

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// rebuiltDir is where a new journal is written before it takes its place.
const rebuiltDir = "journal.rebuilt"

// journal makes a new journal where the one there is cannot be opened: the list of segments from the segments, definitions from what is
// left of the old journal, and where nothing is left from the segments too.
func (r *repairer) journal() error {
	c, m := catalog.New(), manifest.New()
	lookErr := journal.Look(r.fs, journalDir, map[journal.Kind]journal.State{journal.KindStream: c, journal.KindSegment: m})
	if lookErr == nil && !slices.Contains(r.damaged(journalDir), journalDir) {
		return nil
	}
	found, err := segments.Rebuild(r.ctx, r.fs)
	if err != nil && !isMissing(err) {
		return err
	}
	before := manifest.New()
	c = catalog.New()
	if err := journal.Salvage(r.fs, journalDir, func(record journal.Record) {
		// A record that cannot be applied is lost like one that cannot be read.
		if record.Kind == journal.KindStream {
			_ = c.Apply(record)
		} else {
			_ = before.Apply(record)
		}
	}); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, s := range c.Streams() {
		known[s.Name] = true
	}
	if err := r.define(c, found); err != nil {
		return err
	}
	found = r.sort(c, found)
	edits, err := r.seal(c, found, before, known)
	if err != nil {
		return err
	}
	m = segments.Restore(found)
	for _, e := range edits {
		m.Restore(e)
	}
	if err := r.generations(c); err != nil {
		return err
	}
	if err := r.write(c, m); err != nil {
		return err
	}
	r.out.done("the journal is made anew, with %d streams and %d views", len(c.Streams()), len(c.Views()))
	return r.missing(found, before)
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// define gives the streams that have files and no definition one, and moves logs away that cannot be read without it.
func (r *repairer) define(c *catalog.Catalog, found []segments.Rebuilt) error {
	v := &verifier{fs: r.fs}
	for _, f := range found {
		_, stored := c.Stored(f.Stream)
		if stored || f.Schema == nil || c.Dropped(f.Stream) || catalog.ValidateName(f.Stream) != nil {
			continue
		}
		dirs, err := v.folders(path.Join(logDir, f.Stream))
		if err != nil {
			return err
		}
		definition := catalog.Stream{
			Name: f.Stream, Schema: f.Schema, Partitions: max(1, len(dirs), len(f.Edit.Sealed.Next)), Bound: catalog.DefaultBound,
			IdleTimeout: catalog.DefaultIdleTimeout, FutureLimit: catalog.DefaultFutureLimit, LogRetention: catalog.DefaultLogRetention,
			SchemaMode: catalog.Evolve,
		}
		if err := c.Restore(definition); err != nil {
			return err
		}
		r.out.lost("the definition of stream %s but for its columns: partitioning, watermark, retention and DEDUP KEY are the defaults", f.Stream)
	}
	streams, err := v.folders(logDir)
	if err != nil {
		return err
	}
	for _, name := range streams {
		if _, ok := c.Stream(name); ok || c.Dropped(name) || catalog.ValidateName(name) != nil {
			continue
		}
		if err := r.exportLog(name); err != nil {
			return err
		}
	}
	return nil
}

// exportLog writes the rows of a log without a definition as lines of JSON, and moves the log aside.
func (r *repairer) exportLog(stream string) error {
	v := &verifier{fs: r.fs}
	partitions, err := v.folders(path.Join(logDir, stream))
	if err != nil {
		return err
	}
	for _, p := range partitions {
		if err := r.export(stream, partitionOf(p), 0); err != nil {
			return err
		}
	}
	err = r.aside(path.Join(logDir, stream))
	r.out.lost("the definition of stream %s: its log is moved aside", stream)
	return err
}

// export writes the rows of a partition's log from an offset on.
func (r *repairer) export(stream string, p event.Partition, from event.Offset) error {
	if err := r.makeAside(); err != nil {
		return err
	}
	name := path.Join(r.out.Aside, fmt.Sprintf("%s.%d.ndjson", stream, p))
	file, err := r.fs.Create(name)
	if err != nil {
		return err
	}
	rows, failed := 0, error(nil)
	_, err = eventlog.Check(r.fs, fmt.Sprintf("%s/%s/%d", logDir, stream, p), func(e *eventlog.Entry) {
		if e.Idle != nil {
			return
		}
		var lines bytes.Buffer
		for i := range e.Rows() {
			if e.First+event.Offset(i) < from {
				continue
			}
			value, err := textOf(e, i)
			if err != nil {
				failed = errors.Join(failed, err)
				break
			}
			lines.Write(bytes.TrimSpace(value))
			lines.WriteByte('\n')
			rows++
		}
		if failed == nil {
			_, failed = file.Write(lines.Bytes())
		}
	})
	if err := errors.Join(err, failed, file.Sync(), file.Close(), r.fs.SyncDir(r.out.Aside)); err != nil {
		return fmt.Errorf("write rows of stream %s: %w", stream, err)
	}
	r.out.done("%d rows of stream %s are written to %s: tidemark load %s brings them back", rows, stream, name, stream)
	return nil
}

// textOf is a row of a log as JSON, under the names that its columns had when it was taken in.
func textOf(e *eventlog.Entry, row int) ([]byte, error) {
	if e.Columns != nil {
		return e.Columns.AppendJSON(nil, row)
	}
	return e.Values[row], nil
}

// sort leaves out segments that belong to nothing, as those of a view whose definition is lost.
func (r *repairer) sort(c *catalog.Catalog, found []segments.Rebuilt) []segments.Rebuilt {
	return slices.DeleteFunc(found, func(f segments.Rebuilt) bool {
		_, ok := c.Stored(f.Stream)
		if !ok && !c.Dropped(f.Stream) && len(f.Edit.Add) > 0 {
			r.out.lost("what the segments in segments/%s belonged to: they go to trash/", f.Stream)
		}
		for file, err := range f.Damaged {
			r.out.lost("the rows of %s: %s", file, detail(err))
		}
		return !ok
	})
}

// seal raises the vectors to where the logs begin. Of a stream whose definition is made of its segments, rows that were written under a
// newer one cannot be read as they were meant: they are written to a file instead.
func (r *repairer) seal(c *catalog.Catalog, found []segments.Rebuilt, before *manifest.Manifest, known map[string]bool) ([]manifest.Edit, error) {
	var edits []manifest.Edit
	for _, s := range c.Streams() {
		edit := manifest.Edit{Stream: s.Name}
		// Rows that have expired are not read from the log again, unless that may have others of which the segment is damaged.
		whole := true
		for _, f := range found {
			if f.Stream == s.Name {
				edit.Sealed, edit.ExpiredBefore = f.Edit.Sealed, f.Edit.ExpiredBefore
				whole = len(f.Damaged) == 0
			}
		}
		edit.ExpectedNext = edit.Sealed.Next
		next := append(event.Vector(nil), edit.Sealed.Next...)
		for p := range s.Partitions {
			l, err := r.look(s.Name, event.Partition(p))
			if err != nil {
				return nil, err
			}
			for len(next) <= p {
				next = append(next, 0)
			}
			next[p] = max(next[p], l.first)
			if whole {
				next[p] = max(next[p], min(before.View(s.Name).ExpiredTo.At(event.Partition(p)), l.next))
			}
			if given := before.View(s.Name).Sealed.Next.At(event.Partition(p)); given > l.next {
				next[p] = max(next[p], given) // offsets that were given away and that nothing here has
			}
			if !known[s.Name] && l.newest > s.Schema.Version {
				if err := r.export(s.Name, event.Partition(p), next[p]); err != nil {
					return nil, err
				}
				next[p] = max(next[p], l.next)
			}
		}
		edit.Sealed.Next = next
		edits = append(edits, edit)
	}
	return edits, nil
}

// lookedAt is what there is of a partition's log.
type lookedAt struct {
	dir         string
	first, next event.Offset
	newest      int // the newest version of the schema that an entry was written under
}

func (r *repairer) look(stream string, p event.Partition) (lookedAt, error) {
	l := lookedAt{dir: fmt.Sprintf("%s/%s/%d", logDir, stream, p)}
	files, err := eventlog.Check(r.fs, l.dir, func(e *eventlog.Entry) { l.newest = max(l.newest, int(e.Meta.SchemaVersion)) })
	if isMissing(err) {
		return l, nil
	}
	if err == nil && len(files) > 0 {
		l.first, l.next = files[0].First, files[len(files)-1].Next
	}
	return l, err
}

// generations keeps the numbers of views from being given again: files of theirs may lie about.
func (r *repairer) generations(c *catalog.Catalog) error {
	v, last := &verifier{fs: r.fs}, uint64(0)
	for _, dir := range []string{viewsDir, stateDir, segmentsDir} {
		names, err := v.list(dir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if _, digits, ok := strings.Cut(name, "."); ok {
				if n, err := strconv.ParseUint(digits, 10, 64); err == nil {
					last = max(last, n)
				}
			}
		}
	}
	c.SkipGenerations(last)
	return nil
}

// write puts a journal with the given content in the place of the present one, which is moved aside.
func (r *repairer) write(c *catalog.Catalog, m *manifest.Manifest) error {
	if err := r.aside(rebuiltDir); err != nil { // of a repair that was broken off
		return err
	}
	definitions, err := c.Snapshot()
	if err != nil {
		return err
	}
	lists, err := m.Snapshot()
	if err != nil {
		return err
	}
	o, err := r.open(rebuiltDir)
	if err != nil {
		return err
	}
	err = o.Update(func() ([]journal.Record, error) { return slices.Concat(definitions, lists), nil })
	if err := errors.Join(err, o.Close()); err != nil {
		return err
	}
	if err := r.aside(journalDir); err != nil {
		return err
	}
	if err := r.fs.Rename(rebuiltDir, journalDir); err != nil {
		return err
	}
	return r.fs.SyncDir(".")
}

// missing notes segments as lost that the old journal listed, and of which neither the file nor one with its rows is there.
func (r *repairer) missing(found []segments.Rebuilt, before *manifest.Manifest) (err error) {
	o, err := r.open(journalDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.Close()) }()
	for _, f := range found {
		if _, ok := o.catalog.Stream(f.Stream); !ok {
			continue
		}
		for _, s := range before.View(f.Stream).Segments {
			if err := r.lose(o, f, s); err != nil {
				return err
			}
		}
		if len(f.Damaged) == 0 {
			continue
		}
		for p, to := range o.manifest.View(f.Stream).Sealed.Next {
			if err := r.gaps(o, f, event.Partition(p), to); err != nil {
				return err
			}
		}
	}
	return nil
}

// lose notes a segment that the old journal listed as lost, unless something else has its rows or they have expired. Rows behind where
// the segments end are read from the log again.
func (r *repairer) lose(o *opened, f segments.Rebuilt, s *manifest.Segment) error {
	expired := f.Edit.ExpiredBefore != 0 && s.MaxTime < f.Edit.ExpiredBefore
	if expired || slices.Contains(f.Superseded, s.File) || slices.ContainsFunc(f.Edit.Add, func(a *manifest.Segment) bool {
		return s.From.Covers(a.From) && a.To.Covers(s.To)
	}) {
		return nil
	}
	sealed, lost := o.manifest.View(f.Stream).Sealed.Next, false
	for p := range s.To {
		part := event.Partition(p)
		from, to := s.From.At(part), min(s.To.At(part), sealed.At(part))
		lost = lost || from < to
		if err := r.quarantine(o, f.Stream, part, from, to, s.File, "the segment is damaged or missing"); err != nil {
			return err
		}
	}
	if lost {
		r.out.lost("%d rows of stream %s in %s, events from %s to %s", s.Rows, s.Stream, s.File, clockOf(s.MinTime), clockOf(s.MaxTime))
	}
	return nil
}

// gaps notes offsets as lost that no segment has, of a stream of which a segment cannot be read: nothing else tells what was in that.
func (r *repairer) gaps(o *opened, f segments.Rebuilt, p event.Partition, to event.Offset) error {
	live := slices.Clone(f.Edit.Add)
	slices.SortFunc(live, func(a, b *manifest.Segment) int { return cmp.Compare(a.From.At(p), b.From.At(p)) })
	at, file := event.Offset(0), slices.Min(slices.Collect(maps.Keys(f.Damaged)))
	for _, s := range live {
		if err := r.quarantine(o, f.Stream, p, at, min(s.From.At(p), to), file, "the segment is damaged"); err != nil {
			return err
		}
		at = max(at, s.To.At(p))
	}
	return r.quarantine(o, f.Stream, p, at, to, file, "the segment is damaged")
}
