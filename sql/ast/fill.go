package ast

import "github.com/tidemarkdb/tidemark/event"

// Fill is FILL (...): what stands in buckets of time without rows, once for all aggregates or for each column of the result that has one.
type Fill struct {
	Pos    event.Position
	Values []FillValue
	// From and To, if not nil, bound the buckets instead of WHERE; To is the first moment that needs none. Only time_bucket_gapfill says so.
	From, To Expr
}

// FillValue is one value of FILL. Mode is NULL, PREV, LINEAR or, with a Value, empty.
type FillValue struct {
	Mode  string
	Value Expr
}

// String prints the clause.
func (f *Fill) String() string { return "FILL (" + list(f.Values) + ")" }

// String prints the value.
func (v FillValue) String() string {
	if v.Value != nil {
		return v.Value.String()
	}
	return v.Mode
}

// Sample is SAMPLE BY width, of event time from From to before To if those are not nil. Buckets begin at those of the calendar in Zone,
// Offset later; both are nil where not given. With First they begin at the first row. Without a Width there is nothing but what it would
// be aligned to.
type Sample struct {
	Pos                           event.Position
	Width, From, To, Zone, Offset Expr
	First                         bool
}

// String prints the clause; FILL stands before what it is aligned to, which goes without saying there.
func (s *Sample) String() string {
	if s.Width == nil {
		return "ALIGN TO CALENDAR"
	}
	out := "SAMPLE BY " + s.Width.String()
	if s.From != nil {
		out += " FROM " + s.From.String()
	}
	if s.To != nil {
		out += " TO " + s.To.String()
	}
	return out
}

// aligned prints what the buckets are aligned to.
func (s *Sample) aligned() string {
	out := ""
	if s.First {
		return " ALIGN TO FIRST OBSERVATION"
	}
	if s.Zone != nil || s.Offset != nil {
		out = " ALIGN TO CALENDAR"
	}
	if s.Zone != nil {
		out += " TIME ZONE " + s.Zone.String()
	}
	if s.Offset != nil {
		out += " WITH OFFSET " + s.Offset.String()
	}
	return out
}
