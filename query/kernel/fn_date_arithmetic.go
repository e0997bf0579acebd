package kernel

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerDateArithmetic(r registry) {
	r.strict("+(DATE, BIGINT)", shiftDates(0, 1, addInt64))
	r.strict("+(BIGINT, DATE)", shiftDates(1, 0, addInt64))
	r.strict("-(DATE, BIGINT)", shiftDates(0, 1, subtractInt64))
	r.strict("-(DATE, DATE)", subtractDates)
}

// shiftDates moves a date by days. at and by say which argument is the date and which the number.
func shiftDates(at, by int, operation func(a, b int64) (int64, bool)) kernel {
	return func(c *call) (arrow.Array, error) {
		dates, days := fixed[int32](c.args[at]), fixed[int64](c.args[by])
		return mapFixed(c, arrow.FixedWidthTypes.Date32, func(i int) (int32, error) {
			out, ok := operation(int64(dates.at(i)), days.at(i))
			if !ok || out < math.MinInt32 || out > math.MaxInt32 {
				return 0, event.Errorf(event.CodeInvalidValue, "date out of range: %s shifted by %d days",
					event.FormatDate(dates.at(i)), days.at(i))
			}
			return int32(out), nil
		})
	}
}

func subtractDates(c *call) (arrow.Array, error) {
	a, b := fixed[int32](c.args[0]), fixed[int32](c.args[1])
	return mapFixed(c, arrow.PrimitiveTypes.Int32, func(i int) (int32, error) {
		days := int64(a.at(i)) - int64(b.at(i))
		if days < math.MinInt32 || days > math.MaxInt32 {
			return 0, event.Errorf(event.CodeInvalidValue, "INTEGER overflow in %s - %s", event.FormatDate(a.at(i)), event.FormatDate(b.at(i)))
		}
		return int32(days), nil
	})
}
