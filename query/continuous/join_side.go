package continuous

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// joinSide is the rows of one input of a join.
type joinSide struct {
	rows   *bag // by key
	expiry expiry
	due    calendar // of rows, by the column of expiry
	// pads says that rows without a pair come out; pairs is then, by row, the weight of the other side's rows that it is paired with.
	pads  bool
	pairs []int64
	// changed are, in one step, the rows that changed themselves or in their pairs, with what they were before.
	changed map[uint32]padding
	order   []uint32 // the keys of changed, as they came
	runs    []*joinRun
}

// padding is what decides whether a row comes out without a pair.
type padding struct{ weight, pairs int64 }

// note remembers a row as it was before the step changed it.
func (s *joinSide) note(row uint32, weight int64) {
	if !s.pads {
		return
	}
	s.pairs = lengthened(s.pairs, int(row)+1)
	if _, known := s.changed[row]; known {
		return
	}
	if s.changed == nil {
		s.changed = map[uint32]padding{}
	}
	before := padding{weight, s.pairs[row]}
	if weight == 0 { // a row that is new, maybe in the place of another
		before.pairs, s.pairs[row] = 0, 0
	}
	s.changed[row] = before
	s.order = append(s.order, row)
}

// schedule notes when rows can be forgotten. Rows without a time pair with nothing that has one.
func (s *joinSide) schedule(rows []uint32, before []int64) {
	if s.expiry.column < 0 {
		return
	}
	times := s.times()
	for i, row := range rows {
		if before == nil || before[i] == 0 {
			s.due.add(times.values[row], row)
		}
	}
}

func (s *joinSide) times() *fixedVector[int64] {
	return s.rows.vectors[s.expiry.column].(*fixedVector[int64])
}

// forget drops rows that the other side's rows to come are too late for, and gives the keys that they were under.
func (s *joinSide) forget(final int64) []uint32 {
	if s.expiry.column < 0 || final == NoWatermark {
		return nil
	}
	var keys []uint32
	times := s.times()
	for _, e := range s.due.due(behind(final, s.expiry.lag)) {
		if s.rows.weights[e.slot] != 0 && times.values[e.slot] == e.at {
			keys = append(keys, s.rows.key[e.slot])
			s.rows.release(e.slot)
		}
	}
	return keys
}

// save writes the rows and how they are paired.
func (s *joinSide) save(w *stateWriter, number []uint32) error {
	if err := s.rows.save(w, number); err != nil {
		return err
	}
	if !s.pads {
		return nil
	}
	rows := s.rows.all()
	pairs := make([]int64, len(rows))
	for i, row := range rows {
		pairs[i] = s.pairs[row]
	}
	return w.columns([]arrow.Array{event.NewInt64s(pairs, nil)}, len(rows))
}

// load reads what save wrote. Rows get the slots 0 and up.
func (s *joinSide) load(r *stateReader, types []arrow.DataType, keys int) error {
	if err := s.rows.load(r, types, keys); err != nil {
		return err
	}
	s.schedule(s.rows.all(), nil)
	if !s.pads {
		return nil
	}
	columns, n, err := r.columns([]arrow.DataType{arrow.PrimitiveTypes.Int64})
	if err != nil {
		return err
	}
	if n != s.rows.rows {
		return errState("%d counts of pairs for %d rows", n, s.rows.rows)
	}
	s.pairs = append([]int64(nil), columns[0].(*array.Int64).Int64Values()...)
	return nil
}

func (s *joinSide) bytes() int64 {
	memory, _ := s.runBytes()
	return s.rows.bytes() + s.due.bytes() + int64(8*cap(s.pairs)) + memory
}
