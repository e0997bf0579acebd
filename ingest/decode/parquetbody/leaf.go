package parquetbody

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/tidemarkdb/tidemark/event"
)

// shared is what the leaves of a reader have in common.
type shared struct {
	// budget is how many bytes pages may still become, in all; held what those at hand take; account is told of it and may refuse.
	budget  *int64
	held    int64
	account func(bytes int64) error
	// room is how many bytes the values of the batch under way may still take.
	room    int
	scratch []int32
}

// memoryBytes bounds what the pages and dictionaries of all columns take at a time.
const memoryBytes = 384 << 20

// hold asks for memory for pages, or gives some back.
func (s *shared) hold(bytes int64) error {
	if s.held+bytes > memoryBytes {
		return event.Errorf(event.CodeTooLarge, "the pages of all columns of a row group take more than %d MiB together", memoryBytes>>20).
			WithHint("write the file with smaller pages or row groups, or fewer columns")
	}
	if s.account != nil {
		if err := s.account(bytes); err != nil {
			return err
		}
	}
	s.held += bytes
	return nil
}

// errSplit asks for a batch of fewer rows.
var errSplit = errors.New("too many bytes for one batch")

// take counts bytes of values of the batch.
func (s *shared) take(bytes int) error {
	if err := s.fits(bytes); err != nil {
		return err
	}
	s.room -= bytes
	return nil
}

func (s *shared) fits(bytes int) error {
	if bytes > s.room {
		return errSplit
	}
	return nil
}

// codes is room for n codes until the next call.
func (s *shared) codes(n int) []int32 {
	if cap(s.scratch) < n {
		s.scratch = make([]int32, max(n, 2*cap(s.scratch)))
	}
	return s.scratch[:n]
}

// leaf reads the values of a column chunk one after the other. A copy of it reads the same values again.
type leaf struct {
	shared *shared
	codec  format.CompressionCodec
	kind   parquet.Kind
	width  int // of values that all have the same number of bytes; else 0
	// deepest and deepestRep are the greatest levels.
	deepest, deepestRep int
	// flat is set for a column with one value for each row, whose levels are read with its values.
	flat      bool
	src       source
	dict      dictionary
	dictBytes int64
	page      page
	// textBytes is about what texts of as many rows as the last time take.
	textBytes int
}

// newLeaf starts to read a column chunk.
func (r *Reader) newLeaf(column *leafColumn, chunk *columnChunk, flat bool) (leaf, error) {
	start, end := chunk.start(), chunk.start()+chunk.bytes
	if start < 4 || chunk.bytes < 0 || end < start || end > r.size {
		return leaf{}, errors.New("a column lies outside of the file")
	}
	kind := parquet.Kind(chunk.kind)
	if column.kind != kind && column.kind != noKind {
		return leaf{}, errors.New("a column has another type than the schema says")
	}
	l := leaf{
		shared: &r.shared, codec: chunk.codec, kind: kind, width: column.width, deepest: column.deepest, deepestRep: column.deepestRep, flat: flat,
		src: source{file: r.file, at: start, end: end},
	}
	if r.body != nil {
		l.src = source{buf: r.body[start:end]} // without a file
	}
	return l, nil
}

// release gives back what the leaf holds.
func (l *leaf) release() {
	_ = l.shared.hold(-l.page.bytes - l.dictBytes) // less is never refused
	l.page, l.dict, l.dictBytes = page{}, dictionary{}, 0
}

// leafType is how a leaf's values become an Arrow array.
type leafType struct {
	arrow     arrow.DataType
	extension string
	// make gives n values, of which those that are valid were gathered.
	make func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error)
}

// readFlat reads n values of a column that has one for each row.
func (l *leaf) readFlat(t *leafType, n int) (arrow.Array, error) {
	g := l.gathered(n)
	var valid event.Bitmap
	for row := 0; row < n; {
		if l.page.left == 0 {
			more, err := l.turn()
			if err != nil {
				return nil, err
			}
			if !more {
				return nil, errRows
			}
		}
		now := min(n-row, l.page.left)
		present, err := l.defined(&valid, row, now, n)
		if err != nil {
			return nil, err
		}
		if err := l.gather(g, present); err != nil {
			return nil, err
		}
		l.page.left -= now
		row += now
	}
	l.textBytes = len(g.data) + len(g.data)/8
	return t.make(g, n, valid)
}

var errRows = errors.New("another number of rows than its group")

// gathered is room for about n values.
func (l *leaf) gathered(n int) *gathered {
	g := &gathered{}
	switch {
	case l.kind == parquet.ByteArray:
		g.offsets, g.data = make([]int32, 1, n+1), make([]byte, 0, l.textBytes)
	case l.kind == parquet.Int64, l.kind == parquet.Double:
		g.words64 = make([]uint64, 0, n)
	case l.width == 4, l.kind == parquet.Boolean:
		g.words32 = make([]uint32, 0, n)
	}
	return g
}

// defined notes which of the next values of the page are there, as those of a row on, and counts them.
func (l *leaf) defined(valid *event.Bitmap, row, n, rows int) (int, error) {
	if l.deepest == 0 {
		return n, nil
	}
	if l.page.defs.all(n, int32(l.deepest)) {
		if *valid != nil {
			for i := range n {
				valid.Set(row + i)
			}
		}
		return n, nil
	}
	levels := l.shared.codes(n)
	if err := l.page.defs.read(levels); err != nil {
		return 0, err
	}
	if *valid == nil {
		*valid = event.NewBitmap(rows)
		for i := range row {
			valid.Set(i)
		}
	}
	present := 0
	for i, level := range levels {
		if int(level) > l.deepest {
			return 0, errLevels
		}
		if int(level) == l.deepest {
			valid.Set(row + i)
			present++
		}
	}
	return present, nil
}

// wordsOf makes arrays of numbers of four or eight bytes as they are.
func wordsOf(t arrow.DataType) func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
	return func(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
		if g.words64 != nil {
			return event.NewFixed(t, spread(g.words64, n, valid), valid), nil
		}
		return event.NewFixed(t, spread(g.words32, n, valid), valid), nil
	}
}

func makeBooleans(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
	bits := event.NewBitmap(n)
	for i, v := range spread(g.words32, n, valid) {
		if v != 0 {
			bits.Set(i)
		}
	}
	return event.NewBooleans(bits, n, valid), nil
}

func makeStrings(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
	if len(g.data) > math.MaxInt32 {
		return nil, errSplit
	}
	return event.NewStrings(spreadOffsets(g.offsets, n, valid), g.data, valid), nil
}

func makeBinaries(g *gathered, n int, valid event.Bitmap) (arrow.Array, error) {
	if len(g.data) > math.MaxInt32 {
		return nil, errSplit
	}
	return event.NewBinaries(spreadOffsets(g.offsets, n, valid), g.data, valid), nil
}
