package views

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// content is the rows of a view while it runs: those that may still go, and of those that never will the ones that no segment holds
// yet. It belongs to the view's goroutine.
type content struct {
	definition *catalog.View
	finality   continuous.Finality
	live       *liveRows
	rounded    rounded
	final      []*event.Batch
	finalBytes int64
	// next is the number that the next final row gets: its offset. Segments hold the rows below sealed.
	next, sealed event.Offset
}

func newContent(definition *catalog.View, program *continuous.Program, seed uint64) *content {
	time := -1
	if column, ok := program.Time(); ok && program.Finality() == continuous.FinalByTime {
		time = column
	}
	return &content{definition: definition, finality: program.Finality(), live: newLiveRows(seed, time), rounded: newRounded(definition, program)}
}

// apply makes a change: rows that go, rows that come, and rows that are final from now on, up to a time.
func (c *content) apply(change rows, weights []int64, final int64) error {
	var come []int32
	for i := range change.count {
		w := weightOf(weights, i)
		for ; w < 0; w++ {
			if !c.live.remove(change.columns, i) {
				return event.Errorf(event.CodeInternal, "a row went from view %s that was not there", c.definition.Name)
			}
		}
		for ; w > 0; w-- {
			come = append(come, int32(i))
		}
	}
	if change.count == 0 {
		return c.finalize(final)
	}
	added := change
	if len(come) != change.count || weights != nil {
		added = change.take(come)
	}
	if c.finality == continuous.FinalAtOnce {
		return c.settle(added)
	}
	c.live.insert(added)
	return c.finalize(final)
}

// finalize takes the rows up to a time out of those that may go.
func (c *content) finalize(final int64) error {
	if c.finality != continuous.FinalByTime || final == continuous.NoWatermark {
		return nil
	}
	settled, err := c.live.settle(final)
	if err != nil {
		return err
	}
	return c.settle(settled)
}

func weightOf(weights []int64, i int) int64 {
	if weights == nil {
		return 1
	}
	return weights[i]
}

// bytes is the memory of the rows that no segment holds.
func (c *content) bytes() int64 { return c.live.bytes() + c.finalBytes }

// settle adds final rows and gives them their numbers. Those that a segment holds already, as after a restart, are only counted.
func (c *content) settle(r rows) error {
	if r.count == 0 {
		return nil
	}
	batch, err := finalBatch(c.definition.Schema, r, c.next)
	if err != nil {
		return err
	}
	c.next += event.Offset(r.count)
	if batch = batch.From(c.sealed); batch == nil {
		return nil
	}
	c.final = append(c.final, batch)
	c.finalBytes += batch.Bytes()
	return nil
}

// finalBatch gives rows the hidden columns that a segment has: one partition, their numbers, and neither arrival nor watermark.
func finalBatch(schema *event.Schema, r rows, first event.Offset) (*event.Batch, error) {
	zeros, numbers := make([]int64, r.count), make([]int64, r.count)
	for i := range numbers {
		numbers[i] = int64(first) + int64(i)
	}
	columns := make([]arrow.Array, 0, len(r.columns)+len(event.Hidden))
	columns = append(columns, r.columns...)
	columns = append(columns, event.NewInt64s(zeros, nil), event.NewInt64s(numbers, nil), event.NewTimestamps(zeros, nil),
		event.NewNulls(event.Type{Kind: event.TimestampTZ}, r.count))
	batch, err := event.NewBatch(schema, 0, columns)
	if err != nil {
		return nil, fmt.Errorf("keep final rows: %w", err)
	}
	return batch, nil
}

// forget drops final rows that segments now hold.
func (c *content) forget(sealed event.Offset) {
	c.sealed = sealed
	var kept []*event.Batch
	c.finalBytes = 0
	for _, batch := range c.final {
		if rest := batch.From(sealed); rest != nil {
			kept = append(kept, rest)
			c.finalBytes += rest.Bytes()
		}
	}
	c.final = kept
}
