package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/cache"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// Caches keep what was read and verified: decoded dictionaries, and pages decompressed but not decoded. All readers of a store
// share them.
type Caches struct {
	dictionaries *cache.Cache[place, arrow.Array]
	pages        *cache.Cache[place, rawPage]
}

// place is where a page begins.
type place struct {
	file   string
	offset int64
}

// NewCaches makes caches bounded in bytes together. Dictionaries take a third: a few serve every page of a row group.
func NewCaches(limit int64) *Caches {
	return &Caches{dictionaries: cache.New[place, arrow.Array](limit / 3), pages: cache.New[place, rawPage](limit - limit/3)}
}

// Reader reads one file. It may be used from any goroutine as far as the io.ReaderAt may.
type Reader struct {
	name    string
	file    io.ReaderAt
	size    int64
	caches  *Caches
	meta    FileMeta
	schema  *event.Schema
	columns []Column
	at      map[event.FieldID]int
	groups  []rowGroup
	members []Member
	summed  bool // the file says that it has its own checksum
}

// Open reads footer and page index of a file of size bytes. name appears in errors and tells files apart in caches.
func Open(file io.ReaderAt, size int64, name string, caches *Caches) (r *Reader, err error) {
	defer recovered(name, &err)
	r = &Reader{name: name, file: file, size: size, caches: caches, at: map[event.FieldID]int{}}
	if err := r.readFooter(); err != nil {
		return nil, err
	}
	return r, nil
}

// Bytes is about the memory that the footer takes: a few words for each page of each column.
func (r *Reader) Bytes() int64 {
	const perReader, perColumn, perPage = 4 << 10, 256, 200
	total := int64(perReader + perColumn*len(r.columns))
	for _, g := range r.groups {
		total += int64(len(g.chunks)) * int64(perColumn+perPage*len(g.chunks[0].pages))
	}
	return total
}

// Meta says which rows the file holds.
func (r *Reader) Meta() FileMeta { return r.meta }

// Schema is the one that the file was written under.
func (r *Reader) Schema() *event.Schema { return r.schema }

// Columns lists what the file holds, in order.
func (r *Reader) Columns() []Column { return r.columns }

// Has reports whether the file holds a column under this id.
func (r *Reader) Has(id event.FieldID) bool {
	_, ok := r.at[id]
	return ok
}

// RowGroups is the number of row groups.
func (r *Reader) RowGroups() int { return len(r.groups) }

// Archived reports whether the file has the layout of old data.
func (r *Reader) Archived() bool {
	return len(r.groups) > 0 && r.groups[0].chunks[0].codec == format.Zstd
}

// TotalRows is the number of rows of the file.
func (r *Reader) TotalRows() int {
	total := 0
	for _, g := range r.groups {
		total += g.rows
	}
	return total
}

// LargestPage is a bound of what a page of any column has: rows, and bytes once it is decoded.
func (r *Reader) LargestPage() (rows int, bytes int64) {
	for g := range r.groups {
		for i := range r.groups[g].chunks {
			c := &r.groups[g].chunks[i]
			largest := 0
			for _, p := range c.pages {
				largest = max(largest, p.end-p.first)
			}
			rows, bytes = max(rows, largest), max(bytes, c.pageBytes(largest))
		}
	}
	return rows, bytes
}

// pageBytes is a bound of what a page of so many rows takes once it is decoded.
func (c *chunk) pageBytes(rows int) int64 {
	switch c.column.Type.Kind {
	case event.Text, event.JSONB, event.Bytea:
		size := 4 * int64(rows) // codes, or where texts end
		if c.dictionary.size == 0 {
			size += min(c.plain, MaxPageText)
		}
		return size
	case event.Numeric, event.UUID:
		return 16 * int64(rows)
	default:
		return 8 * int64(rows)
	}
}

// Rows is the number of rows of a row group.
func (r *Reader) Rows(group int) int { return r.groups[group].rows }

// PageEnds lists after which row of a row group each page ends, the same for all columns.
func (r *Reader) PageEnds(group int) []int {
	g := &r.groups[group]
	ends := make([]int, 0, len(g.chunks[0].pages))
	for i := range g.chunks[0].pages {
		ends = append(ends, g.chunks[0].pages[i].end)
	}
	return ends
}

// ChunkStats are the statistics of a column over a whole row group; ok is false where the file does not hold it.
func (r *Reader) ChunkStats(group int, id event.FieldID) (stats prune.Stats, ok bool) {
	i, ok := r.at[id]
	if !ok {
		return prune.Stats{}, false
	}
	return r.groups[group].chunks[i].stats, true
}

// PageStats are the statistics of a column over one page of a row group; ok is false where the file does not hold it.
func (r *Reader) PageStats(group, page int, id event.FieldID) (stats prune.Stats, ok bool) {
	i, ok := r.at[id]
	if !ok {
		return prune.Stats{}, false
	}
	return r.groups[group].chunks[i].pages[page].stats, true
}

// RangeStats are the statistics of a column over the pages that hold rows from..to of a row group; ok is false where the file does
// not hold it.
func (r *Reader) RangeStats(group, from, to int, id event.FieldID) (stats prune.Stats, ok bool) {
	i, ok := r.at[id]
	if !ok {
		return prune.Stats{}, false
	}
	c := &r.groups[group].chunks[i]
	stats.Type = c.column.Type
	for _, p := range c.overlapping(from, to) {
		stats = stats.Merge(p.stats)
	}
	return stats, true
}

// recovered turns a panic while decoding into an error. Decoders of the library index by what they read, so that damaged input can
// take them out of bounds.
func recovered(name string, err *error) {
	if p := recover(); p != nil {
		*err = corrupt(name, "decoding failed: %v", p)
	}
}

// corrupt makes the error for contents that cannot be right.
func corrupt(name, format string, args ...any) error {
	return event.Errorf(event.CodeCorrupt, "segment file %s is damaged: %s", name, fmt.Sprintf(format, args...))
}

// read loads bytes of the file, which must all be there.
func (r *Reader) read(offset, n int64) ([]byte, error) {
	if offset < 0 || n < 0 || offset > r.size || n > r.size-offset {
		return nil, corrupt(r.name, "bytes %d to %d lie outside its %d", offset, offset+n, r.size)
	}
	data := make([]byte, n)
	got, err := r.file.ReadAt(data, offset)
	if int64(got) == n {
		return data, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, corrupt(r.name, "it ends before byte %d", offset+n)
	}
	return nil, fmt.Errorf("read segment file %s at %d: %w", r.name, offset, err)
}

// footerEnd is how many bytes stand behind the footer: its size, and the magic.
const footerEnd = 8

// footerBytes loads the file's own description, which its last 8 bytes point at.
func (r *Reader) footerBytes() ([]byte, error) {
	const end = footerEnd
	if r.size < int64(len(magic))+end {
		return nil, corrupt(r.name, "%d bytes are too few", r.size)
	}
	head, err := r.read(0, int64(len(magic)))
	if err != nil {
		return nil, err
	}
	tail, err := r.read(r.size-end, end)
	if err != nil {
		return nil, err
	}
	if string(head) != magic || string(tail[4:]) != magic {
		return nil, corrupt(r.name, "it does not begin and end with %s", magic)
	}
	n := int64(binary.LittleEndian.Uint32(tail))
	if n > r.size-end-int64(len(magic)) {
		return nil, corrupt(r.name, "a footer of %d bytes does not fit", n)
	}
	return r.read(r.size-end-n, n)
}
