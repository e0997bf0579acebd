package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// The origins that buckets count from: a Monday, so that weeks begin as they do in ISO 8601, and the first of a month.
const (
	bucketOrigin      = 946_857_600 * microsPerSecond // 2000-01-03
	monthBucketOrigin = 946_684_800 * microsPerSecond // 2000-01-01
)

func registerTimeBucket(r registry) {
	r.strict("time_bucket(INTERVAL, TIMESTAMPTZ)", timeBucket)
	r.strict("time_bucket(INTERVAL, TIMESTAMPTZ, TIMESTAMPTZ)", timeBucket)
}

func timeBucket(c *call) (arrow.Array, error) {
	constant := c.args[0].Const && (len(c.args) == 2 || c.args[2].Const)
	if !constant {
		return varyingBuckets(c)
	}
	buckets, err := bucketsAt(c, 0)
	if err != nil {
		return nil, err
	}
	return floorToSpans(c, fixed[int64](c.args[1]), buckets.find)
}

// varyingBuckets takes the width or the origin from the rows.
func varyingBuckets(c *call) (arrow.Array, error) {
	times := fixed[int64](c.args[1])
	return mapFixed(c, event.Timestamp, func(i int) (int64, error) {
		buckets, err := bucketsAt(c, i)
		if err != nil {
			return 0, err
		}
		found, ok := buckets.find(times.at(i))
		if !ok {
			return 0, errSpanRange(times.at(i))
		}
		return found.start, nil
	})
}

func bucketsAt(c *call, i int) (*buckets, error) {
	width := fixed[arrow.MonthDayNanoInterval](c.args[0]).at(i)
	if len(c.args) == 3 {
		origin := fixed[int64](c.args[2]).at(i)
		return newBuckets(width, &origin)
	}
	return newBuckets(width, nil)
}

// buckets divides time into stretches of months or of a fixed width, of which one begins at the origin.
type buckets struct {
	months int64 // 0 where the width is fixed
	width  int64 // in microseconds
	origin int64
	// phase is the origin within its multiple of the width, from 0 to the width.
	phase int64
}

func newBuckets(width arrow.MonthDayNanoInterval, origin *int64) (*buckets, error) {
	refuse := func(why string) (*buckets, error) {
		return nil, event.Errorf(event.CodeInvalidValue, "time_bucket: the interval %s %s", event.FormatInterval(width), why)
	}
	b := &buckets{months: int64(width.Months), origin: bucketOrigin}
	if b.months != 0 {
		b.origin = monthBucketOrigin
	}
	if origin != nil {
		b.origin = *origin
	}
	switch {
	case b.months != 0 && (width.Days != 0 || width.Nanoseconds != 0):
		return refuse("mixes months with smaller units")
	case b.months < 0:
		return refuse("is not positive")
	case b.months > 0:
		return b, nil
	}
	days, fits := multiplyInt64(int64(width.Days), microsPerDay)
	total, sumFits := addInt64(days, width.Nanoseconds/nanosPerMicro)
	switch {
	case !fits || !sumFits:
		return refuse("is out of range")
	case total <= 0:
		return refuse("is not positive")
	case width.Nanoseconds%nanosPerMicro != 0:
		return refuse("is not a whole number of microseconds")
	}
	b.width = total
	_, b.phase = floorDivide(b.origin, b.width)
	return b, nil
}

// find is the bucket of a time. It works on remainders, which cannot overflow as the distance from the origin can.
func (b *buckets) find(micros int64) (span, bool) {
	if b.months > 0 {
		return b.findMonths(micros)
	}
	_, into := floorDivide(micros, b.width)
	into -= b.phase
	if into < 0 {
		into += b.width
	}
	start, ok := subtractInt64(micros, into)
	return spanOf(start, b.width), ok
}

// findMonths counts months from the origin's month; a bucket that begins within a month may make it one too many.
func (b *buckets) findMonths(micros int64) (span, bool) {
	n, _ := floorDivide(monthNumber(micros)-monthNumber(b.origin), b.months)
	start, ok := addMonths(b.origin, n*b.months)
	if !ok || start > micros {
		n--
		if start, ok = addMonths(b.origin, n*b.months); !ok {
			return span{}, false
		}
	}
	end, ok := addMonths(b.origin, (n+1)*b.months)
	if !ok {
		return spanOf(start, 1<<62), true
	}
	return span{start: start, end: end}, true
}

// monthNumber counts months from January of year 0.
func monthNumber(micros int64) int64 {
	days, _ := floorDivide(micros, microsPerDay)
	year, month, _ := date(days)
	return year*12 + month - 1
}
