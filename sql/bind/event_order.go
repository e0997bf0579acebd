package bind

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// eventOrder is the order of a stream's events: by event time, partition and offset. It is nil for other tables, whose rows come as
// they come.
func (s *scope) eventOrder(descending bool) []plan.SortKey {
	var keys []plan.SortKey
	for _, i := range s.events {
		keys = append(keys, plan.SortKey{Expr: s.ref(i), Descending: descending})
	}
	return keys
}

// eventTime is a stream's column of event time; nil for other tables.
func (s *scope) eventTime() *plan.ColumnRef {
	if len(s.events) == 0 {
		return nil
	}
	return s.ref(s.events[0])
}

// timeline is the time that events come in the order of: a stream's, or that of a view which passes on the events of one; nil elsewhere.
func (s *scope) timeline() *plan.ColumnRef {
	if s.versions > 0 && len(s.events) == 0 {
		return s.ref(s.versions - 1)
	}
	return s.eventTime()
}

// withTies completes keys by those of ties that are not among them already.
func withTies(keys, ties []plan.SortKey) []plan.SortKey {
	for _, tie := range ties {
		if !slices.ContainsFunc(keys, func(k plan.SortKey) bool { return sameExpr(k.Expr, tie.Expr) }) {
			keys = append(keys, tie)
		}
	}
	return keys
}

// eventColumns finds the columns of eventOrder in a stream's.
func eventColumns(schema *event.Schema) []int {
	time := schema.TimeColumn
	if time == 0 {
		time = event.FieldIngestedAt
	}
	var found []int
	all := schema.All()
	for _, id := range []event.FieldID{time, event.FieldPartition, event.FieldOffset} {
		for i, c := range all {
			if c.ID == id {
				found = append(found, i)
			}
		}
	}
	return found
}
