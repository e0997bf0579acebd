package segments

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"path"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// Rebuilt is what the files of one stream say about it.
type Rebuilt struct {
	Stream string
	// Schema is the newest that a file was written under.
	Schema *event.Schema
	// Edit makes the stream's manifest from nothing: its live segments, and how far they reach. The log may begin later than Edit.Sealed
	// says, where retention has dropped the last segments: raising it is for whoever can see the log.
	Edit manifest.Edit
	// EraseEpoch is the highest of any file.
	EraseEpoch uint64
	// Superseded are files that do not count: what was made of them is there, they have expired, or they belong to a merge that was not
	// finished.
	Superseded []string
	// Damaged are files that cannot be read, with the reason.
	Damaged map[string]error
}

// Rebuild works out from the segment files alone what the manifest said of every stream. Nothing else is read, and nothing is changed.
// Every page is read and held against its checksum. Rows that were replaced, erased or
// have expired do not come back: their files are in trash/, or superseded by what other footers say.
func Rebuild(ctx context.Context, fs vfs.FS) ([]Rebuilt, error) {
	streams, err := fs.ReadDir(segmentsDir)
	if err != nil {
		return nil, fmt.Errorf("rebuild manifest: list %s: %w", segmentsDir, err)
	}
	var out []Rebuilt
	for _, stream := range streams {
		if info, err := fs.Stat(path.Join(segmentsDir, stream)); err != nil || !info.IsDir() {
			continue
		}
		rebuilt, err := rebuildStream(ctx, fs, stream)
		if err != nil {
			return nil, fmt.Errorf("rebuild manifest of stream %s: %w", stream, err)
		}
		out = append(out, rebuilt)
	}
	return out, nil
}

// Restore makes a manifest of what Rebuild found.
func Restore(found []Rebuilt) *manifest.Manifest {
	m := manifest.New()
	for _, r := range found {
		m.Restore(r.Edit)
	}
	return m
}

// foundFile is a readable file of the stream at hand.
type foundFile struct {
	segment *manifest.Segment
	meta    parquet.FileMeta
}

func rebuildStream(ctx context.Context, fs vfs.FS, stream string) (Rebuilt, error) {
	out := Rebuilt{Stream: stream, Edit: manifest.Edit{Stream: stream}, Damaged: map[string]error{}}
	names, err := fs.ReadDir(path.Join(segmentsDir, stream))
	if err != nil {
		return out, err
	}
	files := map[uint64]foundFile{}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		id, ok := parseFileName(name)
		if !ok {
			continue
		}
		file := path.Join(segmentsDir, stream, name)
		segment, reader, err := describeFile(ctx, fs, file)
		if err == nil && (segment.ID != id || segment.Stream != stream) {
			err = event.Errorf(event.CodeCorrupt, "segment file %s says that it is segment %d of stream %s", file, segment.ID, segment.Stream)
		}
		if err != nil {
			out.Damaged[file] = err
			continue
		}
		files[id] = foundFile{segment, reader.Meta()}
		if out.Schema == nil || reader.Schema().Version > out.Schema.Version {
			out.Schema = reader.Schema()
		}
	}
	out.judge(files)
	return out, nil
}

// judge decides which files count, and how far they reach together.
func (r *Rebuilt) judge(files map[uint64]foundFile) {
	gone := map[uint64]bool{} // replaced by a merge that was finished
	for _, f := range files {
		if finished(f.meta, files) {
			for _, id := range f.meta.Replaces {
				gone[id] = true
			}
		}
	}
	expired := int64(0)
	sealed := &r.Edit.Sealed
	for _, f := range files {
		r.EraseEpoch = max(r.EraseEpoch, f.meta.EraseEpoch)
		if f.meta.ExpiredBefore != 0 && (expired == 0 || f.meta.ExpiredBefore > expired) {
			expired = f.meta.ExpiredBefore
		}
		sealed.Next = sealed.Next.Max(f.meta.To)
		sealed.MaxEventTime = laterClocks(sealed.MaxEventTime, f.meta.MaxEventTime)
		sealed.Watermark = laterClocks(sealed.Watermark, f.meta.Watermark)
	}
	r.Edit.ExpiredBefore = expired
	for _, id := range slices.Sorted(maps.Keys(files)) {
		f := files[id]
		// A file that was written after the newest expiry holds late rows, which only the next one drops.
		old := expired != 0 && f.segment.MaxTime < expired && f.meta.ExpiredBefore < expired
		if gone[id] || !finished(f.meta, files) || old {
			r.Superseded = append(r.Superseded, f.segment.File)
			continue
		}
		r.Edit.Add = append(r.Edit.Add, f.segment)
	}
}

// finished reports whether the merge that made a file was committed. Inputs are moved away only afterwards, so that one which is missing
// tells it was; if all are there, so must be all siblings, or what replaced them.
func finished(meta parquet.FileMeta, files map[uint64]foundFile) bool {
	for _, id := range meta.Replaces {
		if _, ok := files[id]; !ok {
			return true
		}
	}
	for _, id := range meta.Siblings {
		if _, ok := files[id]; !ok {
			return false
		}
	}
	return true
}

// describeFile makes the manifest's description of a segment from its file.
func describeFile(ctx context.Context, fs vfs.FS, name string) (segment *manifest.Segment, reader *parquet.Reader, err error) {
	file, err := fs.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return nil, nil, err
	}
	reader, err = parquet.Open(file, size, name, parquet.NewCaches(0))
	if err != nil {
		return nil, nil, err
	}
	if err := reader.VerifyFile(ctx); err != nil { // new checksums of damaged bytes would make them good
		return nil, nil, err
	}
	if err := readAll(ctx, reader); err != nil {
		return nil, nil, err
	}
	meta, schema := reader.Meta(), reader.Schema()
	segment = &manifest.Segment{
		ID: meta.Segment, Stream: meta.Stream, File: name, Rows: int64(reader.TotalRows()), Bytes: size, From: meta.From, To: meta.To,
		SchemaVersion: schema.Version, Archived: reader.Archived(),
	}
	for _, column := range schema.All() {
		stats := prune.Stats{Type: column.Type}
		for group := range reader.RowGroups() {
			more, _ := reader.ChunkStats(group, column.ID)
			stats = stats.Merge(more)
		}
		segment.Columns = append(segment.Columns, manifest.Column{ID: column.ID, Stats: stats})
	}
	segment.MinTime, segment.MaxTime = timeRange(schema, segment)
	segment.Blocks, err = checksumsOf(file, size)
	return segment, reader, err
}

// timeRange encloses the event times by what statistics say. Rows without an event time count with that of their arrival.
func timeRange(schema *event.Schema, segment *manifest.Segment) (low, high int64) {
	arrivals, _ := segment.Stats(event.FieldIngestedAt)
	times, ok := segment.Stats(schema.TimeColumn)
	switch {
	case !ok || times.AllNull():
		return arrivals.Min.Int, arrivals.Max.Int
	case times.Nulls > 0:
		return min(times.Min.Int, arrivals.Min.Int), max(times.Max.Int, arrivals.Max.Int)
	default:
		return times.Min.Int, times.Max.Int
	}
}

func checksumsOf(file io.ReaderAt, size int64) ([]uint32, error) {
	var sums []uint32
	block := make([]byte, manifest.BlockBytes)
	for at := int64(0); at < size; at += manifest.BlockBytes {
		part := block[:min(manifest.BlockBytes, size-at)]
		if n, err := file.ReadAt(part, at); n < len(part) && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read at %d: %w", at, err)
		}
		sums = append(sums, crc32.Checksum(part, castagnoli))
	}
	return sums, nil
}
