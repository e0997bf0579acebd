package views

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// rounded finds live rows that were computed before a start with another rounding than the machine has now. Sums of DOUBLE PRECISION depend
// in their last digits on the order in which they are added up, and a machine that is fed again after a crash takes its input in other
// portions. It then takes back a row that differs in these digits from the one that is shown; both have the same key.
type rounded struct {
	// key are the columns that tell rows apart; nil where rows cannot be rounded or have no key.
	key []int
	// shown has the hashes of the rows, by those of their keys, as of when the first one was missed; nil before that. Rows that came
	// since are what the machine gave, and are never missed.
	shown map[xxh3.Uint128]xxh3.Uint128
}

func newRounded(definition *catalog.View, program *continuous.Program) rounded {
	if !slices.ContainsFunc(definition.Schema.Columns, func(c event.Column) bool { return rounds(c.Type) }) {
		return rounded{}
	}
	return rounded{key: program.Key()}
}

// rounds tells of a type whose values are rounded where they are computed.
func rounds(t event.Type) bool {
	return t.Kind == event.Double || t.Kind == event.Real || (t.Elem != nil && rounds(*t.Elem))
}

// asShown puts what is shown in the place of rows that go, so that subscribers and other views are told of the rows that they have.
func (c *content) asShown(change rows, weights []int64) (rows, error) {
	if c.rounded.key == nil || weights == nil {
		return change, nil
	}
	var parts []rows
	done := 0 // rows before this are in parts
	upTo := func(end int) {
		if end > done {
			places := make([]int32, 0, end-done)
			for i := done; i < end; i++ {
				places = append(places, int32(i))
			}
			parts = append(parts, change.take(places))
		}
	}
	for i := range change.count {
		if weights[i] >= 0 || c.live.has(change.columns, i) {
			continue
		}
		shown, ok, err := c.rounded.find(c.live, change.columns, i)
		if err != nil {
			return rows{}, err
		}
		if ok {
			upTo(i)
			parts, done = append(parts, shown), i+1
		}
	}
	if len(parts) == 0 {
		return change, nil
	}
	upTo(change.count)
	return concat(parts)
}

// find gives the row that is shown under the key of another.
func (r *rounded) find(live *liveRows, columns []arrow.Array, row int) (rows, bool, error) {
	if r.shown == nil {
		r.shown = make(map[xxh3.Uint128]xxh3.Uint128, live.alive)
		for _, s := range live.chunks {
			left, err := s.loadLeft()
			if err != nil {
				return rows{}, false, err
			}
			keys := pickArrays(left.columns, r.key)
			for i := range left.count {
				r.shown[live.hasher.hash(keys, i)] = live.hasher.hash(left.columns, i)
			}
		}
	}
	key := live.hasher.hash(pickArrays(columns, r.key), row)
	hash, ok := r.shown[key]
	if !ok {
		return rows{}, false, nil
	}
	delete(r.shown, key)
	return live.at(hash)
}

func pickArrays(columns []arrow.Array, at []int) []arrow.Array {
	out := make([]arrow.Array, len(at))
	for i, c := range at {
		out[i] = columns[c]
	}
	return out
}
