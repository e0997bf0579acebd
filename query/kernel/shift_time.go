package kernel

import "github.com/apache/arrow-go/v18/arrow"

// ShiftTime adds an interval to a time in microseconds since 1970, as TIMESTAMPTZ + INTERVAL does.
func ShiftTime(micros int64, by arrow.MonthDayNanoInterval) (int64, error) {
	out, ok := shift(micros, by, false)
	if !ok {
		return 0, errTimeRange(micros, by)
	}
	return out, nil
}
