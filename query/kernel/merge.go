package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// merge puts a column together from pieces computed for some of its rows each. Every row must be given exactly once.
type merge struct {
	pieces []arrow.Array
	// index says where each row stands in the pieces laid end to end.
	index []int32
	next  int32
}

func newMerge(rows int) *merge { return &merge{index: make([]int32, rows)} }

// add gives the values of rows, in that order.
func (m *merge) add(value Operand, rows []int32) {
	for i, row := range rows {
		if value.Const {
			m.index[row] = m.next
		} else {
			m.index[row] = m.next + int32(i)
		}
	}
	m.append(value)
}

// append lays a piece at the end without saying which rows it is for.
func (m *merge) append(value Operand) {
	piece := value.Array
	if value.Const && isText(piece) {
		// One value as a dictionary keeps the pieces beside it from being decoded.
		piece = repeatText(piece, 1)
	}
	m.pieces = append(m.pieces, piece)
	m.next += int32(piece.Len())
}

// finish gathers the rows.
func (m *merge) finish(t event.Type) (Operand, error) {
	if len(m.pieces) == 0 {
		return Operand{Array: event.NewNulls(t, 0)}, nil
	}
	all, err := Concat(m.pieces)
	if err != nil {
		return Operand{}, err
	}
	return Operand{Array: Take(all, m.index)}, nil
}
