package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// carried is the value that a call takes from the first or the last row of frames without a start, or of those rows that have one: by
// partition the latest. No row is kept for it.
type carried struct {
	values vector
	has    []bool
	// first keeps the first value of a partition, not the last, and skips passes over NULLs.
	first, skips bool
}

func newCarried(typ event.Type, c slideCall) *carried {
	return &carried{values: newVector(typ), first: c.carry == carryFirst, skips: c.skips}
}

func (k *carried) reach(keys int) {
	k.has = lengthened(k.has, keys)
	k.values.reach(keys)
}

func (k *carried) clear(keys []uint32) {
	for _, key := range keys {
		k.has[key] = false
	}
	k.values.drop(keys)
}

func (k *carried) bytes() int64 { return k.values.bytes() + int64(cap(k.has)) }

// results gives the value after each move of a frame. Rows of values are those of the step.
func (k *carried) results(m *frameMoves, f *frameMove, values arrow.Array) (arrow.Array, error) {
	var before []uint32 // partitions that have a value from earlier steps, which stands behind the others
	var keys []uint32
	var rows []int32
	found, added, current := make([]int32, m.rows), int32(0), int32(-1)
	for i, key := range m.keys {
		if i == 0 || m.keys[i-1] != key {
			if current = -1; k.has[key] {
				current = int32(values.Len() + len(before))
				before = append(before, key)
			}
		}
		for ; added < f.addedTo[i]; added++ {
			row := f.added[added]
			if (k.first && current >= 0) || (k.skips && values.IsNull(int(row))) {
				continue
			}
			current = row
		}
		found[m.place[i]] = current
		if last := i+1 == len(m.keys) || m.keys[i+1] != key; last && current >= 0 && int(current) < values.Len() {
			keys, rows = append(keys, key), append(rows, current)
		}
	}
	all := values
	if len(before) > 0 {
		var err error
		if all, err = kernel.Concat([]arrow.Array{values, k.values.gather(before)}); err != nil {
			return nil, err
		}
	}
	out := kernel.TakeOrNull(all, found)
	if m.onTrial {
		return out, nil
	}
	k.values.put(keys, values, rows)
	for _, key := range keys {
		k.has[key] = true
	}
	return out, nil
}

// save writes which partitions have a value, and the values.
func (k *carried) save(w *stateWriter, keys []uint32) error {
	has, with := event.NewBitmap(len(keys)), []uint32(nil)
	for i, key := range keys {
		if k.has[key] {
			has.Set(i)
			with = append(with, key)
		}
	}
	if err := w.columns([]arrow.Array{event.NewBooleans(has, len(keys), nil)}, len(keys)); err != nil {
		return err
	}
	return w.columns([]arrow.Array{k.values.gather(with)}, len(with))
}

// load reads the values of partitions, which are numbered from 0 on.
func (k *carried) load(r *stateReader, typ event.Type, partitions int) error {
	marks, count, err := r.columns([]arrow.DataType{arrow.FixedWidthTypes.Boolean})
	if err != nil {
		return err
	}
	if count != partitions {
		return errState("%d marks of %d partitions", count, partitions)
	}
	k.reach(count)
	var keys []uint32
	for i := range count {
		if marks[0].(*array.Boolean).Value(i) {
			k.has[i] = true
			keys = append(keys, uint32(i))
		}
	}
	values, count, err := r.columns([]arrow.DataType{typ.Arrow()})
	if err != nil {
		return err
	}
	if count != len(keys) {
		return errState("%d values of %d partitions", count, len(keys))
	}
	k.values.put(keys, values[0], nil)
	return nil
}
