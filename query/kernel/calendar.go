package kernel

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
	nanosPerDay     = 86_400 * 1_000_000_000
	nanosPerMicro   = 1_000
	// daysPerMonth is what PostgreSQL takes a month for when it compares intervals.
	daysPerMonth = 30
)

// floorDivide divides towards minus infinity; the remainder lies in [0, divisor). divisor is positive.
func floorDivide(n, divisor int64) (quotient, remainder int64) {
	quotient, remainder = n/divisor, n%divisor
	if remainder < 0 {
		return quotient - 1, remainder + divisor
	}
	return quotient, remainder
}

// Calendar arithmetic counts years from March, which puts the leap day at a year's end, in eras of 400 years, which all have
// the same number of days.
const (
	daysPerEra     = 146_097
	daysBeforeUnix = 719_468 // from 0000-03-01 to 1970-01-01
)

// date is the proleptic Gregorian date of a day counted from 1970-01-01. Year 0 is 1 BC.
func date(days int64) (year, month, day int64) {
	era, dayOfEra := floorDivide(days+daysBeforeUnix, daysPerEra)
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	shifted := (5*dayOfYear + 2) / 153 // months since March
	day = dayOfYear - (153*shifted+2)/5 + 1
	year = yearOfEra + era*400
	if shifted < 10 {
		return year, shifted + 3, day
	}
	return year + 1, shifted - 9, day
}

// dayNumber counts the days from 1970-01-01 to the given date; month is 1 to 12.
func dayNumber(year, month, day int64) int64 {
	shifted := month - 3
	if month < 3 {
		shifted, year = month+9, year-1
	}
	era, yearOfEra := floorDivide(year, 400)
	dayOfYear := (153*shifted+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return era*daysPerEra + dayOfEra - daysBeforeUnix
}

// monthStart is the day on which the month with the given number begins. Months count from January of year 0.
func monthStart(month int64) int64 {
	year, m := floorDivide(month, 12)
	return dayNumber(year, m+1, 1)
}

// addMonths moves a time by whole months and keeps its day of month, or takes the month's last day where that is earlier.
func addMonths(micros, months int64) (int64, bool) {
	days, clock := floorDivide(micros, microsPerDay)
	year, month, day := date(days)
	target := year*12 + month - 1 + months
	start, next := monthStart(target), monthStart(target+1)
	return fromDays(start+min(day, next-start)-1, clock)
}

// fromDays is the time on a day, or false where it is out of range.
func fromDays(days, clock int64) (int64, bool) {
	const firstDay, lastDay = -106_751_992, 106_751_991 // what 64 bits of microseconds reach
	if days < firstDay || days > lastDay {
		return 0, false
	}
	if days == firstDay {
		// The day begins before the range does: count back from its end.
		return addInt64((days+1)*microsPerDay, clock-microsPerDay)
	}
	return addInt64(days*microsPerDay, clock)
}

// addInt64 adds, or reports false on overflow.
func addInt64(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (a^sum)&(b^sum) >= 0
}

// subtractInt64 subtracts, or reports false on overflow.
func subtractInt64(a, b int64) (int64, bool) {
	difference := a - b
	return difference, (a^b)&(a^difference) >= 0
}
