package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerFirst(all map[string]func() Accumulator) {
	for name, last := range map[string]bool{"first": false, "last": true, "any_value": false} {
		for _, f := range plan.Functions[name] {
			all[f.Signature()] = func() Accumulator { return &firstAccumulator{last: last} }
		}
	}
}

// firstAccumulator keeps the first or the last value of each group that is not NULL, in the order in which rows come. Values lie
// in pieces, one for each batch that had any to keep; they are laid together again when most of them have been replaced.
type firstAccumulator struct {
	typ    event.Type
	last   bool
	places []int32 // by group: where the value lies in the pieces laid end to end; -1 where there is none
	pieces []arrow.Array
	held   int // values in pieces
	size   int64
}

func (a *firstAccumulator) of(f *plan.Function) { a.typ = f.Result }

func (a *firstAccumulator) Update(groups Groups, args []Operand, rows int) error {
	a.places = grown(a.places, groups.Count, -1)
	return a.add(args[0], rows, func(i int) uint32 { return groupOf(groups, i) })
}

// add takes the values that are wanted.
func (a *firstAccumulator) add(o Operand, rows int, group func(i int) uint32) error {
	valid := o.validity(rows)
	mask := o.mask()
	start := int32(a.held)
	var kept []int32
	for i := range rows {
		if !valid.Valid(i) {
			continue
		}
		place := &a.places[group(i)]
		switch {
		case *place < 0, a.last && *place < start:
			*place = start + int32(len(kept))
			kept = append(kept, int32(i&mask))
		case a.last:
			kept[*place-start] = int32(i & mask)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	piece := Decode(Take(o.Array, kept))
	a.pieces = append(a.pieces, piece)
	a.held += len(kept)
	a.size += int64(piece.Data().SizeInBytes())
	const few = 4 << 10 // values that are cheaper to hold than to move
	if a.held > 2*len(a.places)+few {
		return a.compact()
	}
	return nil
}

// compact throws away the values that were replaced.
func (a *firstAccumulator) compact() error {
	var kept []int32
	for g, place := range a.places {
		if place >= 0 {
			a.places[g] = int32(len(kept))
			kept = append(kept, place)
		}
	}
	whole, err := Concat(a.pieces)
	if err != nil {
		return err
	}
	whole = Decode(Take(whole, kept))
	a.pieces, a.held, a.size = []arrow.Array{whole}, len(kept), int64(whole.Data().SizeInBytes())
	return nil
}

func (a *firstAccumulator) Merge(other Accumulator, mapping []uint32, count int) error {
	a.places = grown(a.places, count, -1)
	o := other.(*firstAccumulator)
	if o.held == 0 {
		return nil
	}
	if err := o.compact(); err != nil {
		return err
	}
	targets := make([]uint32, 0, o.held)
	for g, place := range o.places {
		if place >= 0 {
			targets = append(targets, mapping[g])
		}
	}
	return a.add(Operand{Array: o.pieces[0]}, o.held, func(i int) uint32 { return targets[i] })
}

// State is the values themselves.
func (a *firstAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	a.places = grown(a.places, reach(groups), -1)
	if a.held == 0 {
		return []arrow.Array{event.NewNulls(a.typ, len(groups))}, nil
	}
	whole, err := Concat(a.pieces)
	if err != nil {
		return nil, err
	}
	a.pieces = []arrow.Array{whole}
	rows, valid := make([]int32, len(groups)), event.NewBitmap(len(groups))
	for i, g := range groups {
		if place := a.places[g]; place >= 0 {
			rows[i] = place
			valid.Set(i)
		}
	}
	return []arrow.Array{Decode(gather(whole, rows, valid))}, nil
}

func (a *firstAccumulator) Restore(state []arrow.Array) error {
	if err := CheckState(state, a.typ.Arrow()); err != nil {
		return err
	}
	rows := state[0].Len()
	a.places = grown(a.places, rows, -1)
	return a.add(Operand{Array: state[0]}, rows, func(i int) uint32 { return uint32(i) })
}

func (a *firstAccumulator) Result(groups int) (arrow.Array, error) {
	a.places = grown(a.places, groups, -1)
	if a.held == 0 {
		return event.NewNulls(a.typ, groups), nil
	}
	whole, err := Concat(a.pieces)
	if err != nil {
		return nil, err
	}
	rows, valid := make([]int32, groups), event.NewBitmap(groups)
	for g, place := range a.places[:groups] {
		if place >= 0 {
			rows[g] = place
			valid.Set(g)
		}
	}
	return Decode(gather(whole, rows, valid)), nil
}

func (a *firstAccumulator) Bytes() int64 { return sizeOf(a.places) + a.size }
