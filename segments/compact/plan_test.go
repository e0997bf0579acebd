package compact

import (
	"fmt"
	"math/bits"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/prune"
)

// bench plans and carries out merges on descriptions of segments, and counts what a real store would write.
type bench struct {
	retention time.Duration
	policy    Policy
	segments  []*manifest.Segment
	lastID    uint64
	sealed    int64 // rows
	written   int64 // rows, by merges
	now       time.Time
}

var day = time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)

// seal adds a segment of rows evenly spread over a range of time.
func (b *bench) seal(rows int64, from, to time.Time) {
	b.sealed += rows
	b.add(rows, from.UnixMicro(), to.UnixMicro())
}

func (b *bench) add(rows, low, high int64) {
	b.lastID++
	b.segments = append(b.segments, &manifest.Segment{
		ID: b.lastID, Rows: rows, Bytes: rows * 30, MinTime: low, MaxTime: high,
		Columns: []manifest.Column{{ID: event.FieldIngestedAt, Stats: prune.Stats{Bounded: true, Max: prune.Bound{Int: b.now.UnixMicro()}}}},
	})
	slices.SortFunc(b.segments, func(a, b *manifest.Segment) int { return int(a.MinTime - b.MinTime) })
}

// compact merges until nothing is due.
func (b *bench) compact(t require.TestingT) {
	for round := 0; ; round++ {
		require.Less(t, round, 1000, "it does not end")
		jobs := Plan(b.segments, b.retention, b.policy, b.now)
		if len(jobs) == 0 {
			return
		}
		b.do(jobs[0])
	}
}

func (b *bench) do(job Job) {
	low, high := job.Inputs[0].MinTime, job.Inputs[0].MaxTime
	for _, s := range job.Inputs {
		low, high = min(low, s.MinTime), max(high, s.MaxTime)
		b.segments = slices.DeleteFunc(b.segments, func(o *manifest.Segment) bool { return o == s })
	}
	rows := job.rows()
	b.written += rows
	from := low
	for _, cut := range append(job.Cuts, high+1) {
		part := int64(float64(rows) * float64(cut-from) / float64(high+1-low))
		if cut == high+1 {
			part = max(1, part)
		}
		if part > 0 {
			b.add(part, from, cut-1)
			b.segments[len(b.segments)-1].Archived = b.segments[len(b.segments)-1].Archived || job.Archive
		}
		from = cut
	}
	if job.Archive {
		for _, s := range b.segments {
			if s.MinTime >= low && s.MaxTime <= high {
				s.Archived = true
			}
		}
	}
}

func TestAnHourOfTrickleIsFewFiles(t *testing.T) {
	t.Parallel()
	for _, rate := range []int64{1, 60, 10_000, 1_000_000} {
		b := &bench{}
		most := 0
		for minute := range 60 {
			from := day.Add(time.Duration(minute) * time.Minute)
			b.now = from
			b.seal(rate, from, from.Add(time.Minute-1))
			b.compact(t)
			most = max(most, len(b.segments))
		}
		require.LessOrEqual(t, int64(most), 12+2*b.sealed/DefaultTargetRows, "%d rows a minute", rate)
		require.LessOrEqual(t, b.written, 4*b.sealed, "%d rows a minute", rate)
	}
}

func TestLateTrickleIsNotAmplified(t *testing.T) {
	t.Parallel()
	b := &bench{retention: 30 * 24 * time.Hour}
	for minute := range 24 * 60 {
		from := day.Add(time.Duration(minute) * time.Minute)
		b.now = from
		b.seal(100_000, from, from.Add(time.Minute-1))
		b.seal(50, from.Add(-10*24*time.Hour), from) // a few rows of the ten days before
		b.compact(t)
	}
	require.LessOrEqual(t, b.written, 4*b.sealed)
	require.LessOrEqual(t, len(b.segments), 200, "36 full ones, and for each of eleven days some that wait")
}

func TestEveryRowIsWrittenAFewTimes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := &bench{retention: rapid.SampledFrom([]time.Duration{0, time.Hour, 72 * time.Hour}).Draw(t, "retention")}
		smallest := int64(1 << 40)
		for range rapid.IntRange(1, 150).Draw(t, "seals") {
			rows := int64(1) << rapid.IntRange(0, 20).Draw(t, "size")
			smallest = min(smallest, rows)
			from := day.Add(time.Duration(rapid.IntRange(0, 5000).Draw(t, "minute")) * time.Minute)
			b.seal(rows, from, from.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "length"))*time.Minute))
			b.compact(t)
		}
		tiers := int64(bits.Len64(uint64(DefaultTargetRows/smallest))/2 + 1)
		whole := &manifest.Segment{Rows: 1, MinTime: day.UnixMicro(), MaxTime: day.Add(5300 * time.Minute).UnixMicro()}
		levels := int64(keyOf(whole, bucketWidth(b.retention).Microseconds()).level)
		require.LessOrEqual(t, b.written, (1+levels)*tiers*b.sealed)
	})
}

