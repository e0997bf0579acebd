package plan

// timeOfDayFunctions are those of TIME. What leads beyond midnight goes on from the other end of the day.
func timeOfDayFunctions() []*Function {
	out := []*Function{
		operator("+", timestamptz, date, timeOfDay), operator("+", timestamptz, timeOfDay, date),
		operator("+", timeOfDay, timeOfDay, interval), operator("+", timeOfDay, interval, timeOfDay),
		operator("-", timeOfDay, timeOfDay, interval), operator("-", interval, timeOfDay, timeOfDay),
		scalar("extract", double, text, timeOfDay),
		scalar("make_time", timeOfDay, bigint, bigint, double),
	}
	for _, name := range []string{"hour", "minute", "second"} {
		out = append(out, scalar(name, bigint, timeOfDay))
	}
	return out
}
