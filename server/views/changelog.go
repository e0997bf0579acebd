package views

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const (
	// viewsDir holds a directory for the changelog of each generation of a view.
	viewsDir = "views"
	// logSuffix ends the name of a file, which is the number of its first frame in twenty digits.
	logSuffix = ".log"
	// partRows and partBytes are how much goes into one record: the bytes are far below the limit of a record, as rows differ in size.
	partRows  = 16 << 10
	partBytes = 8 << 20
	// recentBytes bounds the frames kept in memory for those who follow closely.
	recentBytes = 8 << 20
)

// kindFrame is the kind of a changelog's records.
const kindFrame uint8 = 1

// changelog is the durable sequence of a view's frames. The view's goroutine appends; others may read at the same time.
type changelog struct {
	fs     vfs.FS
	dir    string
	schema *arrow.Schema
	writer *record.Writer

	mu struct {
		sync.Mutex
		files []uint64 // numbers of the first frames
		// next is the number of the frame that comes next: those below are durable.
		next uint64
		// durable is the size up to which the last file may be read.
		durable int64
		// earlier is the size of the files before the last one whose frames no checkpoint covers, as a start may find them.
		earlier int64
		recent  []*Frame
		bytes   int64
	}
}

// openChangelog opens or makes the changelog of a generation and gives every complete frame from a number on to fn. Frames of an
// unfinished step, which nobody has seen, are dropped.
func openChangelog(fs vfs.FS, dir string, schema *event.Schema, from uint64, fn func(*Frame) error) (*changelog, error) {
	l := &changelog{fs: fs, dir: dir, schema: arrowSchema(schema, true)}
	if err := vfs.MkdirAllSync(fs, dir); err != nil {
		return nil, fmt.Errorf("open changelog: %w", err)
	}
	files, err := listFiles(fs, dir, logSuffix)
	if err != nil {
		return nil, fmt.Errorf("open changelog: %w", err)
	}
	l.mu.files, l.mu.next = files, 1
	if err := l.replay(files, from, fn); err != nil {
		return nil, fmt.Errorf("open changelog: %w", err)
	}
	return l, nil
}

// replay reads the files and opens the last one to go on.
func (l *changelog) replay(files []uint64, from uint64, fn func(*Frame) error) error {
	for i, first := range files {
		last := i == len(files)-1
		if !last && files[i+1] <= from {
			l.mu.next = files[i+1]
			continue
		}
		l.mu.next = first
		assembler := assembler{done: func(f *Frame) error {
			if f.Number != l.mu.next {
				return record.Corrupt(l.file(first), 0, "frame %d stands where %d belongs", f.Number, l.mu.next)
			}
			l.mu.next++
			if f.Number < from {
				return nil
			}
			return fn(f)
		}}
		var err error
		if last {
			l.writer, err = record.Resume(l.fs, l.file(first), record.Changelog, assembler.add)
		} else {
			if info, err := l.fs.Stat(l.file(first)); err == nil {
				l.mu.earlier += info.Size()
			}
			_, err = record.Scan(l.fs, l.file(first), record.Changelog, record.ScanOptions{Whole: true}, assembler.add)
		}
		if err != nil {
			return err
		}
	}
	if l.writer == nil {
		return l.rotate()
	}
	l.mu.durable = l.writer.Size()
	return nil
}

// assembler joins the parts of frames.
type assembler struct {
	parts []*Frame
	done  func(*Frame) error
}

func (a *assembler) add(r record.Frame) error {
	f, header, err := parseFrame(r.Body)
	if err != nil {
		return err
	}
	if header.Part == 0 {
		a.parts = nil // a crash cut off the step before, if there was a part of one
	}
	if header.Part != len(a.parts) {
		return event.Errorf(event.CodeCorrupt, "part %d of frame %d of a view's changelog is missing", len(a.parts), f.Number)
	}
	a.parts = append(a.parts, f)
	if header.More {
		return nil
	}
	whole, err := joinFrames(a.parts)
	if err != nil {
		return err
	}
	a.parts = nil
	return a.done(whole)
}

