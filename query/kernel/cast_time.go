package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func addTimeCasts(all map[conversion]kernel) {
	all[conversion{event.Time, event.Text}] = timeOfDayToText
	all[conversion{event.Time, event.Interval}] = timeOfDayToInterval
	all[conversion{event.Text, event.Time}] = textToTimeOfDay
	all[conversion{event.TimestampTZ, event.Time}] = timestampToTimeOfDay
	all[conversion{event.Interval, event.Time}] = intervalToTimeOfDay
}

func timeOfDayToText(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapText(c, func(dst []byte, i int) ([]byte, error) { return event.AppendTimeOfDay(dst, a.at(i)), nil })
}

func timeOfDayToInterval(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapFixed(c, arrow.FixedWidthTypes.MonthDayNanoInterval, func(i int) (arrow.MonthDayNanoInterval, error) {
		return arrow.MonthDayNanoInterval{Nanoseconds: a.at(i) * nanosPerMicro}, nil
	})
}

func textToTimeOfDay(c *call) (arrow.Array, error) {
	text := textsOf(c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (int64, error) { return readText(text.at(i), event.Time, event.ParseTimeOfDay) })
}

func timestampToTimeOfDay(c *call) (arrow.Array, error) {
	a := fixed[int64](c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (int64, error) {
		if isInfinite(a.at(i)) {
			return 0, errInfinite("TIME", a.at(i))
		}
		return event.TimeOfDay(a.at(i)), nil
	})
}

// intervalToTimeOfDay leaves out months and whole days.
func intervalToTimeOfDay(c *call) (arrow.Array, error) {
	a := fixed[arrow.MonthDayNanoInterval](c.args[0])
	return mapFixed(c, c.result.Arrow(), func(i int) (int64, error) { return event.TimeOfDay(a.at(i).Nanoseconds / nanosPerMicro), nil })
}
