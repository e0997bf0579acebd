package plan

import "github.com/tidemarkdb/tidemark/event"

// DateParts are the functions that are named for a field of a time and give it as BIGINT, with the field.
var DateParts = map[string]string{
	"year": "year", "quarter": "quarter", "month": "month", "week": "week", "day": "day", "dayofmonth": "day", "dayofweek": "dow",
	"isodow": "isodow", "dayofyear": "doy", "hour": "hour", "minute": "minute", "second": "second", "isoyear": "isoyear",
}

// calendarFunctions name a time zone as the IANA database does. Time zones come after the time, except in timezone, which is AT
// TIME ZONE.
func calendarFunctions() []*Function {
	var out []*Function
	for name := range DateParts {
		out = append(out, scalar(name, bigint, timestamptz))
	}
	for _, name := range []string{"epoch_ms", "epoch_us", "epoch_ns"} {
		out = append(out, scalar(name, bigint, timestamptz))
	}
	for _, name := range []string{"dayname", "monthname"} {
		out = append(out, scalar(name, text, timestamptz))
	}
	for _, name := range []string{"to_char", "strftime"} {
		out = append(out, scalar(name, text, timestamptz, text))
	}
	out = append(out, scalar("to_char", text, numeric, text), scalar("to_char", text, interval, text))
	for _, name := range []string{"justify_hours", "justify_days", "justify_interval"} {
		out = append(out, scalar(name, interval, interval))
	}
	year, second := []event.Type{bigint, bigint, bigint, bigint, bigint}, double
	return append(out,
		scalar("epoch", double, timestamptz), scalar("epoch", double, interval),
		scalar("timezone", timestamptz, text, timestamptz), scalar("from_wall_clock", timestamptz, text, timestamptz),
		scalar("date_trunc", timestamptz, text, timestamptz, text),
		scalar("date_trunc", interval, text, interval),
		scalar("time_bucket", timestamptz, interval, timestamptz, text),
		scalar("age", interval, timestamptz, timestamptz),
		scalar("date_diff", bigint, text, timestamptz, timestamptz), // boundaries of the unit that lie between
		scalar("last_day", timestamptz, timestamptz),
		scalar("make_timestamptz", timestamptz, append(year[:5:5], second)...),
		scalar("make_timestamptz", timestamptz, append(year[:5:5], second, text)...),
		scalar("to_timestamp", timestamptz, text, text), scalar("strptime", timestamptz, text, text),
		scalar("extract", double, text, interval),
		operator("*", interval, bigint, interval),
		operator("*", interval, interval, double), operator("*", interval, double, interval),
		operator("/", interval, interval, double),
	)
}
