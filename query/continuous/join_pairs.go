package continuous

import (
	"context"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// pairGaps are the conditions on how far times are apart, over the rows that both sides hold.
type pairGaps []pairGap

type pairGap struct {
	timeGap
	lefts, rights *fixedVector[int64]
}

func (o *joinOp) gaps() pairGaps {
	out := make(pairGaps, len(o.node.near))
	for i, g := range o.node.near {
		out[i] = pairGap{
			g, o.sides[leftSide].rows.vectors[g.left].(*fixedVector[int64]), o.sides[rightSide].rows.vectors[g.right].(*fixedVector[int64]),
		}
	}
	return out
}

// hold reports whether a pair meets the conditions. A time that is NULL meets none.
func (p pairGaps) hold(left, right uint32) bool {
	for i := range p {
		g := &p[i]
		if g.lefts.null.at(left) || g.rights.null.at(right) {
			return false
		}
		apart := saturatedDifference(g.lefts.values[left], g.rights.values[right])
		if apart < g.least || apart > g.most {
			return false
		}
	}
	return true
}

// saturatedDifference is a - b, as far as it fits.
func saturatedDifference(a, b int64) int64 {
	d := a - b
	switch {
	case b < 0 && d < a:
		return math.MaxInt64
	case b > 0 && d > a:
		return math.MinInt64
	default:
		return d
	}
}

// pairing collects pairs and keeps those that meet the conditions. Its lists are used again by the next step.
type pairing struct {
	op          *joinOp
	left, right []uint32
	weights     [2][]int64 // by pair: what of the left row, and of the right row, is paired
	// counts says for which side's row the pair is one more: it is not for a row that was there before the other side's was, and only
	// changed its own weight.
	counts [2][]bool
	// found are the rows of the pairs that come out, times how often; weighted says that some do so other than once.
	found    [2][]uint32
	times    []int64
	weighted bool
	out      []Delta
}

// fewPairs is how many pairs are looked at together.
const fewPairs = 16 << 10

func (p *pairing) add(ctx context.Context, rows [2]uint32, weights [2]int64, counts [2]bool) error {
	p.left, p.right = append(p.left, rows[leftSide]), append(p.right, rows[rightSide])
	for side := range weights {
		p.weights[side], p.counts[side] = append(p.weights[side], weights[side]), append(p.counts[side], counts[side])
	}
	if len(p.left) < fewPairs {
		return nil
	}
	return p.flush(ctx)
}

// flush keeps those of the collected pairs that meet the conditions.
func (p *pairing) flush(ctx context.Context) error {
	if len(p.left) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return event.Errorf(event.CodeCancelled, "the step was cancelled")
	}
	kept, err := p.meeting()
	if err != nil {
		return err
	}
	p.count(kept)
	if p.op.node.kind != plan.MarkJoin {
		p.keep(kept)
	}
	p.left, p.right = p.left[:0], p.right[:0]
	for side := range p.weights {
		p.weights[side], p.counts[side] = p.weights[side][:0], p.counts[side][:0]
	}
	return nil
}

// meeting lists the collected pairs that meet the conditions that have to be computed.
func (p *pairing) meeting() ([]int32, error) {
	if len(p.op.node.rest) == 0 {
		return upTo32(len(p.left)), nil
	}
	columns := make([]arrow.Array, 0, len(p.op.node.reads))
	for side, rows := range [2][]uint32{p.left, p.right} {
		for _, v := range p.op.sides[side].rows.vectors {
			var column arrow.Array
			if p.op.node.reads[len(columns)] {
				column = v.gather(rows)
			}
			columns = append(columns, column)
		}
	}
	return kernel.Filter(steady, p.op.node.rest, columns, len(p.left))
}

// keep notes pairs that come out, each as often as both of its rows come.
func (p *pairing) keep(kept []int32) {
	for _, i := range kept {
		if w := p.weights[leftSide][i] * p.weights[rightSide][i]; w != 0 {
			p.found[leftSide], p.found[rightSide] = append(p.found[leftSide], p.left[i]), append(p.found[rightSide], p.right[i])
			p.times, p.weighted = append(p.times, w), p.weighted || w != 1
		}
	}
}

// emit gives the pairs that came out of a step.
func (p *pairing) emit() {
	if len(p.times) == 0 {
		return
	}
	out := Delta{Rows: len(p.times)}
	if p.weighted {
		out.Weights = slices.Clone(p.times)
	}
	for side, s := range p.op.sides {
		out.Columns = append(out.Columns, s.rows.vectorsOf(p.found[side])...)
		p.found[side] = reusable(p.found[side])
	}
	p.times, p.weighted = reusable(p.times), false
	p.out = append(p.out, out)
}

// reusable is a list without its elements, for the next step; one that has grown beyond what steps usually need is let go of.
func reusable[T any](list []T) []T {
	if cap(list) > 16*fewPairs {
		return nil
	}
	return list[:0]
}

// count adds pairs to what the rows of both sides are paired with: a row counts the weights of the others as they are after the step.
func (p *pairing) count(kept []int32) {
	for _, i := range kept {
		rows := [2]uint32{p.left[i], p.right[i]}
		for side, s := range p.op.sides {
			if s.pads && p.counts[side][i] {
				s.note(rows[side], s.rows.weights[rows[side]])
				s.pairs[rows[side]] += p.weights[1-side][i]
			}
		}
	}
}

func (p *pairing) bytes() int64 {
	total := 4*(cap(p.left)+cap(p.right)) + 8*cap(p.times)
	for side := range p.found {
		total += 4*cap(p.found[side]) + 8*cap(p.weights[side]) + cap(p.counts[side])
	}
	return int64(total)
}
