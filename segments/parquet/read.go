package parquet

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// Read decodes rows from..to of a row group, for the columns stored under ids, which the file must have: other pages and columns are
// not touched. Text with a dictionary comes as event.DictionaryType over values that all reads of the row group share. Columns may lie
// in memory, which may be nil, and are then good until it is reset. bytes is the size of the decoded pages.
func (r *Reader) Read(ctx context.Context, ids []event.FieldID, group, from, to int, memory *event.Buffers) (
	columns []arrow.Array, bytes int64, err error) {
	defer recovered(r.name, &err)
	if group < 0 || group >= len(r.groups) || from < 0 || from > to || to > r.groups[group].rows {
		return nil, 0, fmt.Errorf("read segment file %s: no rows %d to %d in row group %d", r.name, from, to, group)
	}
	columns = make([]arrow.Array, len(ids))
	for i, id := range ids {
		if err := ctx.Err(); err != nil {
			return nil, bytes, err
		}
		at, ok := r.at[id]
		if !ok {
			return nil, bytes, fmt.Errorf("read segment file %s: it has no column with id %d", r.name, id)
		}
		var n int64
		if columns[i], n, err = r.readColumn(&r.groups[group].chunks[at], from, to, memory); err != nil {
			return nil, bytes, err
		}
		bytes += n
	}
	return columns, bytes, nil
}

// readColumn decodes all pages that overlap the rows, then cuts what was not asked for.
func (r *Reader) readColumn(c *chunk, from, to int, memory *event.Buffers) (arrow.Array, int64, error) {
	if from == to {
		return event.NewNulls(c.column.Type, 0), 0, nil
	}
	pages := c.overlapping(from, to)
	first, end := pages[0].first, pages[len(pages)-1].end
	var into decoder
	bytes := int64(0)
	for i := range pages {
		raw, err := r.page(c, pages[i])
		if err != nil {
			return nil, bytes, err
		}
		bytes += int64(len(raw.values) + len(raw.levels))
		if into == nil {
			// Not before a page was verified: its size is what the file claims.
			into = newDecoder(c, end-first, memory)
		}
		if err := into.add(raw); err != nil {
			return nil, bytes, corrupt(r.name, "column %q, page at %d: %v", c.column.Name, pages[i].offset, err)
		}
	}
	values, n, err := r.finish(c, into)
	bytes += n
	if err != nil || (first == from && end == to) {
		return values, bytes, err
	}
	return array.NewSlice(values, int64(from-first), int64(to-first)), bytes, nil
}

// overlapping are the pages that hold rows from..to, of which there is at least one.
func (c *chunk) overlapping(from, to int) []page {
	low := sort.Search(len(c.pages), func(i int) bool { return c.pages[i].end > from })
	high := sort.Search(len(c.pages), func(i int) bool { return c.pages[i].end >= to }) + 1
	return c.pages[low:high]
}

// finish makes the array; codes get their dictionary and must lie in it.
func (r *Reader) finish(c *chunk, into decoder) (arrow.Array, int64, error) {
	codes, ok := into.(*codeDecoder)
	if !ok {
		return into.array(), 0, nil
	}
	dictionary, bytes, err := r.loadDictionary(c)
	if err != nil {
		return nil, bytes, err
	}
	// The bound is mostly enough; only where it is not, the codes are looked at.
	if int(codes.bound) >= dictionary.Len() && codes.used {
		if highest := slices.Max(codes.codes); int(highest) >= dictionary.Len() || slices.Min(codes.codes) < 0 {
			return nil, bytes, corrupt(r.name, "column %q: code %d in a dictionary of %d", c.column.Name, uint32(highest), dictionary.Len())
		}
	}
	if words, ok := dictionary.(*array.Int64); ok {
		return expandWords(c.column.Type.Kind, codes, words.Int64Values()), bytes, nil
	}
	return event.NewDictionary(codes.codes, dictionary, codes.valid), bytes, nil
}

// Dictionary is the array that Read's dictionaries of a column of TEXT or JSONB have in a row group; it is nil where there is none or it has
// more than most values. bytes is the size of what was decoded.
func (r *Reader) Dictionary(group int, id event.FieldID, most int) (values arrow.Array, bytes int64, err error) {
	defer recovered(r.name, &err)
	at, ok := r.at[id]
	if !ok {
		return nil, 0, nil
	}
	c := &r.groups[group].chunks[at]
	if c.dictionary.size == 0 || (c.column.Type.Kind != event.Text && c.column.Type.Kind != event.JSONB) {
		return nil, 0, nil
	}
	if values, bytes, err = r.loadDictionary(c); err != nil || values.Len() > most {
		return nil, bytes, err
	}
	return values, bytes, nil
}

// loadDictionary takes a dictionary from the cache or reads it; bytes is 0 if it was there.
func (r *Reader) loadDictionary(c *chunk) (values arrow.Array, bytes int64, err error) {
	key := place{r.name, c.dictionary.offset}
	if values, ok := r.caches.dictionaries.Get(key); ok {
		return values, 0, nil
	}
	plain, n, err := r.readDictionaryPage(c)
	if err != nil {
		return nil, 0, err
	}
	if n > len(plain) {
		return nil, 0, corrupt(r.name, "column %q: a dictionary of %d values in %d bytes", c.column.Name, n, len(plain))
	}
	var into decoder = &textDecoder{offsets: make([]int32, 1, n+1), validity: validity{rows: n}, most: int64(len(plain))}
	if c.column.Type.Kind != event.Text && c.column.Type.Kind != event.JSONB {
		into = &wordDecoder{kind: event.BigInt, validity: validity{rows: n}}
	}
	if err := into.add(rawPage{values: plain, rows: n, encoding: format.Plain}); err != nil {
		return nil, 0, corrupt(r.name, "column %q, dictionary at %d: %v", c.column.Name, c.dictionary.offset, err)
	}
	values = into.array()
	bytes = int64(len(plain) + 4*n)
	r.caches.dictionaries.Put(key, values, bytes)
	return values, int64(len(plain)), nil
}
