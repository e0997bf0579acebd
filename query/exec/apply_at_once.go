package exec

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
)

// fewValues is up to how many combinations of values the right side is computed for one after another: for so few its scans may leave out most
// of what they read by the values themselves.
const fewValues = 8

// setAnswers are the rows that the right side has given so far, each with the number of the combination of values it belongs to.
type setAnswers struct {
	known  []bool // by combination
	found  *joinBuffer
	owners []uint32
	build  *joinBuild // of what has been found; nil where there is more
	alone  bool       // combinations are answered one by one: all at once they had no room
}

// loadSet takes a batch of the left side, whose combinations of values have been numbered.
func (r *applyReader) loadSet(ctx context.Context, batch *Batch, args []arrow.Array, numbers []uint32) error {
	s := &r.sets
	if s.found == nil {
		s.found = &joinBuffer{}
	}
	var fresh []int32
	for row, number := range numbers {
		for int(number) >= len(s.known) {
			s.known = append(s.known, false)
		}
		if !s.known[number] {
			s.known[number] = true
			fresh = append(fresh, int32(row))
		}
	}
	if err := r.learn(ctx, args, numbers, fresh); err != nil {
		return err
	}
	if s.build == nil {
		var err error
		if s.build, err = r.buildSets(); err != nil {
			return err
		}
	}
	r.begin(batch)
	r.build, r.joinReader.columns = s.build, s.build.batch.slice(0, s.build.batch.Rows).Columns
	for row, number := range numbers {
		r.groups[row] = 0
		if group := number + 1; int(group)+1 < len(s.build.table.starts) && len(s.build.table.group(group)) > 0 {
			r.groups[row] = group
		}
	}
	return nil
}

// learn computes the right side for combinations that rows are the first to have.
func (r *applyReader) learn(ctx context.Context, args []arrow.Array, numbers []uint32, rows []int32) error {
	if len(rows) == 0 {
		return nil
	}
	r.sets.build = nil
	if len(rows) > r.op.join.run.engine.fewValues && !r.sets.alone {
		err := r.answerAll(ctx, args, numbers, rows)
		if err == nil {
			return r.resizeSets()
		}
		if e := (*event.Error)(nil); !errors.As(err, &e) || e.Code != event.CodeMemoryLimit {
			return err
		}
		r.sets.alone = true
	}
	for _, row := range rows {
		answer, err := r.answer(ctx, args, int(row))
		if err != nil {
			return err
		}
		if answer.Rows == 0 {
			continue
		}
		r.sets.found.add(answer)
		for range answer.Rows {
			r.sets.owners = append(r.sets.owners, numbers[row])
		}
	}
	return r.resizeSets()
}

// answerAll computes the right side for some rows at once.
func (r *applyReader) answerAll(ctx context.Context, args []arrow.Array, numbers []uint32, rows []int32) error {
	work := &Batch{Rows: len(rows)}
	ids := make([]int64, len(rows))
	for i, row := range rows {
		ids[i] = int64(numbers[row])
	}
	work.Columns = append(work.Columns, event.NewInt64s(ids, nil))
	for _, a := range args {
		work.Columns = append(work.Columns, kernel.Take(a, rows))
	}
	inner := r.innerRun()
	defer inner.budget.close()
	inner.works = map[int]*workTable{}
	for id, w := range r.op.join.run.works {
		inner.works[id] = w
	}
	inner.works[r.op.node.Domain] = &workTable{batches: []*Batch{work}}
	inner.kernel.Outer = r.op.join.run.kernel.Outer
	found, err := r.collect(ctx, inner, r.op.node.AtOnce, append(r.op.wants[:len(r.op.wants):len(r.op.wants)], true))
	if err := errors.Join(err, inner.files.close()); err != nil {
		return err
	}
	r.op.join.run.stats.add(inner.stats)
	for _, batch := range found.batches {
		last := len(batch.Columns) - 1
		for _, id := range arrow.GetValues[int64](batch.Columns[last].Data(), 1) {
			r.sets.owners = append(r.sets.owners, uint32(id))
		}
		r.sets.found.add(&Batch{Columns: batch.Columns[:last], Rows: batch.Rows})
	}
	return nil
}

// resizeSets asks for the answers, as they have come and end to end, and their places.
func (r *applyReader) resizeSets() error {
	const places = 12
	return r.memory.resize(2*r.sets.found.size + places*int64(len(r.sets.owners)))
}

// buildSets groups the answers by their combinations.
func (r *applyReader) buildSets() (*joinBuild, error) {
	batch, err := r.op.join.concatBuild(r.sets.found)
	if err != nil {
		return nil, err
	}
	groups := make([]uint32, len(r.sets.owners))
	for i, number := range r.sets.owners {
		groups[i] = number + 1
	}
	table := newJoinTable(nil)
	table.layOut(groups, nil)
	table.single = nil // a combination may have none
	return &joinBuild{batch: batch, table: table}, nil
}
