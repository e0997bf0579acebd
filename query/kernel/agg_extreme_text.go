package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerTextExtreme(all map[string]func() Accumulator) {
	all["min(TEXT)"] = func() Accumulator { return &textExtremeAccumulator{} }
	all["max(TEXT)"] = func() Accumulator { return &textExtremeAccumulator{max: true} }
	all["min(BYTEA)"] = func() Accumulator { return &textExtremeAccumulator{binary: true} }
	all["max(BYTEA)"] = func() Accumulator { return &textExtremeAccumulator{binary: true, max: true} }
}

// textExtremeAccumulator is min and max of text and BYTEA by bytes. Of a dictionary column each pair of group and code is compared once per batch.
type textExtremeAccumulator struct {
	binary bool // of BYTEA
	max    bool
	best   [][]byte // a copy each, whose memory is used again; nil where the group has none yet
	bytes  int64
	pairs  []uint64 // scratch: which pairs of group and code were met in this batch
}

func (a *textExtremeAccumulator) Update(groups Groups, args []Operand, rows int) error {
	a.best = grown(a.best, groups.Count, nil)
	values, valid := textsOf(args[0]), args[0].validity(rows)
	if values.codes != nil && !args[0].Const {
		entries := values.values.Len()
		if pairs := entries * groups.Count; pairs <= 8*rows {
			a.updateByCode(groups, &values, valid, rows)
			return nil
		}
	}
	for i := range rows {
		if valid.Valid(i) {
			a.add(groupOf(groups, i), values.at(i))
		}
	}
	return nil
}

func (a *textExtremeAccumulator) updateByCode(groups Groups, values *texts, valid event.Bitmap, rows int) {
	entries := values.values.Len()
	a.pairs = grown(a.pairs[:0], (entries*groups.Count+63)/64, 0)
	for i, code := range values.codes[:rows] {
		if !valid.Valid(i) {
			continue
		}
		g := groupOf(groups, i)
		pair := int(g)*entries + int(code)
		if a.pairs[pair>>6]&(1<<(pair&63)) == 0 {
			a.pairs[pair>>6] |= 1 << (pair & 63)
			a.add(g, values.values.Value(int(code)))
		}
	}
}

func groupOf(groups Groups, i int) uint32 {
	if groups.IDs == nil {
		return 0
	}
	return groups.IDs[i]
}

func (a *textExtremeAccumulator) add(g uint32, v string) {
	best := a.best[g]
	if best != nil && (v < string(best)) == a.max {
		return
	}
	if best == nil {
		best = make([]byte, 0, max(len(v), 8)) // not nil, even for the empty text
		a.bytes += int64(cap(best))
	}
	before := cap(best)
	a.best[g] = append(best[:0], v...)
	a.bytes += int64(cap(a.best[g]) - before)
}

func (a *textExtremeAccumulator) Merge(other Accumulator, mapping []uint32, count int) error {
	a.best = grown(a.best, count, nil)
	for g, v := range other.(*textExtremeAccumulator).best {
		if v != nil {
			a.add(mapping[g], string(v))
		}
	}
	return nil
}

func (a *textExtremeAccumulator) State(groups []uint32) ([]arrow.Array, error) {
	a.best = grown(a.best, reach(groups), nil)
	column, err := bytesColumn(chosen(a.best, groups))
	return []arrow.Array{column}, err
}

func (a *textExtremeAccumulator) Restore(state []arrow.Array) error {
	if err := CheckState(state, binaryState); err != nil {
		return err
	}
	a.best, a.bytes = bytesOf(state[0])
	return nil
}

func (a *textExtremeAccumulator) Result(groups int) (arrow.Array, error) {
	a.best = grown(a.best, groups, nil)
	offsets, valid := make([]int32, 1, groups+1), event.NewBitmap(groups)
	var data []byte
	for g, v := range a.best[:groups] {
		if v != nil {
			valid.Set(g)
			data = append(data, v...)
		}
		if len(data) > maxTextBytes {
			return nil, errTooMuchText()
		}
		offsets = append(offsets, int32(len(data)))
	}
	if a.binary {
		return event.NewBinaries(offsets, data, valid), nil
	}
	return event.NewStrings(offsets, data, valid), nil
}

func (a *textExtremeAccumulator) Bytes() int64 { return sizeOf(a.best) + a.bytes + sizeOf(a.pairs) }
