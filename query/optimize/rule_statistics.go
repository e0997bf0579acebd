package optimize

import (
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// useStatistics marks groupings into one row whose calls can be answered from what is known of segments without reading them: how many
// rows they have, how many of a column are NULL, and the least and the greatest value of one. Segments of which some condition of the
// scan is not known to hold for every row are read, as is what is not sealed.
func useStatistics(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		a, ok := n.(*plan.Aggregate)
		if !ok || len(a.Groups) > 0 || len(a.Sets) > 0 || len(a.Aggregates) == 0 {
			return n, nil
		}
		scan, ok := a.Input.(*plan.Scan)
		if !ok {
			return n, nil
		}
		for i := range a.Aggregates {
			if !knownByStatistics(&a.Aggregates[i], len(scan.Fields)) {
				return n, nil
			}
		}
		out := *a
		out.Statistics = true
		return &out, nil
	})
}

// knownByStatistics reports whether statistics can answer a call. Bounds of texts are cut and those of doubles know no NaN, so that only
// the ends of whole numbers and times are values.
// Nor are there any of members, which come behind the scan's fields.
func knownByStatistics(a *plan.Aggregation, fields int) bool {
	if a.Distinct || a.Filter != nil || len(a.Order) > 0 || len(a.Args) > 1 {
		return false
	}
	if len(a.Args) == 0 {
		return a.Fn.Name == "count"
	}
	ref, ok := a.Args[0].(*plan.ColumnRef)
	switch {
	case !ok || ref.Index >= fields:
		return false
	case a.Fn.Name == "count":
		return true
	case a.Fn.Name == "min" || a.Fn.Name == "max":
		return ref.Typ.Kind == event.BigInt || ref.Typ.Kind == event.TimestampTZ
	default:
		return false
	}
}