func TestPlan(t *testing.T) {
	t.Parallel()
	policy := Policy{TargetRows: 1000, ArchiveAfter: 7 * 24 * time.Hour}
	hour := func(h float64) time.Time { return day.Add(time.Duration(h * float64(time.Hour))) }
	for _, test := range []struct {
		name      string
		retention time.Duration
		seals     [][3]float64 // rows, first and last hour
		age       time.Duration
		want      string
	}{
		{name: "three of a size wait", seals: [][3]float64{{10, 0, 1}, {9, 1, 2}, {12, 2, 3}}},
		{name: "four of a size do not", seals: [][3]float64{{10, 0, 1}, {9, 1, 2}, {12, 2, 3}, {5, 3, 4}}, want: "1+2+3+4"},
		{name: "sizes apart", seals: [][3]float64{{100, 0, 1}, {9, 1, 2}, {12, 2, 3}, {5, 3, 4}}},
		{name: "two that are full together", seals: [][3]float64{{300, 0, 1}, {260, 1, 2}}, want: "1+2"},
		{name: "full ones stay", seals: [][3]float64{{500, 0, 1}, {600, 1, 2}, {900, 1, 2}, {2000, 1, 2}}},
		{
			name: "no more than the target at once", seals: [][3]float64{{400, 0, 1}, {400, 1, 2}, {400, 2, 3}, {400, 3, 4}}, want: "1+2; 3+4",
		},
		{
			name: "buckets stay apart", retention: 10 * time.Hour,
			seals: [][3]float64{{10, 0, 0.5}, {10, 0.1, 0.5}, {10, 1.1, 1.5}, {10, 1.2, 1.5}},
		},
		{
			name: "what spans buckets is cut", retention: 10 * time.Hour,
			seals: [][3]float64{{10, 0, 1.5}, {10, 0.1, 1.5}, {10, 0.1, 1.2}, {10, 1.2, 2.5}}, want: "1+2+3+4 cut at 01:00 02:00",
		},
		{name: "old ones are archived", age: 8 * 24 * time.Hour, seals: [][3]float64{{600, 0, 1}, {10, 0, 1}}, want: "2 archived; 1 archived"},
		{
			name: "and merged at the same time", age: 8 * 24 * time.Hour, seals: [][3]float64{{10, 0, 1}, {9, 1, 2}, {12, 2, 3}, {5, 3, 4}},
			want: "1+2+3+4 archived",
		},
	} {
		b := &bench{now: day}
		for _, s := range test.seals {
			b.seal(int64(s[0]), hour(s[1]), hour(s[2]))
		}
		got := ""
		for i, job := range Plan(b.segments, test.retention, policy, day.Add(test.age)) {
			if i > 0 {
				got += "; "
			}
			got += describe(job)
		}
		require.Equal(t, test.want, got, test.name)
	}
}

func describe(job Job) string {
	out := ""
	for i, s := range job.Inputs {
		if i > 0 {
			out += "+"
		}
		out += fmt.Sprint(s.ID)
	}
	for i, cut := range job.Cuts {
		if i == 0 {
			out += " cut at"
		}
		out += time.UnixMicro(cut).UTC().Format(" 15:04")
	}
	if job.Archive {
		out += " archived"
	}
	return out
}

func TestCutsAreBounded(t *testing.T) {
	t.Parallel()
	minute := time.Minute.Microseconds()
	rapid.Check(t, func(t *rapid.T) {
		s := &manifest.Segment{Rows: 5, MinTime: rapid.Int64().Draw(t, "from")}
		s.MaxTime = rapid.Int64Min(s.MinTime).Draw(t, "to")
		if key := keyOf(s, minute); key.level > 0 {
			found := cuts([]*manifest.Segment{s}, minute, key.level-1)
			require.NotEmpty(t, found)
			require.LessOrEqual(t, len(found), 2*spread)
			require.True(t, s.MinTime < found[0] && found[len(found)-1] <= s.MaxTime)
			left := keyOf(&manifest.Segment{Rows: 5, MinTime: s.MinTime, MaxTime: found[0] - 1}, minute)
			require.Less(t, left.level, key.level, "merging makes progress")
		}
	})
	require.Equal(t, int64(-2), bucketOf(-minute-1, minute))
	require.Equal(t, int64(-1), bucketOf(-minute, minute))
}
