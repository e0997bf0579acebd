package ingest

import (
	"context"
	"errors"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// maxWholeCells is the most values, NULLs included, that rows stored together may become: a few times what their memory is for.
const maxWholeCells = 2 * decode.MaxChunkCells

// errWide is said of a chunk whose rows would take far more memory as columns than as text. They are stored a part at a time.
var errWide = errors.New("the chunk has too many rows for so many columns")

// refuseWide sees to it that a chunk's rows do not become too many values under a schema. Chunks of a request with a key have few rows.
func (b *Body) refuseWide(chunk *decode.Chunk, schema *event.Schema) error {
	if b.keyed != nil {
		return nil
	}
	switch cells := chunk.Cells(len(schema.Columns)); {
	case b.whole != nil && cells > maxWholeCells:
		return event.Errorf(event.CodeTooLarge, "rows that are stored together may have %d values, those they lack included, and these have %d in %d columns",
			maxWholeCells, cells, len(schema.Columns)).WithHint("send fewer rows in a request, or leave out on_error=batch")
	case b.whole == nil && cells > decode.MaxChunkCells && cells > len(schema.Columns):
		return errWide
	default:
		return nil
	}
}

// feedParts feeds the rows of a chunk in chunks that its stream's columns allow.
func (b *Body) feedParts(ctx context.Context, chunk *decode.Chunk) error {
	rows := max(decode.MaxChunkCells/2/len(b.Schema().Columns), 1) // half of what is allowed: whatever is counted, none is split once more
	for _, part := range chunk.Split(rows, b.lines) {
		if err := b.FeedChunk(ctx, part); err != nil {
			return err
		}
	}
	return nil
}
