package kernel

import (
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Memo remembers, for the length of a query, what functions gave for the distinct values of dictionaries: the batches of a row
// group share one, and a function of it need be computed but once. The zero value is empty. It may be used from any goroutine.
type Memo struct {
	mu      sync.Mutex
	entries []*memoEntry // the one used last at the end
	bytes   int64
}

const (
	// maxMemoBytes and maxMemoEntries bound what a Memo holds, dictionaries included. What was not used for longest is forgotten.
	maxMemoBytes   = 64 << 20
	maxMemoEntries = 64
	// fewEntries is a dictionary so small that computing it again costs less than looking for what it gave.
	fewEntries = 16
)

// memoEntry is one function of one dictionary.
type memoEntry struct {
	step       *callStep
	dictionary arrow.ArrayData // held, so that its address stays its own
	rows       int             // seen so far, which were computed one by one

	bytes int64 // of the dictionary and, once computed, of what it gave

	once   sync.Once
	values arrow.Array // nil where it failed
}

// over gives what step makes of the rows of d, its argument number at, if it is worth computing for the whole dictionary; ok is false
// where the rows are to be computed themselves. A dictionary larger than the batch is computed once the rows seen add up to half
// of it, so that a query that reads few rows of it pays for few.
func (m *Memo) over(ctx *Context, step *callStep, args []Operand, at, rows int) (out Operand, ok bool) {
	d, isDictionary := args[at].Array.(*array.Dictionary)
	if m == nil || !isDictionary || args[at].Const || d.Dictionary().Len() < fewEntries {
		return Operand{}, false
	}
	entry := m.find(step, d, rows)
	if entry == nil {
		return Operand{}, false
	}
	entry.once.Do(func() {
		distinct := append([]Operand(nil), args...)
		distinct[at] = Operand{Array: d.Dictionary()}
		computed, err := step.fn(ctx, distinct, d.Dictionary().Len())
		if err != nil || computed.Const {
			return // an entry that no row has may be what failed
		}
		entry.values = Decode(computed.Array)
		entry.values.NullN() // counted when first asked for, which workers must not do side by side
		m.mu.Lock()
		defer m.mu.Unlock()
		m.hold(entry, int64(entry.values.Data().SizeInBytes()))
	})
	if entry.values == nil {
		return Operand{}, false
	}
	return Operand{Array: throughCodes(entry.values, d)}, true
}

// find is the entry for a function of a dictionary, or nil while it is not worth computing.
func (m *Memo) find(step *callStep, d *array.Dictionary, rows int) *memoEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	data := d.Dictionary().Data()
	at := slices.IndexFunc(m.entries, func(e *memoEntry) bool { return e.step == step && e.dictionary == data })
	var entry *memoEntry
	if at >= 0 {
		entry = m.entries[at]
		m.entries = append(slices.Delete(m.entries, at, at+1), entry)
	} else {
		entry = &memoEntry{step: step, dictionary: data}
		m.entries = append(m.entries, entry)
		m.hold(entry, int64(data.SizeInBytes()))
	}
	entry.rows = min(entry.rows+rows, data.Len())
	if 2*entry.rows < data.Len() {
		return nil
	}
	return entry
}

// hold counts bytes more of an entry, unless it has been forgotten, and forgets others to make room.
func (m *Memo) hold(entry *memoEntry, bytes int64) {
	if !slices.Contains(m.entries, entry) {
		return
	}
	entry.bytes += bytes
	m.bytes += bytes
	forgotten := 0
	for len(m.entries)-forgotten > maxMemoEntries || m.bytes > maxMemoBytes && forgotten < len(m.entries) {
		m.bytes -= m.entries[forgotten].bytes
		forgotten++
	}
	m.entries = slices.Delete(m.entries, 0, forgotten)
}

// onlyVarying is the one argument that is not a literal, or -1.
func onlyVarying(args []step) int {
	found := -1
	for i, a := range args {
		if _, ok := a.(*literalStep); ok {
			continue
		}
		if found >= 0 {
			return -1
		}
		found = i
	}
	return found
}

// mayRemember reports whether a function gives NULL for NULL and otherwise the same for the same arguments throughout a query.
func mayRemember(f *plan.Function) bool {
	impl, ok := functions[f.Signature()]
	return ok && impl.lax == nil && f.Result.Kind != event.Array
}

// castsValues is mayRemember for a cast.
func castsValues(from, to event.Type) bool {
	_, ok := casts[conversion{from.Kind, to.Kind}]
	return ok && !from.Equal(to) && to.Kind != event.Array
}
