package continuous

import (
	"context"
	"slices"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// showAhead has rows shown that wait for the watermark.
func (o *slideOp) showAhead(rows *Delta, times []int64) error {
	if o.ahead == nil {
		return nil
	}
	values, err := o.node.partitionsOf(rows)
	if err != nil {
		return err
	}
	partitions, err := o.ahead.touchAt(values, rows.Rows, times)
	if err != nil {
		return err
	}
	o.ahead.wait(rows, times, partitions)
	return nil
}

// noteArrived notes rows of a step that the watermark has passed already: frames of those ahead of it may hold them.
func (o *slideOp) noteArrived(in *Delta, times []int64, rows []int32) error {
	if o.ahead == nil || len(rows) == 0 {
		return nil
	}
	some := in.filtered(rows)
	values, err := o.node.partitionsOf(&some)
	if err != nil {
		return err
	}
	_, err = o.ahead.touchAt(values, some.Rows, pick64(times, rows))
	return err
}

// takeProvisional takes over what the input changes in its provisional rows.
func (o *slideOp) takeProvisional(ctx context.Context) error {
	in, err := provisionalOf(ctx, o.node.ins[0], o.input)
	if err != nil || in.Rows == 0 {
		return err
	}
	if in, _, err = o.node.timed(in); err != nil {
		return err
	}
	values, err := o.node.partitionsOf(&in)
	if err != nil {
		return err
	}
	partitions, err := o.ahead.touchAt(values, in.Rows, nil)
	if err != nil {
		return err
	}
	return o.ahead.waiting[0].add(in, partitions)
}

// provisional implements provisionalOperator.
func (o *slideOp) provisional(ctx context.Context) (Delta, error) {
	if err := o.takeProvisional(ctx); err != nil {
		return Delta{}, err
	}
	partitions := o.ahead.takeTouched()
	if len(partitions) == 0 {
		return noChange(o.node.cols), nil
	}
	a := &aheadRows{computed: make([]times, len(partitions))}
	for i, key := range partitions {
		a.computed[i] = o.chooseAhead(a, key)
	}
	rows := o.ahead.own.gather(a.slots)
	if o.nested() {
		var err error
		if rows, err = sum(o.node.ins[0].columns(), rows, o.ahead.waiting[0].under(partitions)); err != nil {
			return Delta{}, err
		}
		a.apart = make([]bool, rows.Rows)
	}
	if rows.Rows == 0 {
		return o.ahead.replace(partitions, a.computed, noChange(o.node.cols), nil)
	}
	return o.tryOut(partitions, a, rows)
}

// aheadRows are rows that are not final of partitions, from which those are computed whose times are asked for.
type aheadRows struct {
	computed []times // by partition
	slots    []uint32
	apart    []bool // by row, as in frameMoves
}

// nested tells whether there are provisional rows of the input, which come and go as they like.
func (o *slideOp) nested() bool { return o.node.ins[0].traits().provisional }

// chooseAhead adds the rows of a partition from which those that may have changed can be computed, and gives the times of these.
func (o *slideOp) chooseAhead(a *aheadRows, key uint32) times {
	changed, all := o.ahead.changedIn(key), o.ahead.own.list(key, nil)
	back, rows, bounded := o.node.reachesBack()
	if o.nested() || !bounded && changed != noTimes {
		a.slots, a.apart = append(a.slots, all...), append(a.apart, make([]bool, len(all))...)
		return allTimes
	}
	if changed == noTimes {
		return noTimes
	}
	from, to := saturated(changed.from, -back), saturated(changed.to, back)
	if rows > 0 {
		first, last := o.ahead.rowsAround(all, changed, rows)
		from, to = min(from, first), max(to, last)
	}
	apart := false
	before := len(a.slots)
	for _, slot := range all {
		switch at := o.ahead.ownAt[slot]; {
		case at < from:
			apart = true
		case at <= to:
			a.slots = append(a.slots, slot)
		}
	}
	a.apart = append(a.apart, slices.Repeat([]bool{apart}, len(a.slots)-before)...)
	return times{changed.from, to}
}

// reachesBack is how far frames reach back by time and by rows; bounded is false where one does so without end, or goes by more than its rows.
func (n *slideNode) reachesBack() (micros, rows int64, bounded bool) {
	for _, f := range n.frames {
		switch f.start {
		case fromStart:
			return 0, 0, false
		case byTime:
			micros = max(micros, f.before)
		case byRows:
			rows = max(rows, f.before)
		case byPeers: // of one time
		}
	}
	for _, c := range n.calls {
		if c.carry != noCarry || c.rank != noRank {
			return 0, 0, false
		}
	}
	return micros, rows, true
}

// rowsAround is the time of the row so many rows before the first that changed, and of that so many behind the last.
func (p *provisional) rowsAround(slots []uint32, changed times, rows int64) (first, last int64) {
	var before, behind []int64
	for _, slot := range slots {
		switch at := p.ownAt[slot]; {
		case at < changed.from:
			before = append(before, at)
		case at > changed.to:
			behind = append(behind, at)
		}
	}
	first, last = NoWatermark, endOfTime
	if int64(len(before)) >= rows {
		slices.Sort(before)
		first = before[int64(len(before))-rows]
	}
	if int64(len(behind)) >= rows {
		slices.Sort(behind)
		last = behind[rows-1]
	}
	return first, last
}

// tryOut computes rows of partitions that are not final, by moves on trial, and gives what that changes.
func (o *slideOp) tryOut(partitions []uint32, a *aheadRows, rows Delta) (Delta, error) {
	values, err := o.node.partitionsOf(&rows)
	if err != nil {
		return Delta{}, err
	}
	_, at, err := o.node.timed(rows)
	if err != nil {
		return Delta{}, err
	}
	m, fresh, err := o.begin(&rows, at, values, !slices.Contains(a.apart, false))
	if err != nil {
		return Delta{}, err
	}
	m.onTrial, m.apart = true, a.apart
	o.batches.each(m.partition)
	out, err := o.compute(&rows, m)
	if err != nil {
		return Delta{}, err
	}
	o.keys.remove(fresh)
	of := o.ahead.partitionsOf(values, rows.Rows)
	var asked []int32
	var askedOf []uint32
	for i, key := range of {
		place, _ := slices.BinarySearch(partitions, key)
		if a.computed[place].has(at[i]) {
			asked, askedOf = append(asked, int32(i)), append(askedOf, key)
		}
	}
	return o.ahead.replace(partitions, a.computed, out.filtered(asked), askedOf)
}

// fork makes the rollers that moves on trial go by.
func (m *frameMoves) fork(rollers []kernel.Roller) {
	m.rollers = make([]kernel.Roller, len(rollers))
	for i, r := range rollers {
		if r != nil {
			m.rollers[i] = r.Fork(m.trial)
		}
	}
}
