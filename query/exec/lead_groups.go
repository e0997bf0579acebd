package exec

import (
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
)

// maxLedGroups is how many groups a lead is kept for: each batch looks at all of them.
const maxLedGroups = 1024

// groupLead lets a lead know when every group that there can be has a row: no row behind the worst of those is kept any more. All workers
// share it.
type groupLead struct {
	lead  *lead
	count int // of groups that there can be

	mu struct {
		sync.Mutex
		table *groupTable
		first []int64 // by group: the first value that some row has, if any is known
		known []bool
	}
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
	for len(l.mu.first) < l.mu.table.count() {
		l.mu.first, l.mu.known = append(l.mu.first, 0), append(l.mu.known, false)
	}
	for id, n := range g.numbers {
		if g.known[id] && (!l.mu.known[n] || l.lead.later(l.mu.first[n], g.values[id])) {
			l.mu.first[n], l.mu.known[n] = g.values[id], true
		}
	}
	if len(l.mu.first) < l.count || slices.Contains(l.mu.known, false) {
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
