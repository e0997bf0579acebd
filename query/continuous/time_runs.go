package continuous

import (
	"cmp"
	"errors"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// timeRuns keeps rows on disk that wait for the watermark. They lie there in the order of their times, in runs, of which memory holds where they
// begin: a run comes back as a whole once its first row is due. Those that are due last go there first, so that hardly a row goes twice.
type timeRuns struct {
	space *spill.Space // nil for no disk
	runs  []timeRun
}

// timeRun is some rows, the time of the first, and how many there are. Their times are the last column.
type timeRun struct {
	first int64
	rows  int
	file  *coldFile
	at    spill.Chunk
}

// runRows is how many rows a run has: what comes back into memory for one that is due.
const runRows = 4 << 10

// put writes rows with their times. After an error there are none of them.
func (t *timeRuns) put(columns []arrow.Array, times []int64) error {
	file, err := t.space.Create()
	if err != nil {
		return err
	}
	order := upTo32(len(times))
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(times[a], times[b]) })
	shared := &coldFile{File: file}
	var fresh []timeRun
	for some := range slices.Chunk(order, runRows) {
		sorted := pick64(times, some)
		at, err := file.Append(append(taken(columns, some), event.NewInt64s(sorted, nil)), len(some))
		if err != nil {
			return errors.Join(err, file.Close())
		}
		fresh = append(fresh, timeRun{sorted[0], len(some), shared, at})
	}
	shared.users.Store(int64(len(fresh)))
	t.runs = append(t.runs, fresh...)
	return nil
}

// due takes out the runs with a row whose time is at or before one, and gives their rows and times.
func (t *timeRuns) due(upTo int64, each func(columns []arrow.Array, times []int64, rows int) error) error {
	if upTo == NoWatermark || len(t.runs) == 0 {
		return nil
	}
	var left []timeRun
	for _, run := range t.runs {
		if run.first > upTo {
			left = append(left, run)
			continue
		}
		columns, err := run.file.Read(run.at)
		if err == nil {
			err = errors.Join(each(columns[:len(columns)-1], arrow.GetValues[int64](columns[len(columns)-1].Data(), 1), run.rows), run.file.release())
		}
		if err != nil {
			return err // the machine is not used again
		}
	}
	t.runs = left
	return nil
}

// latest lists the slots of rows by their times, so that those from the first on that is given second are to go for so many bytes to be free.
func latest(entries []entry, bytes, held int64) (stay, gone []entry) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.slot, b.slot)) })
	from := len(entries) - toSpill(len(entries), bytes, held)
	return entries[:from], entries[from:]
}

// save writes the rows on disk, run by run.
func (t *timeRuns) save(w *stateWriter) {
	w.number(int64(len(t.runs)))
	for _, run := range t.runs {
		run.file.users.Add(1)
		w.later(run.rows, func() ([]arrow.Array, error) { return run.file.Read(run.at) }, run.file.release)
	}
}

// load reads what save wrote: to the disk again, or where there is none to keep.
func (t *timeRuns) load(r *stateReader, types []arrow.DataType, keep func(columns []arrow.Array, times []int64, rows int) error) error {
	runs, err := r.size()
	if err != nil {
		return err
	}
	for range runs {
		columns, rows, err := r.columns(append(slices.Clip(types), arrow.PrimitiveTypes.Int64))
		if err != nil {
			return err
		}
		times := arrow.GetValues[int64](columns[len(types)].Data(), 1)[:rows]
		if t.space == nil {
			err = keep(columns[:len(types)], times, rows)
		} else {
			err = t.put(columns[:len(types)], times)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *timeRuns) spilled() (total int64) {
	for _, run := range t.runs {
		total += run.at.Stored()
	}
	return total
}

func (t *timeRuns) close() error {
	var errs []error
	for _, run := range t.runs {
		errs = append(errs, run.file.release())
	}
	t.runs = nil
	return errors.Join(errs...)
}

func (t *timeRuns) bytes() int64 {
	const perRun = 128
	return perRun * int64(cap(t.runs))
}
