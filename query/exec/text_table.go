package exec

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/texts"
)

// textTable numbers the distinct texts of a key column.
type textTable struct{ texts *texts.Table }

func newTextTable() *textTable { return &textTable{texts: texts.New()} }

func (t *textTable) insert(text string) uint32 { return t.texts.Insert(text) }

// insertAll is insert for each of some texts.
func (t *textTable) insertAll(all []string, numbers []uint32) { t.texts.InsertAll(all, numbers) }

func (t *textTable) reset() { t.texts.Reset() }

// find is the number of text plus one; 0 where it was never inserted.
func (t *textTable) find(text string) uint32 { return t.texts.Find(text) }

func (t *textTable) at(number uint32) []byte { return t.texts.At(number) }

func (t *textTable) count() int { return t.texts.Len() }

func (t *textTable) bytes() int64 { return t.texts.Bytes() }

// column lays out all texts by number.
func (t *textTable) column() (arrow.Array, error) {
	data, ends := t.texts.Layout()
	if len(data) > math.MaxInt32 {
		return nil, event.Errorf(event.CodeTooLarge, "the distinct texts of one GROUP BY column exceed 2 GiB")
	}
	offsets := make([]int32, 1, len(ends)+1)
	for _, end := range ends {
		offsets = append(offsets, int32(end))
	}
	return event.NewStrings(offsets, data, nil), nil
}
