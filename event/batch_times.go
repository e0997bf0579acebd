package event

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"
)

// timeSpan is what is known of a batch's event times.
type timeSpan struct {
	low, high int64
	ok        bool
}

// Times are the least and the greatest event time of the rows, in microseconds since 1970; ok is false where some row has none or the stream has
// no column of it. They are looked for at the first call, which may come from any goroutine.
func (b *Batch) Times() (low, high int64, ok bool) {
	span := b.times.Load()
	if span == nil {
		span = b.findTimes()
		b.times.Store(span)
	}
	return span.low, span.high, span.ok
}

func (b *Batch) findTimes() *timeSpan {
	at := slices.IndexFunc(b.Schema.Columns, func(c Column) bool { return c.ID == b.Schema.TimeColumn })
	if at < 0 {
		return &timeSpan{}
	}
	times, ok := b.Record.Column(at).(*array.Timestamp)
	if !ok || times.Len() == 0 || times.NullN() > 0 {
		return &timeSpan{}
	}
	values := times.TimestampValues()
	return &timeSpan{low: int64(slices.Min(values)), high: int64(slices.Max(values)), ok: true}
}
