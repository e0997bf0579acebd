package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// rankKind says how a call numbers peers: by the number of the first of them, or by their group's.
type rankKind uint8

const (
	noRank rankKind = iota
	rankByRow
	rankByGroup
)

// ranks numbers peers, which all come in one step: the rows of a partition are counted, or the first of each group alone.
func (m *frameMoves) ranks(c slideCall, r kernel.Roller) (arrow.Array, error) {
	if c.rank == rankByGroup {
		firsts := event.NewBitmap(m.rows)
		for i, first := range m.peers {
			if int(first) == i {
				firsts.Set(int(m.place[i]))
			}
		}
		return m.counted(c, r, []kernel.Operand{{Array: event.NewBooleans(firsts, m.rows, firsts)}})
	}
	numbers, err := m.counted(c, r, nil)
	if err != nil {
		return nil, err
	}
	of := make([]int32, m.rows)
	for i, first := range m.peers {
		of[m.place[i]] = m.place[first]
	}
	return kernel.Take(numbers, of), nil
}
