package segments

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// place says where a row comes from, and its event time.
type place struct {
	time  int64
	batch int32
	row   int32
}

// eventTimes lists all rows, batch by batch. A row without a time, which the event-time column forbids, takes its arrival time.
func eventTimes(schema *event.Schema, parts [][]arrow.Array) []place {
	var times, arrivals []arrow.Array
	for i, c := range schema.All() {
		switch c.ID {
		case schema.TimeColumn:
			times = parts[i]
		case event.FieldIngestedAt:
			arrivals = parts[i]
		default: // no time
		}
	}
	if times == nil {
		times = arrivals
	}
	rows := 0
	for _, part := range times {
		rows += part.Len()
	}
	out := make([]place, 0, rows)
	for batch, part := range times {
		values, fallback := part.(*array.Timestamp), arrivals[batch].(*array.Timestamp)
		for row := range part.Len() {
			t := values.Value(row)
			if values.IsNull(row) {
				t = fallback.Value(row)
			}
			out = append(out, place{time: int64(t), batch: int32(batch), row: int32(row)})
		}
	}
	return out
}

// timeOrder sorts by time and keeps the order of equal times. It is a merge sort over the ascending runs that the input already
// has: events arrive almost in order, so that a few merges do, and the worst case is that of any merge sort.
func timeOrder(rows []place) []place {
	ends := runs(rows)
	spare := make([]place, len(rows))
	for len(ends) > 1 {
		merged := ends[:0]
		from := 0
		for i := 0; i < len(ends); i += 2 {
			middle, end := ends[i], ends[min(i+1, len(ends)-1)]
			merge(spare[from:end], rows[from:middle], rows[middle:end])
			merged = append(merged, end)
			from = end
		}
		ends = merged
		rows, spare = spare, rows
	}
	return rows
}

// runs lists where ascending runs end.
func runs(rows []place) []int {
	var ends []int
	for i := 1; i < len(rows); i++ {
		if rows[i].time < rows[i-1].time {
			ends = append(ends, i)
		}
	}
	return append(ends, len(rows))
}

// merge joins two sorted runs; of equal times those of a come first.
func merge(dst, a, b []place) {
	for len(a) > 0 && len(b) > 0 {
		if b[0].time < a[0].time {
			dst[0], b = b[0], b[1:]
		} else {
			dst[0], a = a[0], a[1:]
		}
		dst = dst[1:]
	}
	copy(dst, a)
	copy(dst[len(a):], b)
}
