package plan

// dateFunctions count in days. With intervals and in all else a date is the time at which it begins in UTC.
func dateFunctions() []*Function {
	return []*Function{
		operator("+", date, date, bigint), operator("+", date, bigint, date), operator("-", date, date, bigint),
		operator("-", integer, date, date),
	}
}
