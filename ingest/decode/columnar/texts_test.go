package columnar

import (
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"
)

func TestTimesOfDay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value int64
		unit  arrow.TimeUnit
		want  string
	}{
		{0, arrow.Second, "00:00:00"},
		{86_399_999, arrow.Millisecond, "23:59:59.999"},
		{86_399_999_999_999, arrow.Nanosecond, "23:59:59.999999999"},
		{86_400, arrow.Second, "24:00:00"},
		{86_400_000_000, arrow.Microsecond, "24:00:00"},
		{90_061_500_000, arrow.Microsecond, "25:01:01.5"},
		{-1, arrow.Second, "-00:00:01"},
		{-3_600_000_000_001, arrow.Nanosecond, "-01:00:00.000000001"},
		{math.MinInt64, arrow.Microsecond, "-2562047788:00:54.775808"},
	} {
		require.Equal(t, c.want, clock(c.value, c.unit))
	}
}
