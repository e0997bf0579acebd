package manifest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// NoTime stands for a time that does not exist: no event yet, or a watermark that is NULL.
const NoTime = math.MinInt64

// BlockBytes is the size of the blocks of a file that have a checksum each; the last may be shorter.
const BlockBytes = 64 << 10

// Sealed says how far a stream's partitions have been written to segments. It is kept apart from the list of segments,
// because retention may drop the segment that would tell.
type Sealed struct {
	Next event.Vector `json:"next"`
	// MaxEventTime and Watermark are each partition's as of Next, in microseconds since 1970 or NoTime.
	MaxEventTime []int64 `json:"max_event_time,omitempty"`
	Watermark    []int64 `json:"watermark,omitempty"`
}

// Segment describes one immutable file. A published Segment never changes.
type Segment struct {
	ID     uint64 `json:"id"`
	Stream string `json:"stream"`
	// File is the name relative to the data directory.
	File  string `json:"file"`
	Rows  int64  `json:"rows"`
	Bytes int64  `json:"bytes"`
	// From and To are the sealed vector before and after these rows.
	From event.Vector `json:"from"`
	To   event.Vector `json:"to"`
	// MinTime and MaxTime enclose the event times, in microseconds since 1970.
	MinTime int64 `json:"min_time"`
	MaxTime int64 `json:"max_time"`
	// SchemaVersion is that of the schema that the file was written under.
	SchemaVersion int `json:"schema_version"`
	// Archived says that the file has the layout of old data.
	Archived bool     `json:"archived,omitempty"`
	Columns  []Column `json:"columns"`
	// Blocks are the CRC32C of every BlockBytes of the file.
	Blocks []uint32 `json:"blocks"`
}

// Column is a column of a segment with its statistics over the whole file.
type Column struct {
	ID    event.FieldID
	Stats prune.Stats
}

// Stats looks up the statistics of the column stored under an id.
func (s *Segment) Stats(id event.FieldID) (stats prune.Stats, ok bool) {
	for i := range s.Columns {
		if s.Columns[i].ID == id {
			return s.Columns[i].Stats, true
		}
	}
	return prune.Stats{}, false
}

// compareSegments orders by time, so that scans meet rows about in event-time order.
func compareSegments(a, b *Segment) int {
	return cmp.Or(cmp.Compare(a.MinTime, b.MinTime), cmp.Compare(a.ID, b.ID))
}

// storedColumn is the JSON of a Column. Bounds are text, because JSON numbers cannot hold every integer and double.
type storedColumn struct {
	ID    event.FieldID `json:"id"`
	Type  event.Type    `json:"type"`
	Rows  int64         `json:"rows"`
	Nulls int64         `json:"nulls,omitempty"`
	Min   *string       `json:"min,omitempty"`
	Max   *string       `json:"max,omitempty"`
}

// MarshalJSON writes the stored form.
func (c Column) MarshalJSON() ([]byte, error) {
	out := storedColumn{ID: c.ID, Type: c.Stats.Type, Rows: c.Stats.Rows, Nulls: c.Stats.Nulls}
	if c.Stats.Bounded {
		low, high := formatBound(c.Stats.Type, c.Stats.Min), formatBound(c.Stats.Type, c.Stats.Max)
		out.Min, out.Max = &low, &high
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads the stored form.
func (c *Column) UnmarshalJSON(data []byte) error {
	var in storedColumn
	if err := json.Unmarshal(data, &in); err != nil {
		return err
	}
	*c = Column{ID: in.ID, Stats: prune.Stats{Type: in.Type, Rows: in.Rows, Nulls: in.Nulls}}
	if in.Min == nil || in.Max == nil {
		return nil
	}
	var err error
	if c.Stats.Min, err = parseBound(in.Type, *in.Min); err != nil {
		return fmt.Errorf("least value of column %d: %w", in.ID, err)
	}
	if c.Stats.Max, err = parseBound(in.Type, *in.Max); err != nil {
		return fmt.Errorf("greatest value of column %d: %w", in.ID, err)
	}
	c.Stats.Bounded = true
	return nil
}

func formatBound(t event.Type, b prune.Bound) string {
	switch t.Kind {
	case event.Double, event.Real:
		return strconv.FormatFloat(b.Float, 'g', -1, 64)
	case event.Text, event.UUID:
		return b.Text
	default:
		return strconv.FormatInt(b.Int, 10)
	}
}

func parseBound(t event.Type, text string) (bound prune.Bound, err error) {
	switch t.Kind {
	case event.Double, event.Real:
		bound.Float, err = strconv.ParseFloat(text, 64)
	case event.Text, event.UUID:
		bound.Text = text
	default:
		bound.Int, err = strconv.ParseInt(text, 10, 64)
	}
	return bound, err
}
