package segments

import (
	"math/bits"

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
		values, nulls := part.(*array.Timestamp), part.NullN() > 0
		for row, t := range values.TimestampValues() {
			if nulls && values.IsNull(row) {
				t = arrivals[batch].(*array.Timestamp).Value(row)
			}
			out = append(out, place{time: int64(t), batch: int32(batch), row: int32(row)})
		}
	}
	return out
}

// timeOrder sorts by time and keeps the order of equal times. Events arrive almost in order: where the input has few ascending runs, they
// are merged. Where it has many, as of several senders that are not quite in step, the times lie close together, and rows are dealt out by the
// digits of their times instead.
func timeOrder(rows []place) []place {
	if len(rows) == 0 {
		return rows
	}
	ends := runs(rows)
	least, greatest := rows[0].time, rows[0].time
	for _, r := range rows {
		least, greatest = min(least, r.time), max(greatest, r.time)
	}
	width := bits.Len64(uint64(greatest) - uint64(least))
	if passes := (width + digitBits - 1) / digitBits; len(rows) >= 1<<digitBits && 2*passes < bits.Len(uint(len(ends)-1)) {
		return digitOrder(rows, least, width)
	}
	return mergeRuns(rows, ends)
}

// digitBits is how many bits of a time decide in one pass: so many that the piles still fit into the first cache of a processor.
const digitBits = 11

// digitOrder is a radix sort, from the lowest digit of the times beyond the least up to those of so many bits.
func digitOrder(rows []place, least int64, width int) []place {
	spare := make([]place, len(rows))
	for shift := 0; shift < width; shift += digitBits {
		var ends [1 << digitBits]int32
		for i := range rows {
			ends[digit(rows[i].time, least, shift)]++
		}
		at := int32(0)
		for d := range ends {
			ends[d], at = at, at+ends[d]
		}
		for _, r := range rows {
			d := digit(r.time, least, shift)
			spare[ends[d]] = r
			ends[d]++
		}
		rows, spare = spare, rows
	}
	return rows
}

func digit(time, least int64, shift int) uint64 {
	return (uint64(time) - uint64(least)) >> (shift & 63) & (1<<digitBits - 1)
}

// mergeRuns is a merge sort over the ascending runs that the input already has.
func mergeRuns(rows []place, ends []int) []place {
	if len(ends) == 1 {
		return rows
	}
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
