package continuous

import (
	"maps"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// punctuality is a condition that leaves out late rows: a column's value is above the row's own watermark, less the lag.
type punctuality struct {
	column int
	lag    int64
}

// punctualityOf recognises `_watermark IS NULL OR time > _watermark`, or with `>=`, where time is a column or a column plus a constant.
// The row's own watermark is at or above that of its stream at any step before it, so what comes later has a greater time.
func punctualityOf(e plan.Expr, watermarks map[int]bool) (punctuality, bool) {
	or, ok := e.(*plan.Call)
	if !ok || or.Fn.Name != "or" || len(or.Args) != 2 {
		return punctuality{}, false
	}
	missing, ok := or.Args[0].(*plan.Call)
	if !ok || missing.Fn.Name != "is_null" || !isWatermark(missing.Args[0], watermarks) {
		return punctuality{}, false
	}
	ahead, ok := or.Args[1].(*plan.Call)
	if !ok || len(ahead.Args) != 2 || !isWatermark(ahead.Args[1], watermarks) {
		return punctuality{}, false
	}
	lag := int64(0)
	switch ahead.Fn.Name {
	case ">":
	case ">=":
		lag = 1
	default:
		return punctuality{}, false
	}
	column, shift, ok := shifted(ahead.Args[0])
	return punctuality{column, lag + shift}, ok
}

func isWatermark(e plan.Expr, watermarks map[int]bool) bool {
	ref, ok := e.(*plan.ColumnRef)
	return ok && watermarks[ref.Index]
}

// shifted takes apart a column plus or minus a constant number of microseconds.
func shifted(e plan.Expr) (column int, by int64, ok bool) {
	switch e := e.(type) {
	case *plan.ColumnRef:
		return e.Index, 0, true
	case *plan.Call:
		if (e.Fn.Name != "+" && e.Fn.Name != "-") || len(e.Args) != 2 {
			return 0, 0, false
		}
		literal, isLiteral := e.Args[1].(*plan.Literal)
		if !isLiteral {
			return 0, 0, false
		}
		width, fixed := micros(literal)
		column, by, ok := shifted(e.Args[0])
		if e.Fn.Name == "-" {
			width = -width
		}
		return column, by + width, ok && fixed
	default:
		return 0, 0, false
	}
}

// micros is the length of a constant INTERVAL without months.
func micros(l *plan.Literal) (int64, bool) {
	if l.Typ.Kind != event.Interval || l.Value.IsNull(0) {
		return 0, false
	}
	v := l.Value.(*array.MonthDayNanoInterval).Value(0)
	const dayMicros = 24 * 60 * 60 * 1_000_000
	if v.Months != 0 || v.Nanoseconds%1000 != 0 {
		return 0, false
	}
	return int64(v.Days)*dayMicros + v.Nanoseconds/1000, true
}

// longestMonthMicros bounds a bucket of one month.
const longestMonthMicros = 31 * 24 * 60 * 60 * 1_000_000

// boundOf is how far an expression's value may lag behind the watermark, if it follows it at all: it is one of the columns that do, moved
// by a constant, or rounded down to a bucket.
func boundOf(e plan.Expr, bounds map[int]int64) (int64, bool) {
	if column, by, ok := shifted(e); ok {
		lag, bounded := bounds[column]
		return saturated(lag, -by), bounded && (e.Type().Kind == event.TimestampTZ)
	}
	c, ok := e.(*plan.Call)
	if !ok {
		return 0, false
	}
	switch c.Fn.Name {
	case "time_bucket":
		lag, ok := boundOf(c.Args[1], bounds)
		width, known := widest(c.Args[0])
		return saturated(lag, width-1), ok && known
	case "date_trunc":
		if len(c.Args) != 2 {
			return 0, false
		}
		lag, ok := boundOf(c.Args[1], bounds)
		width, known := truncated(c.Args[0])
		return saturated(lag, width-1), ok && known
	default:
		return 0, false
	}
}

// widest bounds the length of a bucket.
func widest(e plan.Expr) (int64, bool) {
	l, ok := e.(*plan.Literal)
	if !ok {
		return 0, false
	}
	if width, ok := micros(l); ok {
		return width, true
	}
	if l.Typ.Kind != event.Interval || l.Value.IsNull(0) {
		return 0, false
	}
	v := l.Value.(*array.MonthDayNanoInterval).Value(0)
	return int64(v.Months) * longestMonthMicros, v.Days == 0 && v.Nanoseconds == 0
}

// truncated bounds how far date_trunc goes back.
func truncated(e plan.Expr) (int64, bool) {
	l, ok := e.(*plan.Literal)
	if !ok || l.Value.IsNull(0) {
		return 0, false
	}
	const second, day = 1_000_000, 24 * 60 * 60 * 1_000_000
	widths := map[string]int64{
		"microsecond": 1, "millisecond": 1000, "second": second, "minute": 60 * second, "hour": 3600 * second, "day": day,
		"week": 7 * day, "month": longestMonthMicros, "quarter": 3 * longestMonthMicros, "year": 12 * longestMonthMicros,
	}
	width, ok := widths[event.StringAt(l.Value, 0)]
	return width, ok
}

func saturated(a, b int64) int64 {
	switch {
	case b > 0 && a > math.MaxInt64-b:
		return math.MaxInt64
	case b < 0 && a < math.MinInt64-b:
		return math.MinInt64
	default:
		return a + b
	}
}

// windowBounds are two columns, the start and the end of a window, at most size apart.
type windowBounds struct {
	start, end int
	size       int64
}

// bounded are traits with one more bound, and what follows from it for the start of a window.
func (t traits) bounded(column int, lag int64) traits {
	t.bounds = withBound(t.bounds, column, lag)
	for _, w := range t.windows {
		if w.end == column {
			t.bounds = withBound(t.bounds, w.start, saturated(lag, w.size))
		}
	}
	return t
}

// picked are the windows whose bounds are still among columns that are expressions over those before.
func pickedWindows(windows []windowBounds, exprs []plan.Expr) []windowBounds {
	find := func(column int) int {
		return slices.IndexFunc(exprs, func(e plan.Expr) bool {
			ref, ok := e.(*plan.ColumnRef)
			return ok && ref.Index == column
		})
	}
	var out []windowBounds
	for _, w := range windows {
		moved := windowBounds{find(w.start), find(w.end), w.size}
		if moved.start >= 0 && moved.end >= 0 {
			out = append(out, moved)
		}
	}
	return out
}

// withBound is bounds with one more, the closer one where there are two for a column.
func withBound(bounds map[int]int64, column int, lag int64) map[int]int64 {
	out := maps.Clone(bounds)
	if out == nil {
		out = map[int]int64{}
	}
	if old, ok := out[column]; !ok || lag < old {
		out[column] = lag
	}
	return out
}

// commonBounds are those that hold for the rows of both.
func commonBounds(a, b map[int]int64) map[int]int64 {
	out := map[int]int64{}
	for column, lag := range a {
		if other, ok := b[column]; ok {
			out[column] = max(lag, other)
		}
	}
	return out
}
