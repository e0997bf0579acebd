package segments

import (
	"context"
	"fmt"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

const (
	// sampleRows is how many rows tell how well a segment packs.
	sampleRows = 64 << 10
	// archiveSaving is the part of a file, one in so many, that the archive layout has to save to be worth a rewrite and slower reads.
	archiveSaving = 8
)

// ArchivePays writes a sample from the middle of a segment in both layouts, in memory, and compares.
func (s *Store) ArchivePays(ctx context.Context, view *View, segment *manifest.Segment) (bool, error) {
	giveBack, err := s.writing.take(ctx, s.writing.most())
	if err != nil {
		return false, err
	}
	defer giveBack()
	b, lean := newBudget(s.writing.most(), parquet.Archive)
	readers, schema, err := s.openInputs([]*manifest.Segment{segment}, b)
	if err != nil {
		return false, fmt.Errorf("sample segment of stream %s: %w", view.stream, err)
	}
	order := newRowOrder(schema, nil)
	size := func(codec parquet.Codec) (int64, error) {
		group := readers[0].RowGroups() / 2
		from := max(0, readers[0].Rows(group)/2-sampleRows/2)
		p := part{reader: readers[0], group: group, from: from, to: min(readers[0].Rows(group), from+sampleRows)}
		p.sources = sourcesOf(readers[0], schema)
		var written byteCounter
		layout := b.layout(s.layout, schema, lean)
		layout.Codec = codec
		_, err := parquet.WriteRows(ctx, &written, schema, newMergedRows(order, [][]part{{p}}), parquet.FileMeta{}, layout)
		return int64(written), err
	}
	fresh, err := size(parquet.Fresh)
	if err != nil {
		return false, fmt.Errorf("sample segment of stream %s: %w", view.stream, err)
	}
	archived, err := size(parquet.Archive)
	if err != nil {
		return false, fmt.Errorf("sample segment of stream %s: %w", view.stream, err)
	}
	return archived <= fresh-fresh/archiveSaving, nil
}

// byteCounter counts what is written to it.
type byteCounter int64

func (c *byteCounter) Write(p []byte) (int, error) {
	*c += byteCounter(len(p))
	return len(p), nil
}

// sourcesOf says where each column of a schema lies in a file.
func sourcesOf(reader *parquet.Reader, schema *event.Schema) []columnSource {
	out := make([]columnSource, 0, len(schema.Columns))
	for _, column := range schema.All() {
		source, ok := findSource(reader, column)
		out = append(out, columnSource{column, source, ok})
	}
	return out
}
