package segments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/segments/parquet"
)

const (
	// mergeCacheBytes is what a merge keeps, at most, of the pages that it reads: long text is looked at twice, first for its size.
	mergeCacheBytes = 64 << 20
	// mergeBlockBytes, at most, serves reads that end within a block, whose rest the next one wants.
	mergeBlockBytes = 4 << 20
)

// Merge says which segments become which.
type Merge struct {
	// Inputs are segments of one view; one alone is written anew.
	Inputs []*manifest.Segment
	// Cuts are event times at which one new file ends and the next begins, rising, in microseconds since 1970.
	Cuts []int64
	// SortBy are the columns that rows of equal time are to be sorted by; they are as far as those of every input are.
	SortBy []event.FieldID
	// Archive asks for the layout of old data, which takes less space and more time to read.
	Archive bool
	// Pause, unless nil, is called between pieces of work: it may wait, and ends the merge with its error.
	Pause func(context.Context) error
}

// Merged is what became of a Merge.
type Merged struct{ Inputs, Outputs []*manifest.Segment }

// Merge writes the rows of segments into new files, commits these in place of the inputs, and moves the inputs' files away. It takes as many of
// the inputs, from the first on, as its memory allows: two at least. The view keeps the inputs readable meanwhile. An error that wraps
// manifest.ErrConflict changed nothing: an input was taken away meanwhile, as by retention or by DROP STREAM. Where only the moving failed, the
// error comes with the segments made.
func (s *Store) Merge(ctx context.Context, view *View, m Merge) (Merged, error) {
	if s.isClosed() {
		return Merged{}, errClosed()
	}
	s.replacing.Lock() // held during I/O on purpose: see Store
	defer s.replacing.Unlock()
	made, err := s.merge(ctx, view.stream, m)
	if err != nil {
		return made, fmt.Errorf("merge segments of stream %s: %w", view.stream, err)
	}
	return made, nil
}

func (s *Store) merge(ctx context.Context, stream string, m Merge) (Merged, error) {
	giveBack, err := s.writing.take(ctx, s.writing.most())
	if err != nil {
		return Merged{}, err
	}
	defer giveBack()
	settled, err := s.settle(stream)
	if err != nil {
		return Merged{}, err
	}
	inputs, outputs, err := s.mergeOutputs(ctx, stream, m)
	if err != nil {
		return Merged{Inputs: inputs}, err
	}
	if err := s.write(ctx, outputs...); err != nil {
		return Merged{Inputs: inputs}, err
	}
	edit := manifest.Replacement{Stream: stream, Settled: settled}
	rows := int64(0)
	for _, in := range inputs {
		edit.Remove = append(edit.Remove, in.ID)
		rows += in.Rows
	}
	for _, out := range outputs {
		merged := out.rows.(*mergedRows)
		out.segment.MinTime, out.segment.MaxTime = merged.minTime, merged.maxTime
		edit.Add = append(edit.Add, out.segment)
		rows -= out.segment.Rows
	}
	if rows != 0 {
		return Merged{Inputs: inputs}, errors.Join(event.Errorf(event.CodeInternal, "%d rows are missing after the merge", rows), s.removeAll(outputs, finalName))
	}
	if err := s.manifest.Replace(s.journal, edit); err != nil {
		if errors.Is(err, manifest.ErrConflict) {
			err = errors.Join(err, s.removeAll(outputs, finalName)) // surely not committed: the files are nobody's
		}
		return Merged{Inputs: inputs}, err
	}
	return Merged{inputs, edit.Add}, s.retire(stream, edit.Remove)
}

// Streams lists the streams that have or had segments, sorted.
func (s *Store) Streams() []string { return s.manifest.Streams() }

// settle makes sure that the files of all retired segments of a stream are out of its directory, and lists those segments. It is what
// a replacement begins with, so that no directory ever has files from two replacements back.
func (s *Store) settle(stream string) ([]uint64, error) {
	retired := s.manifest.View(stream).Retired
	if len(retired) == 0 {
		return nil, nil
	}
	return retired, s.retire(stream, retired)
}

// mergeOutputs plans one file for each stretch of time between the cuts that has rows, and says of which inputs.
func (s *Store) mergeOutputs(ctx context.Context, stream string, m Merge) ([]*manifest.Segment, []*output, error) {
	layout := s.layout
	layout.Members = true
	if m.Archive {
		layout.Codec = parquet.Archive
	}
	b, lean := newBudget(s.writing.most(), layout.Codec)
	readers, schema, err := s.openInputs(m.Inputs, b)
	if err != nil {
		return m.Inputs, nil, err
	}
	inputs := m.Inputs[:len(readers)]
	order := newRowOrder(schema, commonOrder(m.SortBy, readers))
	layout = b.layout(layout, schema, lean)
	var outputs []*output
	done := make([]int, len(readers)) // rows of each input that earlier outputs have
	meta := s.footerMeta(stream, order)
	for i, in := range inputs {
		meta.Replaces = append(meta.Replaces, in.ID)
		meta.takeOver(readers[i].Meta())
	}
	for i := range len(m.Cuts) + 1 {
		stretch := make([][]part, len(readers))
		for n, reader := range readers {
			end := reader.TotalRows()
			if i < len(m.Cuts) {
				if end, err = rowsBefore(ctx, reader, schema, m.Cuts[i]); err != nil {
					return inputs, nil, err
				}
			}
			stretch[n] = partsOf(reader, order, done[n], end)
			done[n] = end
		}
		rows := newMergedRows(order, stretch)
		if rows.Len() == 0 {
			continue
		}
		rows.pause = m.Pause
		segment := s.newSegment(stream, schema, inputs)
		segment.Archived = m.Archive
		outputs = append(outputs, &output{schema: schema, rows: rows, segment: segment, layout: layout})
	}
	for _, out := range outputs {
		meta.Siblings = append(meta.Siblings, out.segment.ID)
	}
	for _, out := range outputs {
		out.meta = meta.FileMeta
	}
	return inputs, outputs, nil
}

