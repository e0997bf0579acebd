package ast

import "github.com/tidemarkdb/tidemark/event"

// Fill is FILL (...): what stands in buckets of time without rows. Mode is NULL, PREV, LINEAR or, with a Value, empty.
type Fill struct {
	Pos   event.Position
	Mode  string
	Value Expr
}

// String prints the clause.
func (f *Fill) String() string {
	if f.Value != nil {
		return "FILL (" + f.Value.String() + ")"
	}
	return "FILL (" + f.Mode + ")"
}
