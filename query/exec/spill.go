package exec

import (
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/query/spill"
)

// spillFiles are the temporary files of a query. It may be used from any goroutine.
type spillFiles struct {
	mu struct {
		sync.Mutex
		open map[*spill.File]bool
	}
}

// canSpill reports whether there is a place for temporary files.
func (r *run) canSpill() bool { return r.engine.options.Spill != nil }

// spillFile makes a temporary file, which is removed with the query at the latest.
func (r *run) spillFile() (*spill.File, error) {
	file, err := r.engine.options.Spill.Create()
	if err != nil {
		return nil, err
	}
	r.files.mu.Lock()
	defer r.files.mu.Unlock()
	if r.files.mu.open == nil {
		r.files.mu.open = map[*spill.File]bool{}
	}
	r.files.mu.open[file] = true
	return file, nil
}

// close removes all files that are left.
func (f *spillFiles) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for file := range f.mu.open {
		errs = append(errs, file.Close())
	}
	f.mu.open = nil
	return errors.Join(errs...)
}

// spilled is rows in a temporary file.
type spilled struct {
	file  *spill.File
	chunk spill.Chunk
}

// append writes rows to a file.
func (r *run) append(file *spill.File, columns []arrow.Array, rows int) (spilled, error) {
	chunk, err := file.Append(columns, rows)
	r.stats.spilled.Add(chunk.Stored())
	return spilled{file: file, chunk: chunk}, err
}

// read brings the rows back.
func (s spilled) read() (*Batch, error) {
	columns, err := s.file.Read(s.chunk)
	return &Batch{Columns: columns, Rows: s.chunk.Rows}, err
}

// chunkBytes is how much of a query's memory one chunk should take: small enough that a hundred of them fit, which is how many
// sorted runs can then be merged at once; large enough that reading is no matter of seeks.
func (r *run) chunkBytes() int64 {
	const (
		least    = 4 << 10
		greatest = 1 << 20
	)
	return min(max(r.budget.limit/128, least), greatest)
}

// chunkRows is how many rows of that size make a chunk.
func (r *run) chunkRows(bytes int64, rows int) int {
	return min(max(int(r.chunkBytes()*int64(rows)/max(bytes, 1)), 1), r.engine.options.BatchRows)
}
