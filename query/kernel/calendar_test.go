package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func TestDateAgreesWithTime(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 5))
	days := []int64{0, -1, 59, 60, -719_528, 11_016, -106_751_991, 106_751_991}
	for range 2_000 {
		days = append(days, random.Int64N(8_000_000)-4_000_000)
	}
	for _, day := range days {
		at := time.Unix(day*86_400, 0).UTC()
		y, m, d := date(day)
		require.Equal(t, []int{at.Year(), int(at.Month()), at.Day()}, []int{int(y), int(m), int(d)}, "day %d", day)
		require.Equal(t, day, dayNumber(y, m, d))
		year, week := isoWeek(day * microsPerDay)
		wantYear, wantWeek := at.ISOWeek()
		require.Equal(t, []int{wantYear, wantWeek}, []int{int(year), int(week)}, "day %d", day)
		require.Equal(t, float64(at.YearDay()), dayOfYear(day*microsPerDay))
		require.Equal(t, int64(at.Weekday()), isoWeekday(day*microsPerDay)%7)
	}
}

// TestSpansContainTheirTimes draws times from the whole range, where starts and ends meet the limits of 64 bits.
func TestSpansContainTheirTimes(t *testing.T) {
	t.Parallel()
	finders := map[string]func(micros int64) (span, bool){}
	for unit, find := range truncations {
		finders[unit] = find
	}
	widths := []arrow.MonthDayNanoInterval{
		{Days: 7}, {Nanoseconds: 7_000}, {Days: math.MaxInt32 / 64}, {Months: 1}, {Months: 7}, {Months: 1_200},
	}
	for _, width := range widths {
		for _, origin := range []int64{0, bucketOrigin, -1, math.MinInt64, math.MaxInt64} {
			b, err := newBuckets(width, &origin)
			require.NoError(t, err)
			finders[event.FormatInterval(width)+" from "+time.UnixMicro(origin).String()] = b.find
		}
	}
	random := rand.New(rand.NewPCG(6, 6))
	times := []int64{math.MinInt64, math.MinInt64 + 1, math.MaxInt64, math.MaxInt64 - 1, 0, -1}
	for range 500 {
		times = append(times, int64(random.Uint64())>>random.IntN(40))
	}
	for name, find := range finders {
		for _, at := range times {
			found, ok := find(at)
			if !ok {
				require.Less(t, at, int64(math.MinInt64)/2, "%s fails only near the beginning", name)
				continue
			}
			require.LessOrEqual(t, found.start, at, name)
			require.True(t, at < found.end || found.end == math.MaxInt64, "%s of %d ends at %d", name, at, found.end)
			again, ok := find(found.start)
			require.True(t, ok && again == found, "%s of %d is %v, of its start %v", name, at, found, again)
		}
	}
}

func TestAddMonthsKeepsTheDay(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	for range 2_000 {
		at := random.Int64N(200_000*microsPerDay) - 100_000*microsPerDay
		months := random.Int64N(4_000) - 2_000
		moved, ok := addMonths(at, months)
		require.True(t, ok)
		from, to := time.UnixMicro(at).UTC(), time.UnixMicro(moved).UTC()
		require.Equal(t, int64(from.Year()*12+int(from.Month()))+months, int64(to.Year()*12+int(to.Month())))
		lastDay := time.Date(to.Year(), to.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
		require.Equal(t, min(from.Day(), lastDay), to.Day())
		require.Equal(t, withinDay(at), withinDay(moved))
	}
}
