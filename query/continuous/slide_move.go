package continuous

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/kernel"
)

// frameMoves finds how the frames move over the rows that a step gives, partition by partition. Rows go by numbers: those of the step as
// they lie, and behind them the rows kept from before that the moves touch, whose slots are in touched.
type frameMoves struct {
	op      *slideOp
	times   []int64
	order   dueOrder
	rows    int // of the step
	touched []uint32
	moves   []frameMove // by frame
	keys    []uint32    // by result
	place   []int32     // by result
	peers   []int32     // by result, that of its first peer; where a call goes by peers
	// kept are the rows of the step that frames can still reach after it, and slots where they are.
	kept  []int32
	slots []uint32
	// rollers compute the calls. Where the moves are on trial nothing of them stays, and rollers are forks over the partitions of trial.
	rollers []kernel.Roller
	onTrial bool
	// apart are, by row of the step, those of partitions that begin anew on trial: no frame that is asked for reaches a row before them.
	apart  []bool
	trial  []uint32
	rolled []uint32 // by result, the place of the partition in trial

	// Of the partition at hand: its number, its rows, the number of the first of them and, by row, where its peers begin and end.
	key       uint32
	batch     []int32
	first     uint32
	peersFrom []int32
	peersTo   []int32
}

// frameMove is how one frame moves: see kernel.Moves. firsts are the first rows of the frame, -1 where it has none.
type frameMove struct {
	added, removed     []int32
	addedTo, removedTo []int32
	firsts             []int32
}

// partition moves the frames of a partition over its rows, which are in order.
func (m *frameMoves) partition(key uint32, batch []int32) {
	rows := m.op.rows
	m.key, m.batch, m.first = key, batch, rows.count[key]
	if m.op.node.peers {
		m.findPeers()
	}
	if m.op.node.peers {
		for _, from := range m.peersFrom {
			m.peers = append(m.peers, int32(len(m.keys))+from)
		}
	}
	for range batch {
		m.keys = append(m.keys, key)
	}
	if m.onTrial {
		m.rolled = append(m.rolled, slices.Repeat([]uint32{uint32(len(m.trial))}, len(batch))...)
		if m.startsApart() {
			key = noPartition
		}
		m.trial = append(m.trial, key)
	}
	m.place = append(m.place, batch...)
	end := m.first + uint32(len(batch))
	keep := end // the first row that is needed after this step
	for i, f := range m.op.node.frames {
		c := &m.op.cursors[i]
		low, high := c.low[m.key], c.high[m.key]
		if m.startsApart() {
			low, high = cursor{at: m.first}, cursor{at: m.first}
		}
		if !f.lags() {
			high = cursor{at: m.first}
		}
		m.move(f, &m.moves[i], &low, &high)
		if m.onTrial {
			continue
		}
		c.low[key], c.high[key] = low, high
		switch {
		case f.start != fromStart:
			keep = earlier(keep, low.at)
		case f.lags():
			keep = earlier(keep, high.at)
		}
	}
	if m.onTrial {
		return
	}
	rows.release(key, keep)
	rows.count[key] = end
	if keep != end {
		m.keep(keep, end)
	}
}

// noPartition is a partition that there is never: its frames are empty.
const noPartition = 1<<32 - 1

// startsApart tells whether the partition at hand begins anew.
func (m *frameMoves) startsApart() bool { return m.apart != nil && m.apart[m.batch[0]] }

// earlier is the earlier of two numbers of rows.
func earlier(a, b uint32) uint32 {
	if int32(a-b) < 0 {
		return a
	}
	return b
}

// findPeers finds the peers of each row of the partition at hand, where a frame goes by them: they all come in one step.
func (m *frameMoves) findPeers() {
	m.peersFrom, m.peersTo = m.peersFrom[:0], m.peersTo[:0]
	for from := 0; from < len(m.batch); {
		to := from + 1
		for to < len(m.batch) && m.times[m.batch[to]] == m.times[m.batch[from]] &&
			(m.order.apart == nil || m.order.apart(m.batch[to], m.batch[from]) == 0) {
			to++
		}
		for range to - from {
			m.peersFrom, m.peersTo = append(m.peersFrom, int32(from)), append(m.peersTo, int32(to))
		}
		from = to
	}
}

// move moves one frame row by row.
func (m *frameMoves) move(f frame, out *frameMove, low, high *cursor) {
	end := m.first + uint32(len(m.batch))
	for i, row := range m.batch {
		at, time := m.first+uint32(i), m.times[row]
		switch f.end {
		case byTime:
			for high.at != end && m.time(*high) <= saturated(time, -f.behind) {
				out.added = append(out.added, m.number(*high))
				m.advance(high)
			}
		default:
			to := at + 1 - uint32(f.behind)
			if f.end == byPeers {
				to = m.first + uint32(m.peersTo[i])
			}
			for int32(to-high.at) > 0 {
				out.added = append(out.added, m.number(*high))
				m.advance(high)
			}
		}
		for low.at != high.at && m.before(f, low, i, at, time) {
			out.removed = append(out.removed, m.number(*low))
			m.advance(low)
		}
		out.addedTo, out.removedTo = append(out.addedTo, int32(len(out.added))), append(out.removedTo, int32(len(out.removed)))
		if !f.first {
			continue
		}
		first := int32(-1)
		if low.at != high.at && (!f.whole || at-low.at == uint32(f.before)) {
			first = m.number(*low)
		}
		out.firsts = append(out.firsts, first)
	}
}

