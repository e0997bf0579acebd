package kernel

import (
	"math"
	"slices"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerHistogram(all map[string]func() Accumulator) {
	all["histogram(DOUBLE PRECISION, DOUBLE PRECISION, DOUBLE PRECISION, BIGINT)"] = func() Accumulator { return &histogram{} }
}

// maxBuckets bounds a histogram, which every group has in full.
const maxBuckets = 10_000

// histogram is histogram(x, low, high, buckets): how many values lie in each of the equal parts of [low, high), as a JSON array of
// {"from", "to", "count"}. The first element counts what lies below, its from being null; the last what lies at high or above,
// NaN included, its to being null.
type histogram struct {
	low, high float64
	buckets   int
	counts    [][]int64
}

func (a *histogram) Update(groups Groups, args []Operand, rows int) error {
	a.counts = grown(a.counts, groups.Count, nil)
	if err := a.readBounds(args, rows); err != nil || a.buckets == 0 {
		return err
	}
	values, valid := fixed[float64](args[0]), args[0].validity(rows)
	for i := range rows {
		if !valid.Valid(i) {
			continue
		}
		counts := &a.counts[groupOf(groups, i)]
		if *counts == nil {
			*counts = make([]int64, a.buckets+2)
		}
		(*counts)[a.bucket(values.at(i))]++
	}
	return nil
}

func (a *histogram) readBounds(args []Operand, rows int) error {
	low, lowOK := firstNumber(args[1], rows)
	high, highOK := firstNumber(args[2], rows)
	buckets, ok := firstNumber(args[3], rows)
	switch {
	case !lowOK || !highOK || !ok:
		return nil
	case !isFinite(low) || !isFinite(high) || low >= high:
		return event.Errorf(event.CodeInvalidValue, "a histogram from %v to %v has no extent", low, high)
	case buckets < 1 || buckets > maxBuckets:
		return event.Errorf(event.CodeInvalidValue, "a histogram has from 1 to %d buckets, not %v", maxBuckets, buckets)
	}
	a.low, a.high, a.buckets = low, high, int(buckets)
	return nil
}

// bucket is the place of a value: 0 below, buckets+1 above. A value is in the bucket whose printed bounds it lies between, so
// rounding is undone where it went past one.
func (a *histogram) bucket(v float64) int {
	switch {
	case v < a.low:
		return 0
	case !(v < a.high):
		return a.buckets + 1
	}
	at := min(int(math.Floor((v-a.low)/(a.high-a.low)*float64(a.buckets))), a.buckets-1)
	for at > 0 && v < a.bound(at) {
		at--
	}
	for at < a.buckets-1 && v >= a.bound(at+1) {
		at++
	}
	return at + 1
}

// bound is where bucket i begins.
func (a *histogram) bound(i int) float64 {
	if i == a.buckets {
		return a.high
	}
	return a.low + (a.high-a.low)*float64(i)/float64(a.buckets)
}

func (a *histogram) Merge(other Accumulator, mapping []uint32, count int) error {
	a.counts = grown(a.counts, count, nil)
	o := other.(*histogram)
	if a.buckets == 0 {
		a.low, a.high, a.buckets = o.low, o.high, o.buckets
	}
	for g, counts := range o.counts {
		into := &a.counts[mapping[g]]
		if *into == nil {
			*into = slices.Clone(counts)
			continue
		}
		for i, n := range counts {
			(*into)[i] += n
		}
	}
	return nil
}

// State is the bounds and the counts of the buckets, NULL for a group without rows.
func (a *histogram) State(groups []uint32) ([]arrow.Array, error) {
	a.counts = grown(a.counts, reach(groups), nil)
	counts, err := wordLists(chosen(a.counts, groups))
	return []arrow.Array{steadyDouble(a.low, len(groups)), steadyDouble(a.high, len(groups)), counts}, err
}

func (a *histogram) Restore(state []arrow.Array) error {
	if err := CheckState(state, doubleType, doubleType, wordsType); err != nil {
		return err
	}
	a.counts = openWordLists(state[2])
	for _, counts := range a.counts {
		if counts == nil {
			continue
		}
		if a.low, a.high = readSteady(state[0]), readSteady(state[1]); a.buckets == 0 {
			a.buckets = len(counts) - 2
		}
		if a.buckets < 1 || len(counts) != a.buckets+2 || !(a.low < a.high) {
			return errState("a histogram of %d buckets from %v to %v", len(counts)-2, a.low, a.high)
		}
	}
	return nil
}

func (a *histogram) Result(groups int) (arrow.Array, error) {
	a.counts = grown(a.counts, groups, nil)
	offsets, valid := make([]int32, 1, groups+1), event.NewBitmap(groups)
	var data []byte
	for g, counts := range a.counts[:groups] {
		if counts != nil {
			valid.Set(g)
			data = a.appendBuckets(data, counts)
		}
		if len(data) > maxTextBytes {
			return nil, errTooMuchText()
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid), nil
}

func (a *histogram) appendBuckets(dst []byte, counts []int64) []byte {
	bound := func(dst []byte, i int) []byte {
		if i < 0 || i > a.buckets {
			return append(dst, "null"...)
		}
		return event.AppendDouble(dst, a.bound(i))
	}
	dst = append(dst, '[')
	for i, n := range counts {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = bound(append(dst, `{"from":`...), i-1)
		dst = bound(append(dst, `,"to":`...), i)
		dst = append(appendMember(dst, "count", n), '}')
	}
	return append(dst, ']')
}

// appendMember appends a further member of a JSON object.
func appendMember(dst []byte, name string, n int64) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":`...)
	return strconv.AppendInt(dst, n, 10)
}

func (a *histogram) Bytes() int64 {
	total := sizeOf(a.counts)
	for _, counts := range a.counts {
		total += sizeOf(counts)
	}
	return total
}
