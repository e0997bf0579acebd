package segments

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// Statistics are what the manifest knows of a segment's columns, as a request sees them. They are exact.
type Statistics struct {
	segment *manifest.Segment
	request *ScanRequest
}

// Rows is the number of rows.
func (s Statistics) Rows() int64 { return s.segment.Rows }

// Nulls counts the rows in which a requested column has no value; ok is false where that is not known.
func (s Statistics) Nulls(column int) (nulls int64, ok bool) {
	stats, stored, ok := s.find(column)
	if !stored {
		return s.segment.Rows, ok
	}
	return stats.Nulls, ok
}

// Ends is an array of the least and the greatest value of a requested column of BIGINT or TIMESTAMPTZ, nil where every row is NULL; ok is
// false where they are not known.
func (s Statistics) Ends(column int) (leastGreatest arrow.Array, ok bool) {
	stats, stored, ok := s.find(column)
	switch {
	case !ok:
		return nil, false
	case !stored || stats.AllNull():
		return nil, true
	case !stats.Bounded:
		return nil, false
	case stats.Type.Kind == event.BigInt:
		return event.NewInt64s([]int64{stats.Min.Int, stats.Max.Int}, nil), true
	case stats.Type.Kind == event.TimestampTZ:
		return event.NewTimestamps([]int64{stats.Min.Int, stats.Max.Int}, nil), true
	default:
		return nil, false
	}
}

// find looks up the statistics of a column that is stored with the type that it has now. stored is false for a column that came later
// than the segment.
func (s Statistics) find(column int) (stats prune.Stats, stored, ok bool) {
	wanted, ok := s.request.Schema.ByID(s.request.Columns[column])
	if !ok {
		return prune.Stats{}, false, false
	}
	for _, source := range wanted.Sources() {
		if stats, found := s.segment.Stats(source.ID); found {
			return stats, true, source.Type.Equal(wanted.Type) && stats.Rows == s.segment.Rows
		}
	}
	return prune.Stats{}, false, true
}
