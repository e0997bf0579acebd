package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// groupingMark is grouping(): the same number for all groups of a set.
type groupingMark struct{ value int64 }

func (*groupingMark) Update(kernel.Groups, []kernel.Operand, int) error { return nil }

func (*groupingMark) Merge(kernel.Accumulator, []uint32, int) error { return nil }

func (*groupingMark) State([]uint32) ([]arrow.Array, error) { return nil, nil }

func (*groupingMark) Restore([]arrow.Array) error { return nil }

func (m *groupingMark) Result(groups int) (arrow.Array, error) {
	out := make([]int64, groups)
	for i := range out {
		out[i] = m.value
	}
	return event.NewInt64s(out, nil), nil
}

func (*groupingMark) Bytes() int64 { return 0 }