// before reports whether a row lies before the frame of row i of the partition at hand.
func (m *frameMoves) before(f frame, low *cursor, i int, at uint32, time int64) bool {
	switch f.start {
	case byTime:
		return m.time(*low) < saturated(time, -f.before)
	case byRows:
		return int64(at-low.at) > f.before
	case byPeers:
		return int32(low.at-m.first) < m.peersFrom[i]
	default:
		return false
	}
}

// inStep reports whether a cursor is at a row of the step, and which.
func (m *frameMoves) inStep(c cursor) (at int, ok bool) {
	d := int32(c.at - m.first)
	return int(d), d >= 0
}

func (m *frameMoves) time(c cursor) int64 {
	if at, ok := m.inStep(c); ok {
		return m.times[m.batch[at]]
	}
	return m.op.rows.times[c.slot-1]
}

// number is the number of the row at a cursor.
func (m *frameMoves) number(c cursor) int32 {
	if at, ok := m.inStep(c); ok {
		return m.batch[at]
	}
	m.touched = append(m.touched, c.slot-1)
	return int32(m.rows + len(m.touched) - 1)
}

func (m *frameMoves) advance(c *cursor) {
	if c.slot != 0 {
		c.slot = m.op.rows.next[c.slot-1]
	}
	c.at++
}

// keep stores the rows of the partition at hand from a number on, as far as they belong to the step.
func (m *frameMoves) keep(from, end uint32) {
	rows := m.op.rows
	if int32(from-m.first) < 0 {
		from = m.first
	}
	for at := from; at != end; at++ {
		row := m.batch[at-m.first]
		slot := rows.take(m.key, at, m.times[row])
		m.kept, m.slots = append(m.kept, row), append(m.slots, slot)
		for i := range m.op.cursors {
			c := &m.op.cursors[i]
			if c.low[m.key].at == at {
				c.low[m.key].slot = slot + 1
			}
			if c.high[m.key].at == at {
				c.high[m.key].slot = slot + 1
			}
		}
	}
	if o := m.op; o.node.reach.timeOnly() && !o.watched[m.key] {
		o.watched[m.key] = true
		o.silent.add(rows.lastTime(m.key), m.key)
	}
}

// results computes the calls after the moves, and keeps of the rows what later frames need.
func (o *slideOp) results(due *Delta, m *frameMoves) ([]arrow.Array, error) {
	values := make([]arrow.Array, len(o.node.args)) // of the rows of the step and of those touched
	for i := range o.node.args {
		a := &o.node.args[i]
		fresh, err := a.eval(due)
		if err != nil {
			return nil, err
		}
		values[i] = fresh
		if a.kept && len(m.touched) > 0 {
			if values[i], err = kernel.Concat([]arrow.Array{fresh, o.rows.vectors[i].gather(m.touched)}); err != nil {
				return nil, err
			}
		}
	}
	if m.onTrial {
		m.fork(o.rollers)
	} else {
		o.settle(m, values)
	}
	out := make([]arrow.Array, len(o.node.calls))
	for i, c := range o.node.calls {
		var err error
		switch {
		case c.first:
			out[i], err = m.firstValues(c, values)
		case c.carry != noCarry:
			out[i], err = o.carried[i].results(m, &m.moves[c.frame], values[c.arg])
		case c.rank != noRank:
			out[i], err = m.ranks(c, m.rollers[i])
		default:
			out[i], err = m.roll(c, m.rollers[i], values)
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// settle keeps the arguments of rows that later frames can reach, and drops those of others.
func (o *slideOp) settle(m *frameMoves, values []arrow.Array) {
	o.rows.settle()
	for i, a := range o.node.args {
		if a.kept && len(m.kept) > 0 {
			o.rows.vectors[i].put(m.slots, values[i], m.kept)
		}
	}
}

// roll computes an aggregate after the moves of its frame.
func (m *frameMoves) roll(c slideCall, r kernel.Roller, values []arrow.Array) (arrow.Array, error) {
	var args []kernel.Operand
	if c.arg >= 0 {
		args = []kernel.Operand{{Array: values[c.arg]}}
	}
	return m.counted(c, r, args)
}

// counted moves the frame of a call over arguments.
func (m *frameMoves) counted(c slideCall, r kernel.Roller, args []kernel.Operand) (arrow.Array, error) {
	rows := 0
	if len(args) > 0 {
		rows = args[0].Array.Len()
	}
	f := &m.moves[c.frame]
	keys, count := m.keys, m.op.keys.slots()
	if m.onTrial {
		keys, count = m.rolled, len(m.trial)
	}
	return r.Roll(kernel.Moves{
		Keys: keys, Count: count, Place: m.place, Added: f.added, AddedTo: f.addedTo, Removed: f.removed, RemovedTo: f.removedTo,
	}, args, rows)
}

// firstValues are the values in the first rows of a frame.
func (m *frameMoves) firstValues(c slideCall, values []arrow.Array) (arrow.Array, error) {
	found := make([]int32, m.rows)
	for i, first := range m.moves[c.frame].firsts {
		found[m.place[i]] = first
	}
	from := values[c.arg]
	if c.instead >= 0 {
		both, err := kernel.Concat([]arrow.Array{from, values[c.instead]})
		if err != nil {
			return nil, err
		}
		for row, first := range found {
			if first < 0 {
				found[row] = int32(from.Len() + row)
			}
		}
		from = both
	}
	return kernel.TakeOrNull(from, found), nil
}
