package exec

import (
	"slices"
	"sort"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// reach is which of the rows held a call needs. Neither end ever moves back.
type reach struct {
	// low is, by row, the first that rows behind it need.
	low []int32
	// high is, by row, the first that it does not need; nil where it needs none that comes behind it.
	high []int32
	// peers says that the call goes by groups of peers, which it has to see from their first row on.
	peers bool
}

// reaches finds what each call needs, of those that are computed.
func (s *windowStream) reaches(w *windowRows) ([]reach, error) {
	var out []reach
	for i := range s.op.calls {
		if !s.op.computes(i) {
			continue
		}
		r, err := s.reach(w, &s.op.calls[i])
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (s *windowStream) reach(w *windowRows, c *windowCall) (reach, error) {
	switch span := s.op.spanOf(c); span {
	case rowSpan:
		return reach{low: w.shifted(1), peers: c.Fn.Name != "row_number"}, nil
	case wholeSpan:
		return reach{low: w.shifted(1)}, nil
	case shiftSpan:
		distance, _ := distanceOf(c)
		return reach{low: w.shifted(1 + min(distance, 0)), high: w.shifted(1 + max(distance, 0))}, nil
	default:
		high, err := w.bound(c.Frame, c.Frame.End, true)
		if err != nil {
			return reach{}, err
		}
		r := reach{low: slices.Clone(high), high: high, peers: c.Frame.Unit != plan.FrameRows || c.Frame.Exclude > plan.ExcludeRow}
		if span == runningSpan {
			for i := range r.low {
				r.low[i]-- // last_value needs the frame's last row
			}
			return r, nil
		}
		if r.low, err = w.bound(c.Frame, c.Frame.Start, false); err != nil {
			return reach{}, err
		}
		r.around(w, c.Frame.Exclude)
		return r, nil
	}
}

// around widens a frame's reach to what an exclusion looks at, and to the row itself.
func (r *reach) around(w *windowRows, exclude plan.FrameExclusion) {
	own := w.shifted(0)
	ends := w.shifted(1)
	if exclude == plan.ExcludeGroup || exclude == plan.ExcludeTies {
		starts, numbers := w.peers(), w.peerNumbers()
		for i, g := range numbers {
			own[i], ends[i] = starts[g], starts[g+1]
		}
	}
	for i := range r.low {
		r.low[i], r.high[i] = min(r.low[i], own[i]), max(r.high[i], ends[i])
	}
}

// shifted is, for each row, the one at a distance.
func (w *windowRows) shifted(by int64) []int32 {
	out := make([]int32, w.count)
	for i := range out {
		out[i] = int32(int64(i) + by)
	}
	return out
}

// settled is the end of the rows whose calls need no row that is still to come.
func (s *windowStream) settled(reaches []reach) int {
	rows := s.held.Rows
	end := rows
	if s.ended {
		return end
	}
	for _, r := range reaches {
		if r.high != nil {
			end = min(end, sort.Search(rows, func(i int) bool { return int(r.high[i]) >= rows }))
		}
	}
	return max(end, s.given)
}

// forget lets go of the rows that no row from end on needs, and notes what they mean to the calls. One row at least stays, by which it is seen
// whether the partition goes on.
func (s *windowStream) forget(w *windowRows, reaches []reach, end int) error {
	first, peers := int32(end), false
	for _, r := range reaches {
		first = min(first, r.low[end-1])
		peers = peers || r.peers
	}
	first = max(0, min(first, int32(w.count-1)))
	next := &stretch{calls: map[*windowCall]carried{}}
	if peers {
		numbers := w.peerNumbers()
		first = w.peers()[numbers[first]]
		next.groups = int64(numbers[first])
		if start := w.partitionOf(first); start > 0 {
			next.groups -= int64(numbers[start])
		} else {
			next.groups += s.last.groups
		}
	}
	start := w.partitionOf(first)
	next.rows = int64(first - start)
	if start == 0 {
		next.rows += s.last.rows
	}
	for i := range s.op.calls {
		c := &s.op.calls[i]
		if !s.op.computes(i) {
			continue
		}
		before := s.last.of(c)
		if start > 0 && before.whole == nil {
			before = carried{}
		}
		var err error
		if next.calls[c], err = s.carry(c, before, s.held.slice(int(start), int(first))); err != nil {
			return err
		}
	}
	s.last, s.given, s.held = next, end-int(first), s.held.slice(int(first), w.count)
	s.target = max(s.op.partRows(), 2*s.held.Rows)
	return nil
}

// carry adds rows that are let go of to what a call is to know.
func (s *windowStream) carry(c *windowCall, before carried, rows *Batch) (carried, error) {
	if rows.Rows == 0 || s.op.spanOf(c) != runningSpan {
		return before, nil
	}
	if c.Fn.Aggregate {
		if before.state == nil {
			before.state, _ = kernel.NewAccumulator(c.Fn)
		}
		return before, s.add(before.state, c, rows)
	}
	if before.first != nil {
		return before, nil
	}
	w := &windowRows{run: s.op.run, node: s.op.node, count: 1}
	values, err := w.eval(c.args[:1], w.spread(s.op.kept, rows.slice(0, 1).Columns, nil), 1)
	if err != nil {
		return before, err
	}
	before.first, err = kernel.Concat([]arrow.Array{values[0].Expand(1)})
	return before, err
}

// partitionOf is where the partition of a row starts.
func (w *windowRows) partitionOf(row int32) int32 {
	at := sort.Search(len(w.starts), func(i int) bool { return w.starts[i] > row })
	return w.starts[at-1]
}