// commonOrder is as much of the order asked for as all inputs have. A merge keeps an order and makes none: where a stream's has been
// changed, what was sealed before is in the old one.
func commonOrder(wanted []event.FieldID, readers []*parquet.Reader) []event.FieldID {
	for _, reader := range readers {
		n, has := 0, reader.Meta().SortBy
		for n < min(len(wanted), len(has)) && wanted[n] == has[n] {
			n++
		}
		wanted = wanted[:n]
	}
	return wanted
}

// mergedMeta is the metadata of files to be merged.
type mergedMeta struct{ parquet.FileMeta }

// footerMeta is what every file says of the stream and its order.
func (s *Store) footerMeta(stream string, order rowOrder) mergedMeta {
	meta := mergedMeta{parquet.FileMeta{SortBy: order.ids()}}
	if expired := s.manifest.View(stream).ExpiredBefore; expired != manifest.NoTime {
		meta.ExpiredBefore = expired
	}
	return meta
}

// takeOver adds what an input's footer says beyond its own rows. Clocks never fall, so that the greatest is the last.
func (m *mergedMeta) takeOver(in parquet.FileMeta) {
	m.EraseEpoch = max(m.EraseEpoch, in.EraseEpoch)
	m.MaxEventTime, m.Watermark = laterClocks(m.MaxEventTime, in.MaxEventTime), laterClocks(m.Watermark, in.Watermark)
}

func laterClocks(a, b []int64) []int64 {
	out := slices.Clone(a)
	for p, t := range b {
		if p == len(out) {
			out = append(out, t)
		}
		out[p] = max(out[p], t)
	}
	return out
}

// newSegment describes a file to be merged. Its vectors enclose those of the inputs.
func (s *Store) newSegment(stream string, schema *event.Schema, inputs []*manifest.Segment) *manifest.Segment {
	out := &manifest.Segment{ID: s.manifest.NextID(), Stream: stream, SchemaVersion: schema.Version}
	out.File = fileName(stream, out.ID)
	out.From, out.To = inputs[0].From, inputs[0].To
	for _, in := range inputs[1:] {
		out.From, out.To = lowerVector(out.From, in.From), out.To.Max(in.To)
	}
	return out
}

func lowerVector(a, b event.Vector) event.Vector {
	out := make(event.Vector, min(len(a), len(b))) // missing elements are 0
	for p := range out {
		out[p] = min(a[p], b[p])
	}
	return out
}

// openInputs opens as many of the inputs as the budget allows, past the caches of queries, whose contents are worth more, and finds the newest
// of their schemas.
func (s *Store) openInputs(inputs []*manifest.Segment, b budget) (readers []*parquet.Reader, schema *event.Schema, err error) {
	pages, rest := b.caches()
	blocks, caches := newBlockCache(rest), parquet.NewCaches(pages)
	for _, in := range inputs {
		reader, err := s.openReader(in, blocks, caches)
		if err != nil {
			return nil, nil, err
		}
		readers = append(readers, reader)
	}
	readers = readers[:b.inputs(readers)]
	for _, reader := range readers {
		if schema == nil || reader.Schema().Version > schema.Version {
			schema = reader.Schema()
		}
	}
	return readers, schema, nil
}

// partsOf cuts rows from..to of a file, counted over all row groups, into parts.
func partsOf(reader *parquet.Reader, order rowOrder, from, to int) []part {
	sources := sourcesOf(reader, order.schema)
	var out []part
	first := 0
	for group := range reader.RowGroups() {
		end := first + reader.Rows(group)
		if low, high := max(from, first), min(to, end); low < high {
			out = append(out, part{reader: reader, group: group, from: low - first, to: high - first, sources: sources})
		}
		first = end
	}
	return out
}

// rowsBefore counts the rows of a sorted file whose event time is before a time.
func rowsBefore(ctx context.Context, reader *parquet.Reader, schema *event.Schema, cut int64) (int, error) {
	order := rowOrder{schema: schema}
	at := func(row int) (int64, error) {
		p := partsOf(reader, order, row, row+1)[0]
		columns, err := p.readSorting(ctx, order, p.from, p.to, nil)
		if err != nil {
			return 0, err
		}
		return mergeTimes(asTimes(columns[0]), asTimes(columns[1]))[0], nil
	}
	var fault error
	found := sort.Search(reader.TotalRows(), func(row int) bool {
		if fault != nil {
			return true
		}
		t, err := at(row)
		fault = err
		return t >= cut
	})
	return found, fault
}
