// Package segments keeps the sealed rows of streams: immutable Parquet files, sorted by event time, and the manifest that
// says which of them count.
//
// Add makes files, Merge makes fewer of them, View reads them. A file is written under tmp/, synced, renamed to segments/<stream>/ and its directory synced
// before the manifest names it: what the manifest lists is always there and whole. Every block of a file is checked against its
// CRC32C in the manifest when it is loaded, so damage is an error of code corrupt and never an answer.
//
// A segment that the manifest no longer lists is retired: its file moves to trash/dropped/, where views that were opened before go on
// reading it, and is removed once none of them is open.
//
// A Store may be used from any goroutine; it starts none. Concurrent Adds to one stream conflict, and one of them fails. The
// package does not read the log, decide when to seal, or know SQL.
package segments

import (
	"errors"
	"fmt"
	"sync"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/cache"
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
	// CacheBytes bounds footers, verified blocks, pages and decoded dictionaries together; DefaultCacheBytes.
	CacheBytes int64
	// WriteBytes bounds what making files takes beside the rows that are sealed; DefaultWriteBytes, and at least LeastWriteBytes.
	WriteBytes int64
	// OpenFiles bounds how many files are kept open; DefaultOpenFiles.
	OpenFiles int
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
	if o.WriteBytes < 0 {
		faults = append(faults, fmt.Errorf("write bytes: %d is negative", o.WriteBytes))
	}
	if o.OpenFiles < 0 {
		faults = append(faults, fmt.Errorf("open files: %d is negative", o.OpenFiles))
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
	writing  *writing
	blocks   *blockCache
	caches   *parquet.Caches
	handles  *handles
	readers  *cache.Cache[uint64, *parquet.Reader] // by segment id

	// replacing is held by whoever takes segments out of the manifest until their files are moved: one at a time keeps the list of
	// retired segments short and the order of moves that of commits.
	replacing sync.Mutex

	mu struct {
		sync.Mutex
		closed bool
		// epoch counts the segments taken away; pins counts the open views by the epoch that they were opened in.
		epoch uint64
		pins  map[uint64]int
		// moved says where the files of retired segments lie, and trash which of them are to be removed.
		moved   map[uint64]string
		trash   []trashed
		damaged map[uint64]string
	}
}

// Open makes the Store over a manifest that the journal has replayed. A file that the manifest does not list, as a crash leaves, is
// moved to trash/, or removed if the manifest knows that it was replaced. A listed one that is missing or damaged does not keep the
// others from being read: see Damage.
func Open(fs vfs.FS, journal Journal, m *manifest.Manifest, options Options) (*Store, error) {
	if err := options.Validate(); err != nil {
		return nil, fmt.Errorf("open segments: %w", err)
	}
	if options.CacheBytes == 0 {
		options.CacheBytes = DefaultCacheBytes
	}
	if options.WriteBytes == 0 {
		options.WriteBytes = DefaultWriteBytes
	}
	if options.OpenFiles == 0 {
		options.OpenFiles = DefaultOpenFiles
	}
	// Blocks take little: they serve footers, and the ends of pages, whose next page needs the rest of the block.
	blockBytes, footerBytes := options.CacheBytes/8, options.CacheBytes/8
	s := &Store{
		fs: fs, journal: journal, manifest: m,
		layout:  parquet.Layout{RowGroupRows: options.RowGroupRows, PageRows: options.PageRows},
		writing: newWriting(max(options.WriteBytes, LeastWriteBytes)),
		blocks:  newBlockCache(blockBytes),
		caches:  parquet.NewCaches(options.CacheBytes - blockBytes - footerBytes),
		readers: cache.New[uint64, *parquet.Reader](footerBytes),
	}
	s.handles = newHandles(options.OpenFiles, s.openFile)
	s.mu.pins, s.mu.moved, s.mu.damaged = map[uint64]int{}, map[uint64]string{}, map[uint64]string{}
	if err := s.prepare(); err != nil {
		return nil, fmt.Errorf("open segments: %w", err)
	}
	return s, nil
}

// Close closes all files. Views stay valid but can read no more.
func (s *Store) Close() error {
	s.mu.Lock()
	s.mu.closed = true
	s.mu.Unlock()
	return s.handles.close()
}

func (s *Store) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mu.closed
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

// reader opens a segment, or takes the footer that was read before. Two who ask at the same time may both read it.
func (s *Store) reader(segment *manifest.Segment) (*parquet.Reader, error) {
	if s.isClosed() {
		return nil, errClosed()
	}
	if reader, ok := s.readers.Get(segment.ID); ok {
		return reader, nil
	}
	reader, err := s.openReader(segment, s.blocks, s.caches)
	if err != nil {
		return nil, err
	}
	s.readers.Put(segment.ID, reader, reader.Bytes())
	return reader, nil
}

// openReader reads a footer. What the reader loads goes through the caches given.
func (s *Store) openReader(segment *manifest.Segment, blocks *blockCache, caches *parquet.Caches) (*parquet.Reader, error) {
	verified := &verifiedFile{store: s, segment: segment, cache: blocks}
	reader, err := parquet.Open(verified, segment.Bytes, segment.File, caches)
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	return reader, nil
}

func errClosed() error { return event.Errorf(event.CodeClosed, "the segment store is closed") }
