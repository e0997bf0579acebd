// Package parquet writes and reads segment files: Parquet as other engines read it, laid out for scans of column ranges.
//
// A file has row groups of about a million rows, and inside a row group the pages of all columns end at the same rows, so that a
// range of rows is the same range of pages in every column. Each page is a data page of version 2 with a CRC; within one
// row group a column has one encoding. Columns carry their field ids, which is how they are found again; names are for other
// readers. Rows come sorted by event time.
//
// Write needs one goroutine; a Reader may be used from any. Reader reads what Write makes, not Parquet in general, and answers
// damaged input with an *event.Error of code corrupt: sizes from the file are checked before anything is allocated by
// them. The package opens no files and knows neither manifest nor cache of blocks.
package parquet

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

const (
	// DefaultRowGroupRows lets one dictionary serve about a million rows; smaller groups repeat it.
	DefaultRowGroupRows = 1 << 20
	// MaxRowGroupRows is the most that Layout may ask for and a Reader takes: it bounds what a damaged footer can make it allocate.
	MaxRowGroupRows = 4 << 20
	// DefaultPageRows makes pages of 512 KiB where a value takes 8 bytes.
	DefaultPageRows = 64 << 10
	// MaxPageText ends a page early where rows hold long text: it bounds what one read has to hold.
	MaxPageText = 8 << 20
	// MaxGroupText ends a row group early where rows hold long text: a quarter of what one Arrow array can hold leaves a merge of such
	// segments room, and one column of a row group is what writing holds in memory.
	MaxGroupText = 256 << 20
	// version is written to the footer. It rises when a reader of today could no longer understand the file: those of version 1 know neither
	// Zstandard nor dictionaries of numbers, and those of version 2 neither data pages of version 1 nor text behind its lengths. Those of version 3
	// would call a file sound without having looked at columns of members: only files with such columns have version 4.
	firstVersion   = 1
	plainVersion   = 3
	membersVersion = 4
)

// Keys of the footer's metadata.
const (
	keyFormat  = "tidemark.format"
	keyStream  = "tidemark.stream"
	keySegment = "tidemark.segment"
	keyFrom    = "tidemark.from"
	keyTo      = "tidemark.to"
	keySchema  = "tidemark.schema"
	// The following are left out where there is nothing to say.
	keyReplaces = "tidemark.replaces"
	keySiblings = "tidemark.siblings"
	keySortBy   = "tidemark.sort_by"
	keyExpired  = "tidemark.expired_before"
	keyErased   = "tidemark.erase_epoch"
	keyMaxTime  = "tidemark.max_event_time"
	keyMark     = "tidemark.watermark"
	keyMembers  = "tidemark.members"
)

// FileMeta says which rows a file holds. It is kept in the footer, so that a lost manifest can be rebuilt from the files.
type FileMeta struct {
	Stream  string
	Segment uint64
	// From and To are the stream's sealed vector before and after these rows.
	From, To event.Vector
	// Replaces are the segments whose rows these are, and Siblings those made of the same rows at the same time, this one included: all
	// siblings together take the place of what they replace. Both are empty for a segment made from the log.
	Replaces, Siblings []uint64
	// SortBy are the columns that rows of equal event time are sorted by.
	SortBy []event.FieldID
	// ExpiredBefore is the event time before which retention had dropped segments of the stream when the file was written, in
	// microseconds since 1970; 0 if it had dropped none.
	ExpiredBefore int64
	// EraseEpoch counts the erasures that the rows have gone through.
	EraseEpoch uint64
	// MaxEventTime and Watermark are each partition's as of To, as the manifest has them.
	MaxEventTime, Watermark []int64
}

// Layout is how rows are cut into pieces and packed. Zero fields take the defaults.
type Layout struct {
	RowGroupRows int
	PageRows     int
	// GroupText and PageText end a row group, and a page, before a column has more bytes of text; MaxGroupText and MaxPageText.
	GroupText int
	PageText  int
	Codec     Codec
	// Members gives often-present members of JSONB columns columns of their own: see Member.
	Members bool
	// Lean compresses a little less and takes a sixth of the memory for that.
	Lean bool
}

