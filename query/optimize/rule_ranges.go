package optimize

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// addRanges derives from a scan's filter what lets the source leave out data unread. Conditions on now() are left to the start
// of the query.
func addRanges(n plan.Node) (plan.Node, error) {
	return bottomUp(n, func(n plan.Node) (plan.Node, error) {
		s, ok := n.(*plan.Scan)
		if !ok {
			return n, nil
		}
		out := *s
		out.Ranges = Ranges(s, nil)
		return &out, nil
	})
}

// Ranges are the ranges that follow from the scan's filter, at most one for each column, besides those it has. With a context
// they include what follows from conditions on now(). They may be wider than the filter: a strict bound counts as inclusive.
func Ranges(s *plan.Scan, ctx *kernel.Context) []plan.Range {
	found := &rangeSet{scan: s, bounds: append([]plan.Range(nil), s.Ranges...)}
	for _, e := range s.Filter {
		if c, ok := e.(*plan.Call); ok && len(c.Args) == 2 {
			found.addComparison(c, ctx)
			found.addMembership(c, ctx)
		}
	}
	return found.usable()
}

// rangeSet collects bounds, in the order in which their columns appear.
type rangeSet struct {
	scan   *plan.Scan
	bounds []plan.Range
}

// maxMembers is how many values are told to the source one by one: more are hardly ever all absent.
const maxMembers = 1000

// addMembership looks at x = a OR x = b ..., which is what x IN (a, b, ...) becomes.
func (s *rangeSet) addMembership(c *plan.Call, ctx *kernel.Context) {
	if c.Fn.Name != "or" {
		return
	}
	var field event.FieldID
	var values []arrow.Array
	var typ event.Type
	for rest := []*plan.Call{c}; len(rest) > 0; {
		next := rest[len(rest)-1]
		rest = rest[:len(rest)-1]
		if next.Fn.Name == "or" {
			for _, arg := range next.Args {
				call, ok := arg.(*plan.Call)
				if !ok {
					return
				}
				rest = append(rest, call)
			}
			continue
		}
		ref, value := s.equality(next, ctx)
		if value == nil || (len(values) > 0 && field != s.scan.Fields[ref.Index]) || len(values) == maxMembers {
			return
		}
		field, typ, values = s.scan.Fields[ref.Index], ref.Typ, append(values, value)
	}
	low, high := values[0], values[0]
	for _, v := range values[1:] {
		if kernel.Compare(v, 0, low, 0, typ) < 0 {
			low = v
		}
		if kernel.Compare(v, 0, high, 0, typ) > 0 {
			high = v
		}
	}
	s.narrow(field, typ, low, high)
	s.of(field).Values = values
}

// equality takes column = constant apart; value is nil for anything else.
func (s *rangeSet) equality(c *plan.Call, ctx *kernel.Context) (column *plan.ColumnRef, value arrow.Array) {
	if c.Fn.Name != "=" || len(c.Args) != 2 {
		return nil, nil
	}
	for i := range c.Args {
		ref, ok := c.Args[i].(*plan.ColumnRef)
		if other := c.Args[1-i]; ok && s.ranged(ref) && ref.Typ.Equal(other.Type()) {
			return ref, constantValue(other, ctx)
		}
	}
	return nil, nil
}

// ranged reports that there may be ranges of a column: members have none, whose bounds no source knows.
func (s *rangeSet) ranged(ref *plan.ColumnRef) bool {
	return hasRanges(ref.Typ) && ref.Index < len(s.scan.Fields)
}

// narrow raises the lower bound of a column and lowers the upper one; nil leaves one as it is.
func (s *rangeSet) narrow(field event.FieldID, t event.Type, low, high arrow.Array) {
	r := s.of(field)
	if low != nil && (r.Low == nil || kernel.Compare(low, 0, r.Low, 0, t) > 0) {
		r.Low = low
	}
	if high != nil && (r.High == nil || kernel.Compare(high, 0, r.High, 0, t) < 0) {
		r.High = high
	}
}

// mirrored is each comparison with its sides exchanged.
var mirrored = map[string]string{"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}

func (s *rangeSet) addComparison(c *plan.Call, ctx *kernel.Context) {
	op := c.Fn.Name
	if _, ok := mirrored[op]; !ok {
		return
	}
	column, value := c.Args[0], c.Args[1]
	if _, ok := column.(*plan.ColumnRef); !ok {
		column, value, op = value, column, mirrored[op]
	}
	ref, ok := column.(*plan.ColumnRef)
	if !ok || !s.ranged(ref) || !ref.Typ.Equal(value.Type()) {
		return
	}
	bound := constantValue(value, ctx)
	if bound == nil {
		return
	}
	low, high := bound, bound
	switch op {
	case "<", "<=":
		low = nil
	case ">", ">=":
		high = nil
	}
	s.narrow(s.scan.Fields[ref.Index], ref.Typ, low, high)
}

// of is the range of a column, a new one if it has none.
func (s *rangeSet) of(field event.FieldID) *plan.Range {
	for i := range s.bounds {
		if s.bounds[i].Field == field {
			return &s.bounds[i]
		}
	}
	s.bounds = append(s.bounds, plan.Range{Field: field})
	return &s.bounds[len(s.bounds)-1]
}

// usable leaves out lower bounds alone on doubles: NaN is above all numbers and so matches, but the statistics that ranges are
// held against know nothing of NaN.
func (s *rangeSet) usable() []plan.Range {
	var out []plan.Range
	for _, r := range s.bounds {
		bound := r.Low
		if bound == nil {
			bound = r.High
		}
		if r.High == nil && (bound.DataType().ID() == arrow.FLOAT64 || bound.DataType().ID() == arrow.FLOAT32) {
			continue
		}
		out = append(out, r)
	}
	return out
}

// hasRanges names the types whose order in statistics is the order of their comparison.
func hasRanges(t event.Type) bool {
	switch t.Kind {
	case event.BigInt, event.Double, event.Text, event.TimestampTZ,
		event.SmallInt, event.Integer, event.Real, event.Numeric, event.Date, event.UUID:
		return true
	default:
		return false
	}
}

// constantValue is the value of an expression without columns, as an array of one; nil where it has columns, is NULL or NaN, fails,
// or needs now() while there is no context.
func constantValue(e plan.Expr, ctx *kernel.Context) arrow.Array {
	constant := true
	plan.Walk(e, func(e plan.Expr) {
		switch e := e.(type) {
		case *plan.ColumnRef:
			constant = false
		case *plan.Call:
			constant = constant && !e.Fn.Volatile && (ctx != nil || !e.Fn.Stable)
		}
	})
	if !constant {
		return nil
	}
	if ctx == nil {
		ctx = &kernel.Context{}
	}
	value, err := kernel.EvalConst(e, ctx)
	if err != nil || value.DataType().ID() == arrow.NULL || value.IsNull(0) {
		return nil
	}
	if d, ok := value.(*array.Float64); ok && math.IsNaN(d.Value(0)) {
		return nil
	}
	if r, ok := value.(*array.Float32); ok && math.IsNaN(float64(r.Value(0))) {
		return nil
	}
	return value
}
