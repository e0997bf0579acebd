package segments

import (
	"slices"

	"github.com/tidemarkdb/tidemark/event"
)

// steps are a column of whose values each batch knows the first and by how much each is more than the one before, as offsets and times of arrival are:
// it need not be made.
type steps struct {
	first []int64 // by batch
	step  int64
}

func (s *steps) at(p place) int64 { return s.first[p.batch] + s.step*int64(p.row) }

// stepsOf are the columns that need not be made, by column of the schema; nil for the others. What rows are sorted by is made.
func stepsOf(by rowOrder, batches []*event.Batch) []*steps {
	all := by.schema.All()
	out := make([]*steps, len(all))
	for i, c := range all {
		sorting := by.schema.TimeColumn == 0 || slices.ContainsFunc(by.by, func(b event.Column) bool { return b.ID == c.ID })
		if !sorting {
			out[i] = stepsOfColumn(c.ID, batches)
		}
	}
	return out
}

func stepsOfColumn(id event.FieldID, batches []*event.Batch) *steps {
	out := &steps{}
	for _, b := range batches {
		first, step, ok := b.Steps(id)
		if !ok {
			return nil
		}
		out.first, out.step = append(out.first, first), step
	}
	return out
}
