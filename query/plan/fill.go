package plan

import (
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// Fill adds rows to the result of a grouping by buckets of time, so that every combination of the other groups has one for each
// bucket. Its rows come by time, and within a bucket in the order in which the combinations first appear; rows without a time come last.
type Fill struct {
	Input Node
	// Time is the input's column of buckets, a TIMESTAMPTZ.
	Time int
	// Next gives the bucket that follows one: an expression over a single column, the bucket.
	Next Expr
	// Low and High are constants, the first and the last bucket; nil stands for the first or last that there is in the input.
	Low, High Expr
	// By are the input's columns that are groups besides Time. All others are filled.
	By []int
	// Modes has one for each column of the input, which Time and By do not go by, and Values, nil or as long, the constants of FillConstant.
	Modes  []FillMode
	Values []*Literal
}

// FillMode is what a row that was added has.
type FillMode uint8

// The modes of Fill.
const (
	FillNull     FillMode = iota
	FillPrevious          // the latest value before that is not NULL
	FillLinear            // what lies on the straight line between the values before and after; numbers and times only
	FillConstant
	FillPreviousOrNull // as FillPrevious, and rows that were there and are NULL have that as well
)

func (*Fill) node() {}

// Columns are the input's.
func (n *Fill) Columns() []Column { return n.Input.Columns() }

// Inputs is the node whose rows are completed.
func (n *Fill) Inputs() []Node { return []Node{n.Input} }

func (n *Fill) over(inputs []Node) Node {
	out := *n
	out.Input = inputs[0]
	return &out
}

// Linear reports whether values of a type lie on lines.
func Linear(t event.Type) bool {
	switch t.Kind {
	case event.SmallInt, event.Integer, event.BigInt, event.Real, event.Double, event.TimestampTZ:
		return true
	default:
		return false
	}
}

func describeFill(n *Fill) string {
	columns := n.Columns()
	out := "Fill " + columns[n.Time].Name
	for i, at := range n.By {
		if i == 0 {
			out += " by=["
		} else {
			out += ", "
		}
		out += columns[at].Name
	}
	if len(n.By) > 0 {
		out += "]"
	}
	if n.Low != nil {
		out += " from=" + n.Low.String()
	}
	if n.High != nil {
		out += " to=" + n.High.String()
	}
	return out + " with=" + n.modeText()
}

// modeText is what stands for all columns that are filled, or a list of what stands for each.
func (n *Fill) modeText() string {
	var texts []string
	for i, m := range n.Modes {
		if i == n.Time || slices.Contains(n.By, i) {
			continue
		}
		switch m {
		case FillPrevious:
			texts = append(texts, "PREV")
		case FillPreviousOrNull:
			texts = append(texts, "PREV, NULLS")
		case FillLinear:
			texts = append(texts, "LINEAR")
		case FillConstant:
			texts = append(texts, n.Values[i].String())
		default:
			texts = append(texts, "NULL")
		}
	}
	switch compact := slices.Compact(slices.Clone(texts)); len(compact) {
	case 0:
		return "NULL"
	case 1:
		return compact[0]
	default:
		return "[" + strings.Join(texts, ", ") + "]"
	}
}