func joinFrames(parts []*Frame) (*Frame, error) {
	if len(parts) == 1 {
		return parts[0], nil
	}
	out := *parts[0]
	out.Columns, out.Weights, out.Rows = make([]arrow.Array, len(parts[0].Columns)), nil, 0
	for _, p := range parts {
		out.Weights, out.Rows = append(out.Weights, p.Weights...), out.Rows+p.Rows
	}
	for i := range out.Columns {
		arrays := make([]arrow.Array, len(parts))
		for j, p := range parts {
			arrays[j] = p.Columns[i]
		}
		var err error
		if out.Columns[i], err = array.Concatenate(arrays, memory.DefaultAllocator); err != nil {
			return nil, fmt.Errorf("join frames: %w", err)
		}
	}
	return &out, nil
}

// listFiles gives the numbers of a directory's files with a suffix, ascending.
func listFiles(fs vfs.FS, dir, suffix string) ([]uint64, error) {
	names, err := fs.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint64
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, suffix)
		if number, err := strconv.ParseUint(digits, 10, 64); ok && err == nil && len(digits) == 20 {
			out = append(out, number)
		}
	}
	return out, nil
}

func (l *changelog) file(first uint64) string {
	return path.Join(l.dir, fmt.Sprintf("%020d%s", first, logSuffix))
}

// append makes a frame durable, and gives it its number.
func (l *changelog) append(f *Frame) error {
	f.Number = l.next()
	size := f.partRows()
	for part, from := 0, 0; part == 0 || from < f.Rows; part, from = part+1, from+size {
		if err := l.write(f, part, from, min(from+size, f.Rows)); err != nil {
			return fmt.Errorf("write changelog: %w", err)
		}
	}
	if err := l.writer.Sync(); err != nil {
		return fmt.Errorf("write changelog: %w", err)
	}
	l.announce(f)
	return nil
}

// partRows is how many rows of a frame go into one record.
func (f *Frame) partRows() int {
	if f.Rows == 0 {
		return partRows
	}
	perRow := f.bytes()/int64(f.Rows) + 1
	return int(min(partRows, max(1, partBytes/perRow)))
}

func (l *changelog) write(f *Frame, part, from, to int) error {
	body, err := appendFrame(nil, l.schema, f, part, from, to)
	if err != nil {
		return err
	}
	if err := l.writer.Add(kindFrame, func(dst []byte) []byte { return append(dst, body...) }); err != nil {
		return err
	}
	return l.writer.Flush()
}

func (l *changelog) announce(f *Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.next, l.mu.durable = f.Number+1, l.writer.Size()
	l.mu.recent = append(l.mu.recent, f)
	l.mu.bytes += f.bytes()
	for l.mu.bytes > recentBytes && len(l.mu.recent) > 1 {
		l.mu.bytes -= l.mu.recent[0].bytes()
		l.mu.recent = l.mu.recent[1:]
	}
}

// bytes is about the memory that a frame takes.
func (f *Frame) bytes() int64 {
	return 256 + rows{columns: f.Columns}.bytes() + 8*int64(len(f.Weights))
}

func (l *changelog) next() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.next
}

// size is the bytes of the frames since the newest checkpoint, with which a file begins.
func (l *changelog) size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.earlier + l.mu.durable
}

// held is the memory of the frames that are kept for those who follow.
func (l *changelog) held() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.bytes
}

