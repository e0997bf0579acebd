package columnar

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

// entries are the distinct values behind a column of codes or runs, converted once for all rows of a batch.
type entries struct {
	of     arrow.ArrayData
	values arrow.Array
	part   part
}

// load converts the values unless they are those of the last time.
func (e *entries) load(p *part, convert convertFunc, values arrow.Array, of arrow.ArrayData) error {
	if e.of == of && e.values != nil {
		return nil
	}
	e.of, e.part = of, part{rows: values.Len(), column: p.column, whole: true}
	var err error
	e.values, err = convert(&e.part, values)
	return err
}

// dictionary converts a dictionary's values once, and gathers them.
func dictionary(convert convertFunc) convertFunc {
	if convert == nil {
		return nil
	}
	distinct := &entries{}
	return func(p *part, values arrow.Array) (arrow.Array, error) {
		a := values.(*array.Dictionary)
		if err := distinct.load(p, convert, a.Dictionary(), a.Data().Dictionary()); err != nil {
			return nil, err
		}
		return distinct.gather(p, func(i int) int {
			if a.IsNull(i) {
				return noEntry
			}
			return a.GetValueIndex(i)
		})
	}
}

// runs converts the values of runs once, and repeats them.
func runs(convert convertFunc) convertFunc {
	if convert == nil {
		return nil
	}
	distinct := &entries{}
	return func(p *part, values arrow.Array) (arrow.Array, error) {
		a := values.(*array.RunEndEncoded)
		if err := distinct.load(p, convert, a.Values(), a.Data().Children()[1]); err != nil {
			return nil, err
		}
		return distinct.gather(p, a.GetPhysicalIndex)
	}
}

// noEntry stands for NULL.
const noEntry = -1

// gather takes a value for each row.
func (e *entries) gather(p *part, entry func(row int) int) (arrow.Array, error) {
	valid, indices, bytes := event.NewBitmap(p.rows), make([]int32, p.rows), 0
	for i := range p.rows {
		index := entry(i)
		if index == noEntry || e.values.IsNull(index) {
			continue
		}
		if reason, bad := e.part.refused[index]; bad {
			p.refuseFor(i, reason)
		}
		indices[i] = int32(index)
		valid.Set(i)
		if bytes += sizeAt(e.values, index); bytes > splitBytes && p.rows > 1 && !p.whole {
			return nil, errSplit
		}
	}
	if e.values.Len() == 0 {
		return array.MakeArrayOfNull(memory.DefaultAllocator, e.values.DataType(), p.rows), nil
	}
	taken := event.Take(e.values, indices)
	buffers := append([]*memory.Buffer{memory.NewBufferBytes(valid)}, taken.Data().Buffers()[1:]...)
	return array.MakeFromData(array.NewData(taken.DataType(), p.rows, buffers, nil, valid.Nulls(p.rows), 0)), nil
}

func sizeAt(values arrow.Array, i int) int {
	switch a := values.(type) {
	case *array.String:
		return a.ValueLen(i)
	case *array.Binary:
		return a.ValueLen(i)
	default:
		return 0
	}
}
