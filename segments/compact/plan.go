package compact

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

const (
	// fanIn is how many segments of about one size become one. Four keeps at most three of each size waiting, and writes a row again
	// no more than once for each power of four between the first segment that held it and a full one.
	fanIn = 4
	// maxInputs bounds the files that one merge reads, each of which takes a page of memory.
	maxInputs = 64
	// spread is how many buckets make one of the next level, and so the most files that a merge writes.
	spread = 32
)

// Policy says when segments are merged. Zero fields take the defaults.
type Policy struct {
	// TargetRows and TargetBytes are how large segments are made. A segment of half of either is full and is not merged again.
	TargetRows, TargetBytes int64
	// ArchiveAfter is how long after its newest row arrived a segment is written anew in the layout of old data; 0 is never.
	ArchiveAfter time.Duration
}

// Defaults of a Policy.
const (
	// DefaultTargetRows is four row groups: enough that what a file costs by itself does not matter, few enough to write in seconds.
	DefaultTargetRows = 4 << 20
	// DefaultTargetBytes bounds files of wide rows.
	DefaultTargetBytes = 512 << 20
)

func (p Policy) withDefaults() Policy {
	if p.TargetRows <= 0 {
		p.TargetRows = DefaultTargetRows
	}
	if p.TargetBytes <= 0 {
		p.TargetBytes = DefaultTargetBytes
	}
	return p
}

// Job is one merge to do.
type Job struct {
	Inputs []*manifest.Segment
	// Cuts are the event times at which new files begin, in microseconds since 1970.
	Cuts    []int64
	Archive bool
}

// Plan lists the merges that are due among the segments of one stream, the smallest first. No segment is in two of them. It is a
// function of its arguments alone.
//
// Time is divided into buckets, and segments of different buckets are never joined, so that retention can drop them apart. Within a
// bucket segments of about one size are merged when there are enough of them: late rows become small segments that are merged with each
// other until they are worth merging with more. A segment that reaches over several buckets belongs to a wider one, of a higher level;
// it is merged with its like there, and cut into those of the level below.
func Plan(segments []*manifest.Segment, retention time.Duration, p Policy, now time.Time) []Job {
	p = p.withDefaults()
	width := bucketWidth(retention).Microseconds()
	tiers := map[tierKey][]*manifest.Segment{}
	var jobs []Job
	for _, s := range segments { // by time, so that neighbours meet
		if p.full(s) {
			if p.archivable(s, now) {
				jobs = append(jobs, Job{Inputs: []*manifest.Segment{s}, Archive: true})
			}
			continue
		}
		key := keyOf(s, width)
		tiers[key] = append(tiers[key], s)
	}
	for key, members := range tiers {
		jobs = append(jobs, p.jobsOf(key, members, width, now)...)
	}
	slices.SortFunc(jobs, func(a, b Job) int {
		return cmp.Or(cmp.Compare(a.rows(), b.rows()), cmp.Compare(a.Inputs[0].ID, b.Inputs[0].ID))
	})
	return jobs
}

// tierKey names segments that may be merged with one another.
type tierKey struct {
	level  int
	bucket int64
	tier   int
}

func keyOf(s *manifest.Segment, width int64) tierKey {
	// The tier is the logarithm of the rows to the base of fanIn, so that fanIn segments of a tier make one of a higher tier.
	key := tierKey{tier: (bits.Len64(uint64(s.Rows)) - 1) / (bits.Len(fanIn) - 1)}
	for {
		key.bucket = bucketOf(s.MinTime, width)
		if bucketOf(s.MaxTime, width) == key.bucket {
			return key
		}
		key.level++
		if width > math.MaxInt64/spread {
			key.bucket = 0 // the widest bucket holds everything
			return key
		}
		width *= spread
	}
}

// jobsOf plans the members of one tier, given by time.
func (p Policy) jobsOf(key tierKey, members []*manifest.Segment, width int64, now time.Time) []Job {
	var jobs []Job
	for len(members) > 0 {
		job, rows, bytes := Job{}, int64(0), int64(0)
		for _, s := range members {
			enough := len(job.Inputs) >= 2 && (rows+s.Rows > p.TargetRows || bytes+s.Bytes > p.TargetBytes)
			if enough || len(job.Inputs) == maxInputs {
				break
			}
			job.Inputs = append(job.Inputs, s)
			rows, bytes = rows+s.Rows, bytes+s.Bytes
		}
		n := len(job.Inputs)
		if n < fanIn && (n < 2 || !p.fullSize(rows, bytes)) {
			return append(jobs, p.archiveJobs(members, now)...)
		}
		if key.level > 0 {
			job.Cuts = cuts(job.Inputs, width, key.level-1)
		}
		job.Archive = !slices.ContainsFunc(job.Inputs, func(s *manifest.Segment) bool { return !p.old(s, now) })
		jobs = append(jobs, job)
		members = members[n:]
	}
	return jobs
}

// archiveJobs are for segments that wait for others of their size and have grown old meanwhile.
func (p Policy) archiveJobs(waiting []*manifest.Segment, now time.Time) []Job {
	var jobs []Job
	for _, s := range waiting {
		if p.archivable(s, now) {
			jobs = append(jobs, Job{Inputs: []*manifest.Segment{s}, Archive: true})
		}
	}
	return jobs
}

func (p Policy) full(s *manifest.Segment) bool { return p.fullSize(s.Rows, s.Bytes) }

func (p Policy) fullSize(rows, bytes int64) bool {
	return 2*rows >= p.TargetRows || 2*bytes >= p.TargetBytes
}

func (p Policy) archivable(s *manifest.Segment, now time.Time) bool {
	return !s.Archived && p.old(s, now)
}

// old reports that no row of a segment arrived lately. Arrival counts and not event time: data of long ago that was just loaded is about
// to be looked at.
func (p Policy) old(s *manifest.Segment, now time.Time) bool {
	arrived, ok := s.Stats(event.FieldIngestedAt)
	return ok && arrived.Bounded && p.ArchiveAfter > 0 && arrived.Max.Int < now.Add(-p.ArchiveAfter).UnixMicro()
}

func (j Job) rows() int64 {
	total := int64(0)
	for _, s := range j.Inputs {
		total += s.Rows
	}
	return total
}

// bucketWidths are how wide buckets can be.
var bucketWidths = []time.Duration{
	30 * 24 * time.Hour, 7 * 24 * time.Hour, 24 * time.Hour, 6 * time.Hour, time.Hour, 10 * time.Minute, time.Minute,
}

// bucketWidth is at most a tenth of the retention, if that is possible: by so much at most do rows outlive it.
func bucketWidth(retention time.Duration) time.Duration {
	if retention <= 0 {
		return bucketWidths[0]
	}
	for _, width := range bucketWidths {
		if width <= retention/10 {
			return width
		}
	}
	return bucketWidths[len(bucketWidths)-1]
}

// bucketOf numbers buckets from 1970 on; below it numbers are negative.
func bucketOf(t, width int64) int64 {
	bucket := t / width
	if t%width < 0 {
		bucket--
	}
	return bucket
}

// cuts are the borders that lie within the inputs between buckets of a level.
func cuts(inputs []*manifest.Segment, width int64, level int) []int64 {
	for range level {
		width *= spread
	}
	low, high := inputs[0].MinTime, inputs[0].MaxTime
	for _, s := range inputs {
		low, high = min(low, s.MinTime), max(high, s.MaxTime)
	}
	var out []int64
	for bucket := bucketOf(low, width) + 1; bucket <= bucketOf(high, width); bucket++ {
		out = append(out, bucket*width)
	}
	return out
}
