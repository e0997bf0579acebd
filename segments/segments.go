// Package segments keeps the sealed rows of streams: immutable Parquet files, sorted by event time, and the manifest that
// says which of them count.
//
// Add makes files, View reads them. A file is written under tmp/, synced, renamed to segments/<stream>/ and its directory synced
// before the manifest names it: what the manifest lists is always there and whole. Every block of a file is checked against its
// CRC32C in the manifest when it is loaded, so damage is an error of code corrupt and never an answer.
//
// A Store may be used from any goroutine; it starts none. Concurrent Adds to one stream conflict, and one of them fails. The
// package does not read the log, decide when to seal, or know SQL.
package segments

import (
	"errors"
	"fmt"
	"path"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

const (
	// segmentsDir holds a directory for each stream.
	segmentsDir = "segments"
	// tmpDir holds files being written.
	tmpDir = "tmp"
	// trashDir takes files that nothing refers to. They are kept for whoever wants to look.
	trashDir = "trash"
	// suffix ends the name of every segment file.
	suffix = ".parquet"
)

// DefaultCacheBytes is the share of memory for what was read of segments where Options do not say otherwise: some ten columns of
// as many million rows.
const DefaultCacheBytes = 256 << 20

// Options sets up a Store. The zero value of a field is its default.
type Options struct {
	// RowGroupRows and PageRows are how files are cut; parquet.DefaultRowGroupRows and parquet.DefaultPageRows.
	RowGroupRows int
	PageRows     int
	// CacheBytes bounds verified blocks, pages and decoded dictionaries together; DefaultCacheBytes.
	CacheBytes int64
}

// Validate reports every fault of the options.
func (o Options) Validate() error {
	var faults []error
	if o.RowGroupRows < 0 {
		faults = append(faults, fmt.Errorf("row group rows: %d is negative", o.RowGroupRows))
	}
	if o.RowGroupRows > parquet.MaxRowGroupRows {
		faults = append(faults, fmt.Errorf("row group rows: %d is more than %d", o.RowGroupRows, parquet.MaxRowGroupRows))
	}
	if o.PageRows < 0 {
		faults = append(faults, fmt.Errorf("page rows: %d is negative", o.PageRows))
	}
	if o.CacheBytes < 0 {
		faults = append(faults, fmt.Errorf("cache bytes: %d is negative", o.CacheBytes))
	}
	return errors.Join(faults...)
}

// Journal is where the manifest makes its edits durable.
type Journal = manifest.Journal

// Store is the sealed part of all streams.
type Store struct {
	fs       vfs.FS
	journal  Journal
	manifest *manifest.Manifest
	layout   parquet.Layout
	blocks   *blockCache
	caches   *parquet.Caches
	mu       struct {
		sync.Mutex
		closed bool
		open   map[uint64]*openFile // files read so far, by segment id
		moved  map[uint64]string    // where the files of dropped streams lie
	}
}

// openFile is an open segment with its footer.
type openFile struct {
	file   vfs.File
	reader *parquet.Reader
}

// Open makes the Store over a manifest that the journal has replayed. A file that the manifest lists must be there in its full size;
// one that it does not list, as a crash leaves, is moved to trash/.
func Open(fs vfs.FS, journal Journal, m *manifest.Manifest, options Options) (*Store, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("open segments: %w", err)
	}
	if options.CacheBytes == 0 {
		options.CacheBytes = DefaultCacheBytes
	}
	// Blocks take little: they serve footers, and the ends of pages, whose next page needs the rest of the block.
	blockBytes := options.CacheBytes / 8
	s := &Store{
		fs: fs, journal: journal, manifest: m,
		layout: parquet.Layout{RowGroupRows: options.RowGroupRows, PageRows: options.PageRows},
		blocks: newBlockCache(blockBytes),
		caches: parquet.NewCaches(options.CacheBytes - blockBytes),
	}
	s.mu.open, s.mu.moved = map[uint64]*openFile{}, map[uint64]string{}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("open segments: %w", err)
	}
	return s, nil
}

// Close closes all files. Views stay valid but can read no more.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mu.closed = true
	var faults []error
	for id, f := range s.mu.open {
		faults = append(faults, f.file.Close())
		delete(s.mu.open, id)
	}
	return errors.Join(faults...)
}

// Extent gives the least and the greatest value of a BIGINT column over all segments of a stream; ok is false where it has none.
func (s *Store) Extent(stream string, id event.FieldID) (low, high int64, ok bool) {
	for _, segment := range s.manifest.View(stream).Segments {
		stats, found := segment.Stats(id)
		if !found || !stats.Bounded || stats.Type.Kind != event.BigInt {
			continue
		}
		if !ok {
			low, high, ok = stats.Min.Int, stats.Max.Int, true
		}
		low, high = min(low, stats.Min.Int), max(high, stats.Max.Int)
	}
	return low, high, ok
}

// reader opens a segment, or takes the one that is open.
func (s *Store) reader(segment *manifest.Segment) (*parquet.Reader, error) {
	s.mu.Lock()
	f, closed := s.mu.open[segment.ID], s.mu.closed
	s.mu.Unlock()
	if closed {
		return nil, errClosed()
	}
	if f != nil {
		return f.reader, nil
	}
	opened, err := s.openSegment(segment)
	if err != nil {
		return nil, err
	}
	return s.keep(segment.ID, opened)
}

// openSegment reads a footer. It runs without the lock, so that two may open the same file; keep closes the second.
func (s *Store) openSegment(segment *manifest.Segment) (*openFile, error) {
	file, err := s.openFile(segment)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	verified := &verifiedFile{file: file, segment: segment, cache: s.blocks}
	reader, err := parquet.Open(verified, segment.Bytes, segment.File, s.caches)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &openFile{file: file, reader: reader}, nil
}

func (s *Store) keep(id uint64, opened *openFile) (*parquet.Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mu.closed {
		return nil, errors.Join(errClosed(), opened.file.Close())
	}
	if first, ok := s.mu.open[id]; ok {
		return first.reader, opened.file.Close()
	}
	s.mu.open[id] = opened
	return opened.reader, nil
}

func errClosed() error { return event.Errorf(event.CodeClosed, "the segment store is closed") }

// fileName is where a segment lies. Ids are written with leading zeros so that listings sort by age.
func fileName(stream string, id uint64) string {
	return path.Join(segmentsDir, stream, fmt.Sprintf("%012d", id)+suffix)
}
