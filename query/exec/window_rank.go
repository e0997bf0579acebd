package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// ranks computes the functions that place a row within its partition.
func (w *windowRows) ranks(name string) arrow.Array {
	switch name {
	case "row_number":
		out := make([]int64, w.count)
		w.partitions(func(start, end int32) {
			rows, _ := w.before(start)
			for i := start; i < end; i++ {
				out[i] = rows + int64(i-start) + 1
			}
		})
		return event.NewInt64s(out, nil)
	case "rank", "dense_rank":
		out := make([]int64, w.count)
		w.peerRuns(func(p peerRun) {
			rows, groups := w.before(p.partStart)
			rank := rows + int64(p.start-p.partStart) + 1
			if name == "dense_rank" {
				rank = groups + int64(p.number) + 1
			}
			fill(out[p.start:p.end], rank)
		})
		return event.NewInt64s(out, nil)
	default:
		out := make([]float64, w.count)
		w.peerRuns(func(p peerRun) { fill(out[p.start:p.end], p.share(name)) })
		return event.NewFloat64s(out, nil)
	}
}

// peerRun is one group of peers within its partition.
type peerRun struct {
	start, end         int32
	partStart, partEnd int32
	number             int32 // within the partition, from 0
}

// share is percent_rank or cume_dist of the rows of p.
func (p peerRun) share(name string) float64 {
	rows := p.partEnd - p.partStart
	switch {
	case name == "cume_dist":
		return float64(p.end-p.partStart) / float64(rows)
	case rows == 1:
		return 0
	default:
		return float64(p.start-p.partStart) / float64(rows-1)
	}
}

// peerRuns calls f for each group of peers.
func (w *windowRows) peerRuns(f func(peerRun)) {
	starts, g := w.peers(), 0
	w.partitions(func(start, end int32) {
		for number := int32(0); g+1 < len(starts) && starts[g] < end; number++ {
			f(peerRun{start: starts[g], end: starts[g+1], partStart: start, partEnd: end, number: number})
			g++
		}
	})
}

func fill[T any](out []T, v T) {
	for i := range out {
		out[i] = v
	}
}

// tiles deals the rows of each partition out to as many tiles as the partition's first row asks for. Where they cannot be of equal
// size, the first ones have a row more.
func (w *windowRows) tiles(arg kernel.Operand) (arrow.Array, error) {
	counts, valid := arg.Expand(w.count).(*array.Int64), event.NewBitmap(w.count)
	out := make([]int64, w.count)
	for p := 1; p < len(w.starts); p++ {
		start, end := int(w.starts[p-1]), int(w.starts[p])
		if counts.IsNull(start) {
			continue
		}
		n := counts.Value(start)
		if n <= 0 {
			return nil, event.Errorf(event.CodeInvalidValue, "ntile of %d tiles: there must be at least one", n)
		}
		size, larger := int64(end-start)/n, int64(end-start)%n
		for i := start; i < end; i++ {
			at := int64(i - start)
			if at < larger*(size+1) {
				out[i] = at/(size+1) + 1
			} else {
				out[i] = larger + (at-larger*(size+1))/size + 1
			}
			valid.Set(i)
		}
	}
	return event.NewInt64s(out, valid), nil
}
