package parquet

import (
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/parquet-go/parquet-go/bloom"
	"github.com/parquet-go/parquet-go/bloom/xxhash"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

const (
	// filterDistinct is the least number of distinct values that a filter is made for: fewer are likely to be in every row group.
	filterDistinct = 1024
	// filterBits for each distinct value take one value in forty that is not there for one that is.
	filterBits = 8
	// maxFilterHeader is more than the header of a filter takes.
	maxFilterHeader = 64
)

// MayHaveFilter reports whether a column is of a type that keys have: a filter of one may be made, of a byte for each row at most.
func MayHaveFilter(c event.Column) bool {
	switch c.Type.Kind {
	case event.Text, event.UUID, event.BigInt:
		return c.ID < event.FieldWatermark
	default:
		return false
	}
}

// filterOf makes a split-block bloom filter of a column of a row group, or nil where it would not help: the type is not one that keys
// have, there are few values, or they rise with time, so that bounds of pages say it better. pages are the statistics of its pages; of
// a single one, reading it costs about what asking a filter does.
func (w *fileWriter) filterOf(c event.Column, stored arrow.Array, encoder encoder, pages []prune.Stats) bloom.SplitBlockFilter {
	if !MayHaveFilter(c) || len(pages) < 2 || ascending(pages) {
		return nil
	}
	w.hashes = hashesOf(w.hashes, stored, encoder)
	hashes := w.hashes
	n := distinct(hashes)
	if n < filterDistinct {
		return nil
	}
	filter := make(bloom.SplitBlockFilter, bloom.NumSplitBlocksOf(n, filterBits))
	filter.InsertBulk(hashes)
	return filter
}

// hashesOf hashes each value, or each of the dictionary if there is one, into the memory of out.
func hashesOf(out []uint64, stored arrow.Array, encoder encoder) []uint64 {
	if d, ok := encoder.(*dictionaryEncoder); ok {
		stored = d.texts
	}
	out = slices.Grow(out[:0], stored.Len()-stored.NullN())
	switch a := stored.(type) {
	case *array.Int64:
		if a.NullN() == 0 {
			out = out[:a.Len()]
			xxhash.MultiSum64Uint64(out, arrow.GetData[uint64](arrow.GetBytes(a.Int64Values())))
			return out
		}
	case *array.String:
		offsets, data := event.TextLayout(a)
		for i := range a.Len() {
			if a.IsValid(i) {
				out = append(out, xxhash.Sum64(data[offsets[i]:offsets[i+1]]))
			}
		}
		return out
	}
	for i := range stored.Len() {
		if stored.IsNull(i) {
			continue
		}
		if h, ok := hashValue(stored, i); ok {
			out = append(out, h)
		}
	}
	return out
}

// hashValue hashes a value as PLAIN stores it, without the length of text.
func hashValue(values arrow.Array, i int) (hash uint64, ok bool) {
	switch a := values.(type) {
	case *array.Int64:
		return xxhash.Sum64Uint64(uint64(a.Value(i))), true
	case *array.FixedSizeBinary:
		return xxhash.Sum64(a.Value(i)), true
	case *array.String, *array.Dictionary:
		return xxhash.Sum64([]byte(event.StringAt(values, i))), true
	default:
		return 0, false
	}
}

// distinct estimates how many different hashes there are, by linear counting (Whang, Vander-Zanden and Taylor, 1990), within a per cent
// or so for as many rows as a row group has.
func distinct(hashes []uint64) int64 {
	size := uint64(64)
	for size < 2*uint64(len(hashes)) {
		size *= 2
	}
	seen := make([]uint64, size/64)
	for _, h := range hashes {
		seen[h>>6&(size/64-1)] |= 1 << (h & 63)
	}
	empty := 0
	for _, word := range seen {
		empty += 64 - bits.OnesCount64(word)
	}
	if empty == 0 {
		return int64(len(hashes))
	}
	return int64(float64(size) * math.Log(float64(size)/float64(empty)))
}

// writeFilters writes the filters of a row group behind its pages.
func (w *fileWriter) writeFilters(group *format.RowGroup, indexes []chunkIndex) error {
	for i := range indexes {
		filter := indexes[i].filter
		if indexes[i].filter = nil; filter == nil {
			continue
		}
		header := format.BloomFilterHeader{
			NumBytes:    int32(len(filter) * bloom.BlockSize),
			Algorithm:   format.BloomFilterAlgorithm{Value: &format.SplitBlockAlgorithm{}},
			Hash:        format.BloomFilterHash{Value: &format.XxHash{}},
			Compression: format.BloomFilterCompression{Value: &format.BloomFilterUncompressed{}},
		}
		meta := &group.Columns[i].MetaData
		meta.BloomFilterOffset = w.offset
		n, err := w.writeThrift(&header)
		if err != nil {
			return err
		}
		if err := w.write(filter.Bytes()); err != nil {
			return err
		}
		meta.BloomFilterLength = int32(n + len(filter)*bloom.BlockSize)
	}
	return nil
}

// MayHold reports whether a value may be in a column of a row group: false means that it surely is not. The value, element 0 of an array,
// is of the type that the file holds. A column without a filter may hold anything, as may one that the file does not have.
func (r *Reader) MayHold(group int, id event.FieldID, value arrow.Array) (held bool, err error) {
	defer recovered(r.name, &err)
	i, ok := r.at[id]
	if !ok || r.groups[group].chunks[i].filter.size == 0 {
		return true, nil
	}
	hash, ok := hashValue(value, 0)
	if !ok {
		return true, nil
	}
	at := r.groups[group].chunks[i].filter
	head, err := r.read(at.offset, min(at.size, maxFilterHeader))
	if err != nil {
		return false, err
	}
	var header format.BloomFilterHeader
	n, err := decodeThrift(head, &header)
	if err != nil || int64(n)+int64(header.NumBytes) != at.size || header.NumBytes <= 0 || header.NumBytes%bloom.BlockSize != 0 {
		return false, corrupt(r.name, "unreadable bloom filter at %d: %v", at.offset, err)
	}
	// The block is chosen by the upper half of the hash, as the format says.
	blocks := uint64(header.NumBytes / bloom.BlockSize)
	offset := at.offset + int64(n) + int64((hash>>32)*blocks>>32)*bloom.BlockSize
	data, err := r.read(offset, bloom.BlockSize)
	if err != nil {
		return false, err
	}
	return bloom.MakeSplitBlockFilter(data)[0].Check(uint32(hash)), nil
}