// rotate completes the file and begins another, so that older ones can go.
func (l *changelog) rotate() error {
	l.mu.Lock()
	l.mu.earlier = 0
	l.mu.Unlock()
	if l.writer != nil {
		if l.mu.files[len(l.mu.files)-1] == l.mu.next {
			return nil // nothing in it yet
		}
		if err := errors.Join(l.writer.Mark(), l.writer.Close()); err != nil {
			return fmt.Errorf("rotate changelog: %w", err)
		}
	}
	first := l.next()
	writer, err := record.Create(l.fs, l.file(first), record.Changelog, record.NewSalt())
	if err != nil {
		return fmt.Errorf("rotate changelog: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writer = writer
	l.mu.files, l.mu.durable = append(l.mu.files, first), writer.Size()
	return nil
}

// trim removes files whose frames all come before a number, the oldest first, until the others take no more than a number of bytes.
func (l *changelog) trim(before uint64, keepBytes int64) error {
	files := l.kept()
	sizes, total := make([]int64, len(files)), int64(0)
	for i, first := range files {
		info, err := l.fs.Stat(l.file(first))
		if err != nil {
			return fmt.Errorf("trim changelog: %w", err)
		}
		sizes[i] = info.Size()
		total += sizes[i]
	}
	n := 0
	for n+1 < len(files) && files[n+1] <= before && total > keepBytes {
		total -= sizes[n]
		n++
	}
	l.keep(files[n:])
	for k, first := range files[:n] {
		if err := l.fs.Remove(l.file(first)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			l.keep(files[k:]) // those behind it stay as well, as the changelog would have a hole
			return fmt.Errorf("trim changelog: %w", err)
		}
	}
	if n == 0 {
		return nil
	}
	if err := l.fs.SyncDir(l.dir); err != nil {
		return fmt.Errorf("trim changelog: %w", err)
	}
	return nil
}

// keep says which files there are.
func (l *changelog) keep(files []uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.files = slices.Clone(files)
}

func (l *changelog) kept() []uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.files
}

// close completes the file.
func (l *changelog) close() error {
	if l.writer == nil {
		return nil
	}
	if l.writer.Failed() != nil {
		return l.writer.Close() // whoever met the failure has reported it
	}
	// The next file also says where the last one ends: if that is ever shorter, it is damaged.
	if err := l.rotate(); err != nil {
		return err
	}
	return l.writer.Close()
}

// errTrimmed says that a frame is not kept any more.
var errTrimmed = errors.New("the frame is not kept any more")

// read gives the durable frames from a number on to fn, as many as there are. It fails with errTrimmed where the first is gone.
func (l *changelog) read(ctx context.Context, from uint64, fn func(*Frame) error) error {
	for {
		recent, files, next, durable := l.look(from)
		if from >= next {
			return nil
		}
		if recent != nil {
			for _, f := range recent {
				if err := fn(f); err != nil {
					return err
				}
			}
			return nil
		}
		end, err := l.readFile(ctx, files, from, durable, fn)
		if err != nil {
			return err
		}
		from = end
	}
}

// look gives the frames in memory from a number on, or else the files.
func (l *changelog) look(from uint64) (recent []*Frame, files []uint64, next uint64, durable int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.mu.recent) > 0 && from >= l.mu.recent[0].Number && from < l.mu.next {
		recent = l.mu.recent[from-l.mu.recent[0].Number:]
	}
	return recent, l.mu.files, l.mu.next, l.mu.durable
}

// readFile reads the one file that holds a frame, from it on, and returns the number of the frame after the last.
func (l *changelog) readFile(ctx context.Context, files []uint64, from uint64, durable int64, fn func(*Frame) error) (uint64, error) {
	at := -1
	for i, first := range files {
		if first <= from {
			at = i
		}
	}
	if at < 0 {
		return 0, errTrimmed
	}
	options := record.ScanOptions{}
	if at == len(files)-1 {
		options.Limit = durable
	}
	next := from
	assembler := assembler{done: func(f *Frame) error {
		if err := ctx.Err(); err != nil || f.Number < from {
			return err
		}
		next = f.Number + 1
		return fn(f)
	}}
	if _, err := record.Scan(l.fs, l.file(files[at]), record.Changelog, options, assembler.add); err != nil {
		return 0, fmt.Errorf("read changelog: %w", err)
	}
	if next == from {
		return 0, record.Corrupt(l.file(files[at]), 0, "frame %d is missing", from)
	}
	return next, nil
}
