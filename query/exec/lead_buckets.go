package exec

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// maxLedBuckets is how many groups may be wanted where a scan is told of those that are: each worker keeps the values of as many.
const maxLedBuckets = 4096

// bucketLead lets the scan below an aggregate know which groups are among those that a sort above keeps: once there are as many different
// values of the sort's first key as it wants rows, no row counts whose time comes before all of these. What was grouped of such rows
// is incomplete then, and among what the sort leaves out. Only the descending order is followed: buckets begin before their rows.
type bucketLead struct {
	lead  *lead
	group int // the sort's first key, by index into the aggregate's groups
	rows  int // that the sort keeps
}

// led follows the order of a group's column, where only projections stand between the sort and the groups: rows counts groups, of which a
// condition above would leave out some. The scan is not led by the sort itself, which sees rows when everything has been read.
func (o *aggregateOp) led(at leadColumns, l *lead) bool { //nolint:unparam // no scan below follows the lead given
	if l.rows <= 0 || l.rows > maxLedBuckets || !l.descending || o.node.Sets != nil || at.order >= len(o.node.Groups) {
		return false
	}
	ref := timeBehind(o.node.Groups[at.order], true)
	if ref == nil {
		return false
	}
	below := &lead{descending: true, rows: l.rows}
	if led(o.input, leadColumns{order: ref.Index, group: -1}, below) {
		o.buckets = &bucketLead{lead: below, group: at.order, rows: int(l.rows)}
	}
	return false
}

// timeBehind is the column that an expression is, or for a descending order the one whose values it rounds down; nil for other expressions. With a
// time zone, the beginning of a bucket may be an hour that comes twice, and lie behind its rows.
func timeBehind(e plan.Expr, descending bool) *plan.ColumnRef {
	if ref, ok := e.(*plan.ColumnRef); ok {
		return ref
	}
	c, ok := e.(*plan.Call)
	if !ok || !descending || c.Fn.Result.Kind != event.TimestampTZ {
		return nil
	}
	switch {
	case c.Fn.Name == "date_trunc" && len(c.Args) == 2:
	case c.Fn.Name == "time_bucket" && (len(c.Args) == 2 || c.Fn.Args[2].Kind == event.TimestampTZ):
	default:
		return nil
	}
	for i, arg := range c.Args {
		if _, constant := arg.(*plan.Literal); i != 1 && !constant {
			return nil
		}
	}
	ref, _ := c.Args[1].(*plan.ColumnRef)
	return ref
}

// latestBuckets are the latest values of a key that one worker has met, in ascending order: as many as are wanted, at most.
type latestBuckets struct{ values []int64 }

// take looks at the keys of a batch and tells the scan what is wanted still.
func (b *latestBuckets) take(l *bucketLead, column arrow.Array) {
	if id := column.DataType().ID(); id != arrow.INT64 && id != arrow.TIMESTAMP {
		return
	}
	values := arrow.GetValues[int64](column.Data(), 1)
	changed := false
	for row, v := range values {
		if row > 0 && v == values[row-1] || len(b.values) == l.rows && v <= b.values[0] || !column.IsValid(row) {
			continue
		}
		at, known := slices.BinarySearch(b.values, v)
		if known {
			continue
		}
		b.values, changed = slices.Insert(b.values, at, v), true
		if len(b.values) > l.rows {
			b.values = slices.Delete(b.values, 0, 1)
		}
	}
	if changed && len(b.values) == l.rows {
		l.lead.reach(b.values[0])
	}
}