func (l Layout) withDefaults() Layout {
	if l.RowGroupRows <= 0 {
		l.RowGroupRows = DefaultRowGroupRows
	}
	l.RowGroupRows = min(l.RowGroupRows, MaxRowGroupRows)
	if l.PageRows <= 0 {
		l.PageRows = DefaultPageRows
	}
	if l.GroupText <= 0 {
		l.GroupText = MaxGroupText
	}
	if l.PageText <= 0 {
		l.PageText = MaxPageText
	}
	return l
}

// Info describes a file just written.
type Info struct {
	Rows, Bytes int64
	// Stats are those of every column over the whole file, in the order of Schema.All.
	Stats []prune.Stats
}

// keyValues renders the metadata for the footer.
func (m *FileMeta) keyValues(schema *event.Schema) ([]format.KeyValue, error) {
	from, err := json.Marshal(m.From)
	if err != nil {
		return nil, fmt.Errorf("encode vector: %w", err)
	}
	to, err := json.Marshal(m.To)
	if err != nil {
		return nil, fmt.Errorf("encode vector: %w", err)
	}
	columns, err := json.Marshal(schema)
	if err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	pairs := []format.KeyValue{
		{Key: keyFormat, Value: strconv.Itoa(plainVersion)},
		{Key: keyStream, Value: m.Stream},
		{Key: keySegment, Value: strconv.FormatUint(m.Segment, 10)},
		{Key: keyFrom, Value: string(from)},
		{Key: keyTo, Value: string(to)},
		{Key: keySchema, Value: string(columns)},
	}
	for _, o := range m.optional() {
		if o.absent {
			continue
		}
		value, err := json.Marshal(o.value)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", o.key, err)
		}
		pairs = append(pairs, format.KeyValue{Key: o.key, Value: string(value)})
	}
	return pairs, nil
}

// optionalMeta is metadata that a file may lack.
type optionalMeta struct {
	key    string
	value  any // a pointer, to read as well as to write
	absent bool
}

func (m *FileMeta) optional() []optionalMeta {
	return []optionalMeta{
		{keyReplaces, &m.Replaces, len(m.Replaces) == 0},
		{keySiblings, &m.Siblings, len(m.Siblings) == 0},
		{keySortBy, &m.SortBy, len(m.SortBy) == 0},
		{keyExpired, &m.ExpiredBefore, m.ExpiredBefore == 0},
		{keyErased, &m.EraseEpoch, m.EraseEpoch == 0},
		{keyMaxTime, &m.MaxEventTime, len(m.MaxEventTime) == 0},
		{keyMark, &m.Watermark, len(m.Watermark) == 0},
	}
}

// parseMeta reads what keyValues wrote.
func parseMeta(pairs []format.KeyValue) (meta FileMeta, schema *event.Schema, err error) {
	values := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		values[pair.Key] = pair.Value
	}
	if v, err := strconv.Atoi(values[keyFormat]); err != nil || v < firstVersion || v > membersVersion {
		return meta, nil, fmt.Errorf("format %q is not one that this version reads", values[keyFormat])
	}
	meta.Stream = values[keyStream]
	if meta.Segment, err = strconv.ParseUint(values[keySegment], 10, 64); err != nil {
		return meta, nil, fmt.Errorf("segment id: %w", err)
	}
	if err := json.Unmarshal([]byte(values[keyFrom]), &meta.From); err != nil {
		return meta, nil, fmt.Errorf("first vector: %w", err)
	}
	if err := json.Unmarshal([]byte(values[keyTo]), &meta.To); err != nil {
		return meta, nil, fmt.Errorf("last vector: %w", err)
	}
	schema = &event.Schema{}
	if err := json.Unmarshal([]byte(values[keySchema]), schema); err != nil {
		return meta, nil, fmt.Errorf("schema: %w", err)
	}
	for _, o := range meta.optional() {
		if text, ok := values[o.key]; ok {
			if err := json.Unmarshal([]byte(text), o.value); err != nil {
				return meta, nil, fmt.Errorf("%s: %w", o.key, err)
			}
		}
	}
	return meta, schema, nil
}
