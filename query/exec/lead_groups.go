package exec

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

const (
	// maxLedGroups is how many groups a lead is kept for where it is known how many there can be: each batch looks at all of them.
	maxLedGroups = 1024
	// maxKeyedGroups is how many it is kept for where morsels may know their groups.
	maxKeyedGroups = 16 << 10
)

// groupLead lets a scan know what it need not read for an operator that keeps one first row of each group. Where it is known how many groups
// there can be, that is what comes behind the worst first row, once every group has one. Otherwise it is each morsel that has rows
// only of groups whose first rows come before all of its own: the newest row of each device stands in the newest morsels, but for
// the devices that have fallen silent. All workers share it.
type groupLead struct {
	lead  *lead
	count int // of groups that there can be; 0 where that is not known
	// tooMany groups are not followed any more.
	tooMany atomic.Bool

	mu struct {
		sync.Mutex
		table *groupTable // nil before the first group
		first []int64     // by group: the first value that some row has, if any is known
		known []bool
	}
}

// leadGroups makes the lead of an operator that keeps one row of each group, and tells the scan below it. It is nil where no morsel can be
// left out; the scan begins with the rows that may come first even then.
func leadGroups(input operator, n *plan.FirstRows) *groupLead {
	out := &groupLead{count: optimize.Combinations(n, maxLedGroups)}
	l := &lead{groups: out}
	columns := leadColumns{group: -1}
	if key, ok := n.By[0].(*plan.ColumnRef); out.count == 0 && ok && len(n.By) == 1 && hasValues(key.Typ.Kind) {
		columns.group = key.Index
	}
	l.everything = out.count == 0 && columns.group < 0
	if !l.begin(input, n.Keys, columns) || l.everything {
		return nil
	}
	out.lead = l
	return out
}

// hasValues reports whether query.Valued may know a column's values.
func hasValues(k event.Kind) bool { return k == event.BigInt || k == event.Text }

// follows reports whether what workers know of the groups is still of use.
func (l *groupLead) follows() bool { return !l.tooMany.Load() }

// settles reports that none of a morsel's rows can be the first of its group: each group that may have rows there has a row which comes before
// first, the best that the morsel has.
func (l *groupLead) settles(m query.Valued, column int, first int64) (settled bool, bytes int64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count > 0 || l.mu.table == nil || l.tooMany.Load() {
		return false, 0, nil
	}
	values, null, bytes, err := m.Values(column, l.mu.table.count())
	if err != nil || values == nil {
		return false, bytes, err
	}
	return l.ahead(values, first) && (!null || l.ahead(event.NewNulls(l.mu.table.types[0], 1), first)), bytes, nil
}

// ahead reports whether the groups of some values all have a row that comes before first. The lock is held.
func (l *groupLead) ahead(values arrow.Array, first int64) bool {
	numbers := make([]uint32, values.Len())
	l.mu.table.assign([]arrow.Array{values}, numbers) // a value that is new becomes a group without a row
	for _, n := range numbers {
		if int(n) >= len(l.mu.first) || !l.mu.known[n] || !l.lead.later(first, l.mu.first[n]) {
			return false
		}
	}
	return true
}

// groupFirsts are what one worker knows: by its group, the first value, and the group's number in groupLead.
type groupFirsts struct {
	values  []int64
	known   []bool
	numbers []uint32
}

// take looks at the groups of rows and the values of the order's first key, and says whether some group's first value has changed.
func (g *groupFirsts) take(l *lead, ids []uint32, column arrow.Array, groups int) (changed bool) {
	for len(g.values) < groups {
		g.values, g.known = append(g.values, 0), append(g.known, false)
	}
	values := arrow.GetValues[int64](column.Data(), 1)
	for row, id := range ids {
		if v := values[row]; column.IsValid(row) && (!g.known[id] || l.later(g.values[id], v)) {
			g.values[id], g.known[id], changed = v, true, true
		}
	}
	return changed
}

// reach tells what a worker knows, whose table says which groups those are.
func (l *groupLead) reach(g *groupFirsts, table *groupTable) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tooMany.Load() {
		return nil
	}
	if len(g.numbers) < table.count() {
		keys, err := table.keys()
		if err != nil {
			return err
		}
		if l.mu.table == nil {
			l.mu.table = newGroupTable(table.types)
		}
		g.numbers = make([]uint32, table.count())
		l.mu.table.assign(keys, g.numbers)
	}
	if l.count == 0 && l.mu.table.count() > maxKeyedGroups {
		l.tooMany.Store(true)
		l.mu.table, l.mu.first, l.mu.known = nil, nil, nil
		return nil
	}
	for len(l.mu.first) < l.mu.table.count() {
		l.mu.first, l.mu.known = append(l.mu.first, 0), append(l.mu.known, false)
	}
	for id, n := range g.numbers {
		if g.known[id] && (!l.mu.known[n] || l.lead.later(l.mu.first[n], g.values[id])) {
			l.mu.first[n], l.mu.known[n] = g.values[id], true
		}
	}
	if l.count == 0 || len(l.mu.first) < l.count || slices.Contains(l.mu.known, false) {
		return nil
	}
	worst := l.mu.first[0]
	for _, v := range l.mu.first[1:] {
		if l.lead.later(v, worst) {
			worst = v
		}
	}
	l.lead.reach(worst)
	return nil
}
