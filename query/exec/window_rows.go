package exec

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/plan"
)

// windowRows is all rows of a window, partition after partition and each in order.
type windowRows struct {
	run   *run
	node  *plan.Window
	count int
	// columns are those of the input, nil where nothing reads them, and keys the values of the order.
	columns, keys []arrow.Array
	// starts is where each partition starts, and the end.
	starts []int32
	// peerStarts is where each group of peers starts, and the end. It is made when first asked for.
	peerStarts []int32
	// memory is not brought below least; base is what is needed of it between calls.
	memory      *reservation
	base, least int64
	// stretch is what came before, where these are not all rows of the first partition.
	stretch *stretch
}

// hold asks for memory beyond what is needed between calls.
func (w *windowRows) hold(bytes int64) error { return w.memory.resize(max(w.least, w.base+bytes)) }

// partitions calls f with the first row of each partition and the one after its last.
func (w *windowRows) partitions(f func(start, end int32)) {
	for i := 1; i < len(w.starts); i++ {
		f(w.starts[i-1], w.starts[i])
	}
}

// peers finds the groups of peers: rows of a partition that are equal in all keys but those of ties, which are all of it where there are none.
func (w *windowRows) peers() []int32 {
	if w.peerStarts != nil {
		return w.peerStarts
	}
	by := w.node.Peers()
	if len(by) == 0 {
		w.peerStarts = w.starts
		return w.starts
	}
	compare := comparers(w.keys, by)
	w.partitions(func(start, end int32) {
		w.peerStarts = append(w.peerStarts, start)
		for i := start + 1; i < end; i++ {
			for _, c := range compare {
				if c(int(i-1), int(i)) != 0 {
					w.peerStarts = append(w.peerStarts, i)
					break
				}
			}
		}
	})
	w.peerStarts = append(w.peerStarts, int32(w.count))
	return w.peerStarts
}

// peerNumbers is the number of each row's group of peers.
func (w *windowRows) peerNumbers() []int32 {
	starts := w.peers()
	out := make([]int32, w.count)
	for g := 1; g < len(starts); g++ {
		for i := starts[g-1]; i < starts[g]; i++ {
			out[i] = int32(g - 1)
		}
	}
	return out
}
