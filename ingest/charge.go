package ingest

import (
	"sync/atomic"

	"github.com/tidemarkdb/tidemark/ingest/decode"
)

const (
	// listBytes is what a row takes beside its values: its time and its number.
	listBytes = 16
	// columnBytes is about what a column of one row takes.
	columnBytes = 640
	// A byte of text is taken to become growthUnit/growthUnit bytes of columns and lists by the unit; firstGrowth is what is taken before anything is known.
	growthUnit  = 16
	firstGrowth = 2 * growthUnit
	// learnedBytes is the least text that says something about how others grow.
	learnedBytes = 4 << 10
)

// growth is how much the rows of a stream take once they are decoded, in parts of their text. The zero value knows nothing yet.
type growth struct{ parts atomic.Int64 }

func (g *growth) of(bytes int64) int64 {
	parts := g.parts.Load()
	if parts == 0 {
		parts = firstGrowth
	}
	return bytes * parts / growthUnit
}

func (g *growth) learn(bytes, became int64) {
	if bytes >= learnedBytes {
		g.parts.Store(max(became*growthUnit/bytes, 1))
	}
}

// expected is about the memory that a chunk whose rows have so many bytes will take once it is decoded, beside what it takes already.
func (b *Body) expected(chunk *decode.Chunk, bytes int64) int64 {
	if chunk.Columns != nil {
		return listBytes * int64(chunk.Rows)
	}
	if b.stream == nil {
		return firstGrowth / growthUnit * bytes
	}
	return b.stream.growth.of(bytes) + columnBytes*int64(len(b.Schema().Columns))
}

// charge corrects what is held for the chunk being taken to what it takes now that it is decoded. It may be more than was asked for, by as much as the chunk
// differs from the one before it.
func (b *Body) charge(chunk *decode.Chunk, rows *decode.Rows) {
	held := rows.Held()
	if needsText(rows) {
		b.stream.growth.learn(int64(chunk.Bytes()), held)
		held += chunk.Held()
	}
	held = min(held, b.engine.pending.most())
	b.engine.pending.Adjust(b.summary.Stream, b.charged, held)
	b.charged = held
}

// needsText reports whether decoded rows refer to the text of their chunk. Those whose columns were taken as they came do not.
func needsText(rows *decode.Rows) bool { return rows.Raw != nil }
