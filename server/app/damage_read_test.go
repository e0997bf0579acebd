package app

import (
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// fileReader reads one file of a data directory, whose other files are as they were, by what doctor and servers read such files with.
type fileReader struct {
	*damageable
	t     *testing.T
	files *vfs.Mem
	name  string
	// check reads the file.
	check func() (record.Checked, error)
}

func (w *damageable) readerOf(t *testing.T, name string) *fileReader {
	t.Helper()
	r := &fileReader{damageable: w, t: t, files: w.disk(t, name, w.files[name]), name: name}
	kind, _, _ := strings.Cut(name, "/")
	contents := map[string]record.Content{"views": record.Changelog, "state": record.Checkpoint}
	switch {
	case kind == "journal":
		r.check = r.journal
	case kind == "log":
		r.check = r.log
	case kind == "segments":
		r.check = r.segment
	case path.Ext(name) == ".snapshot":
		r.check = func() (record.Checked, error) { return r.record(record.Dedup, true) }
	default:
		whole := kind == "state"
		r.check = func() (record.Checked, error) { return r.record(contents[kind], whole) }
	}
	return r
}

// read puts other bytes in the file and gives what is found; "" where nothing is, or not at the place.
func (r *fileReader) read(h harm, bad []byte) string {
	r.t.Helper()
	require.NoError(r.t, r.files.Remove(r.name))
	f, err := r.files.Create(r.name)
	require.NoError(r.t, err)
	_, err = f.Write(bad)
	require.NoError(r.t, err)
	require.NoError(r.t, f.Close())
	found, err := r.check()
	cut := len(bad) < len(r.damageable.files[r.name])
	seen := false
	for i := range found.Damage {
		d := &found.Damage[i]
		seen = seen || d.From <= int64(h.at) && (d.To > int64(h.at) || cut)
		if cut {
			coarsen(d, int64(len(bad)), path.Ext(r.name) == ".parquet")
		}
	}
	if !seen || r.isEmpty(r.name) {
		return ""
	}
	return fmt.Sprint(r.name, found.Damage, found.Torn > 0, found.Unused > 0, found.Closed, err)
}

// coarsen takes out of what is found how much is left of what a cut went through, a frame or a block of a segment: it is read whole or not at all.
func coarsen(d *record.Damage, left int64, segment bool) {
	if d.To == left {
		d.To = -1
	}
	if d.From == left && segment {
		d.From -= left % manifest.BlockBytes
	}
}

func (r *fileReader) record(content record.Content, whole bool) (record.Checked, error) {
	return record.Check(r.files, r.name, content, whole, func(record.Frame) error { return nil })
}

func (r *fileReader) journal() (record.Checked, error) {
	r.t.Helper()
	files, err := journal.Check(r.files, "journal")
	require.NoError(r.t, err)
	for _, f := range files {
		if f.Name == r.name {
			return f.Checked, f.Err
		}
	}
	return record.Checked{}, nil
}

func (r *fileReader) log() (record.Checked, error) {
	r.t.Helper()
	files, err := eventlog.Check(r.files, path.Dir(r.name), nil)
	require.NoError(r.t, err)
	for _, f := range files {
		if f.Name == r.name {
			return f.Checked, f.Err
		}
	}
	return record.Checked{}, nil
}

func (r *fileReader) segment() (out record.Checked, err error) {
	r.t.Helper()
	if r.listed[r.name] == nil {
		return out, nil
	}
	damage, err := segments.CheckFile(r.t.Context(), r.files, r.listed[r.name])
	for _, d := range damage {
		out.Damage = append(out.Damage, record.Damage(d))
	}
	return out, err
}
