package segments

import (
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// place says where a row comes from, and its event time.
type place struct {
	time  int64
	batch int32
	row   int32
}

// eventTimes are those of all rows, by batch. A row without a time, which the event-time column forbids, takes its arrival time.
func eventTimes(schema *event.Schema, parts [][]arrow.Array, steps []*steps) [][]int64 {
	var times []arrow.Array
	var arrival func(p place) int64
	for i, c := range schema.All() {
		switch c.ID {
		case schema.TimeColumn:
			times = parts[i]
		case event.FieldIngestedAt:
			arrival = func(p place) int64 { return fixedValues[int64](parts[i][p.batch])[p.row] }
			if steps[i] != nil {
				arrival = steps[i].at
			} else if schema.TimeColumn == 0 {
				times = parts[i]
			}
		default: // no time
		}
	}
	out := make([][]int64, len(times))
	for batch, part := range times {
		out[batch] = fixedValues[int64](part)
		if part.NullN() == 0 {
			continue
		}
		out[batch] = slices.Clone(out[batch])
		for row := range out[batch] {
			if part.IsNull(row) {
				out[batch][row] = arrival(place{batch: int32(batch), row: int32(row)})
			}
		}
	}
	return out
}

// timeOrder sorts the rows of batches by time and keeps the order of equal times. Events arrive almost in order: where there are few ascending runs, they are
// merged. Where there are many, as of several senders that are not quite in step, rows are dealt out to piles of near times instead.
func timeOrder(times [][]int64) []place {
	s := survey(times)
	if s.rows >= leastDealt && bits.Len(uint(s.falls)) > dealtMerges {
		return dealt(times, s)
	}
	rows := make([]place, 0, s.rows)
	for batch, values := range times {
		for row, t := range values {
			rows = append(rows, place{time: t, batch: int32(batch), row: int32(row)})
		}
	}
	return mergeRuns(rows, runs(rows, s.falls+1))
}

// timeSurvey says what times there are: how many, how often one is less than that before it, and between which two they all lie.
type timeSurvey struct {
	rows, falls     int
	least, greatest int64
}

func survey(times [][]int64) timeSurvey {
	s := timeSurvey{least: math.MaxInt64, greatest: math.MinInt64}
	before := int64(math.MinInt64)
	for _, values := range times {
		s.rows += len(values)
		for _, t := range values {
			if t < before {
				s.falls++
			}
			s.least, s.greatest, before = min(s.least, t), max(s.greatest, t), t
		}
	}
	return s
}

const (
	// leastDealt is how many rows are dealt out at least, and dealtMerges how many times all rows are merged in the time that dealing them out takes.
	leastDealt  = 1 << 11
	dealtMerges = 3
	// smallPile is the most rows that are put in order one by one.
	smallPile = 32
)

// dealt puts rows on piles, each for an equal part of the time that there is, and sorts each pile. There are up to half as many piles as rows. As events
// arrive almost in order, the piles that rows go to next lie close together in memory.
func dealt(times [][]int64, s timeSurvey) []place {
	width := bits.Len64(uint64(s.greatest) - uint64(s.least))
	least, shift := uint64(s.least), max(0, width+2-bits.Len(uint(s.rows)))&63
	ends := make([]int32, (uint64(s.greatest)-least)>>shift+1)
	for _, values := range times {
		for _, t := range values {
			ends[(uint64(t)-least)>>shift]++
		}
	}
	at := int32(0)
	for i, n := range ends {
		ends[i], at = at, at+n
	}
	out := make([]place, s.rows)
	for batch, values := range times {
		for row, t := range values {
			to := &ends[(uint64(t)-least)>>shift]
			out[*to] = place{time: t, batch: int32(batch), row: int32(row)}
			*to++
		}
	}
	from := int32(0)
	for _, to := range ends {
		sortPile(out[from:to])
		from = to
	}
	return out
}

// sortPile sorts a pile. Most rows get onto one where a few are far away from all others in time: that one is dealt out again.
func sortPile(rows []place) {
	if len(rows) > smallPile {
		sortLargePile(rows)
		return
	}
	for i := 1; i < len(rows); i++ {
		r, at := rows[i], i
		for ; at > 0 && r.time < rows[at-1].time; at-- {
			rows[at] = rows[at-1]
		}
		rows[at] = r
	}
}

func sortLargePile(rows []place) {
	old, times := slices.Clone(rows), make([]int64, len(rows))
	for i, r := range rows {
		times[i] = r.time
	}
	for i, p := range timeOrder([][]int64{times}) {
		rows[i] = old[p.row]
	}
}

// mergeRuns is a merge sort over the ascending runs that the input already has.
func mergeRuns(rows []place, ends []int) []place {
	if len(ends) <= 1 {
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

// runs lists where ascending runs end, of which there are so many.
func runs(rows []place, count int) []int {
	ends := make([]int, 0, count)
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
