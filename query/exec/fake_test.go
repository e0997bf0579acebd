package exec_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
)

var (
	boolean     = event.Type{Kind: event.Boolean}
	bigint      = event.Type{Kind: event.BigInt}
	double      = event.Type{Kind: event.Double}
	text        = event.Type{Kind: event.Text}
	timestamptz = event.Type{Kind: event.TimestampTZ}
	interval    = event.Type{Kind: event.Interval}
)

// table is a stream in memory. Columns are in schema order; the id column holds the row number.
type table struct {
	schema  *event.Schema
	columns []arrow.Array
	rows    int
}

// newTable makes random rows: sorted times, small domains with NULLs, doubles that add up exactly.
func newTable(rng *rand.Rand, rows int) *table {
	names := []string{"id", "ts", "region", "user", "amount", "ok", "took"}
	types := []event.Type{bigint, timestamptz, text, bigint, double, boolean, interval}
	t := &table{schema: &event.Schema{Version: 1, TimeColumn: 2}, rows: rows}
	for i, name := range names {
		t.schema.Columns = append(t.schema.Columns, event.Column{ID: event.FieldID(i + 1), Name: name, Type: types[i], Since: 1})
	}
	ids, times := make([]int64, rows), make([]int64, rows)
	users, amounts := make([]int64, rows), make([]float64, rows)
	took := make([]arrow.MonthDayNanoInterval, rows)
	oks := event.NewBitmap(rows)
	now := int64(1_790_000_000_000_000)
	for i := range rows {
		now += rng.Int64N(2_000_000)
		ids[i], times[i], users[i] = int64(i), now, rng.Int64N(int64(rows/3+2))-5
		amounts[i] = float64(rng.IntN(4000)-2000) / 4
		switch rng.IntN(200) {
		case 0:
			amounts[i] = math.NaN()
		case 1:
			amounts[i] = math.Copysign(0, -1)
		}
		took[i] = arrow.MonthDayNanoInterval{Months: rng.Int32N(2), Days: rng.Int32N(3), Nanoseconds: rng.Int64N(3) * 1e9}
		if rng.IntN(2) == 0 {
			oks.Set(i)
		}
	}
	t.columns = []arrow.Array{
		event.NewInt64s(ids, nil), event.NewTimestamps(times, nil), randomText(rng, rows),
		event.NewInt64s(users, randomNulls(rng, rows)), event.NewFloat64s(amounts, randomNulls(rng, rows)),
		event.NewBooleans(oks, rows, randomNulls(rng, rows)),
		event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, took, randomNulls(rng, rows)),
	}
	return t
}

func randomNulls(rng *rand.Rand, rows int) event.Bitmap {
	valid := event.NewBitmap(rows)
	for i := range rows {
		if rng.IntN(20) > 0 {
			valid.Set(i)
		}
	}
	return valid
}

func randomText(rng *rand.Rand, rows int) arrow.Array {
	b := array.NewStringBuilder(memoryAllocator)
	for range rows {
		if rng.IntN(20) == 0 {
			b.AppendNull()
			continue
		}
		b.Append([]string{"", "eu", "us", "apac", "a longer name of a region", "a longer name of another"}[rng.IntN(6)])
	}
	return b.NewArray()
}

// source serves tables by name, cut into morsels at random places, with text columns plain, sliced or as dictionaries.
type source struct {
	tables map[string]*table
	rng    *rand.Rand
	// wrap, if set, replaces each morsel.
	wrap func(query.Morsel) query.Morsel

	mu sync.Mutex
	// requests are what was scanned; open counts snapshots not closed.
	requests []query.ScanRequest
	open     int
}

func (s *source) Open(_ context.Context, streams []string) (query.Snapshot, error) {
	for _, name := range streams {
		if s.tables[name] == nil {
			return nil, event.Errorf(event.CodeNotFound, "no stream %q", name)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open++
	return &snapshot{source: s}, nil
}

type snapshot struct{ source *source }

func (s *snapshot) Close() error {
	s.source.mu.Lock()
	defer s.source.mu.Unlock()
	s.source.open--
	return nil
}

func (s *snapshot) Scan(_ context.Context, request query.ScanRequest) (query.Scan, error) {
	src := s.source
	src.mu.Lock()
	defer src.mu.Unlock()
	src.requests = append(src.requests, request)
	t := src.tables[request.Stream]
	out := query.Scan{SegmentsScanned: 1, SegmentsPruned: 2}
	for at := 0; at < t.rows; {
		end := min(t.rows, at+1+src.rng.IntN(t.rows/3+1))
		piece := src.morsel(t, request.Columns, at, end)
		at = end
		if request.Settled != nil && src.rng.IntN(2) == 0 && request.Settled(exactly{piece}) {
			out.SegmentsSettled++
			continue
		}
		var m query.Morsel = piece
		if src.wrap != nil {
			m = src.wrap(m)
		}
		out.Morsels = append(out.Morsels, m)
	}
	return out, nil
}

// exactly is the statistics of a morsel.
type exactly struct{ *morsel }

func (e exactly) Rows() int64 { return int64(e.rows) }

func (e exactly) Nulls(column int) (int64, bool) { return int64(e.columns[column].NullN()), true }

func (e exactly) Ends(column int) (arrow.Array, bool) {
	switch c := e.columns[column].(type) {
	case *array.Timestamp:
		ends, _ := e.Bounds(column)
		return ends, true
	case *array.Int64:
		var ends []int64
		for i, v := range c.Int64Values() {
			switch {
			case c.IsNull(i):
			case ends == nil:
				ends = []int64{v, v}
			default:
				ends[0], ends[1] = min(ends[0], v), max(ends[1], v)
			}
		}
		if ends == nil {
			return nil, true
		}
		return event.NewInt64s(ends, nil), true
	default:
		return nil, false
	}
}

func (s *source) morsel(t *table, fields []event.FieldID, from, to int) *morsel {
	m := &morsel{rows: to - from, columns: make([]arrow.Array, len(fields))}
	for i, id := range fields {
		c := array.NewSlice(t.columns[id-1], int64(from), int64(to))
		if plain, ok := c.(*array.String); ok && s.rng.IntN(2) == 0 {
			c = encode(s.rng, plain)
		}
		m.columns[i] = c
	}
	return m
}

// encode makes a dictionary in random order, at times with an entry that no row uses; one of NULLs alone may have none at all.
func encode(rng *rand.Rand, plain *array.String) arrow.Array {
	entries := []string{"never used"}[:rng.IntN(2)]
	at := map[string]int32{}
	codes, valid := make([]int32, plain.Len()), event.NewBitmap(plain.Len())
	for _, i := range rng.Perm(plain.Len()) {
		if plain.IsNull(i) {
			continue
		}
		valid.Set(i)
		code, ok := at[plain.Value(i)]
		if !ok {
			code = int32(len(entries))
			at[plain.Value(i)] = code
			entries = append(entries, plain.Value(i))
		}
		codes[i] = code
	}
	b := array.NewStringBuilder(memoryAllocator)
	b.AppendValues(entries, nil)
	return event.NewDictionary(codes, b.NewArray(), valid)
}

type morsel struct {
	columns []arrow.Array
	rows    int
}

func (m *morsel) Rows() int { return m.rows }

// Bounds are those of the times, the only integers without NULLs that conditions here are about.
func (m *morsel) Bounds(column int) (arrow.Array, bool) {
	times, ok := m.columns[column].(*array.Timestamp)
	if !ok || m.rows == 0 {
		return nil, false
	}
	low, high := times.Value(0), times.Value(0)
	for _, v := range times.TimestampValues() {
		low, high = min(low, v), max(high, v)
	}
	return event.NewTimestamps([]int64{int64(low), int64(high)}, nil), true
}

// Values are those of texts and whole numbers.
func (m *morsel) Values(column, most int) (values arrow.Array, null bool, bytes int64, err error) {
	c := m.columns[column]
	if d, ok := c.(*array.Dictionary); ok {
		c = d.Dictionary()
	}
	switch c := c.(type) {
	case *array.String:
		met, b := map[string]bool{}, array.NewStringBuilder(memoryAllocator)
		for i := range c.Len() {
			if c.IsValid(i) && !met[c.Value(i)] {
				met[c.Value(i)] = true
				b.Append(c.Value(i))
			}
		}
		values = b.NewArray()
	case *array.Int64:
		met, numbers := map[int64]bool{}, []int64(nil)
		for i := range c.Len() {
			if c.IsValid(i) && !met[c.Value(i)] {
				met[c.Value(i)] = true
				numbers = append(numbers, c.Value(i))
			}
		}
		values = event.NewInt64s(numbers, nil)
	default:
		return nil, false, 0, nil
	}
	if values.Len() > most {
		return nil, false, 0, nil
	}
	return values, m.columns[column].NullN() > 0, int64(values.Len()), nil
}

// Read overwrites memory as a file's reader does, so that whoever keeps lent columns gives wrong answers.
func (m *morsel) Read(_ context.Context, wanted []bool, memory *event.Buffers) ([]arrow.Array, int64, error) {
	out := make([]arrow.Array, len(m.columns))
	for i, c := range m.columns {
		if all := wanted == nil; !all && !wanted[i] {
			continue
		}
		out[i] = c
		if numbers, ok := c.(*array.Int64); ok && memory != nil {
			lent := memory.Int64s(m.rows)
			copy(lent, numbers.Int64Values())
			out[i] = event.NewInt64s(lent, event.ValidityOf(c))
		}
	}
	return out, int64(8 * m.rows), nil
}

// sink keeps what was appended.
type sink struct {
	rows  []string
	names []string
	fail  error
}

func (s *sink) Append(_ context.Context, stream string, names []string, columns []arrow.Array) (int64, error) {
	if s.fail != nil {
		return 0, s.fail
	}
	s.names = append([]string{stream}, names...)
	for i := range columns[0].Len() {
		s.rows = append(s.rows, renderRow(columns, i))
	}
	return int64(columns[0].Len()), nil
}

// renderRow prints a row so that equal rows print alike.
func renderRow(columns []arrow.Array, row int) string {
	out := ""
	for _, c := range columns {
		out += "|" + render(c, row)
	}
	return out
}

func render(c arrow.Array, i int) string {
	if c.DataType().ID() == arrow.NULL || c.IsNull(i) {
		return "NULL"
	}
	switch c := c.(type) {
	case *array.Float64:
		return fmt.Sprint(c.Value(i) + 0) // one zero
	case *array.String, *array.Dictionary:
		return fmt.Sprintf("%q", event.StringAt(c, i))
	default:
		return c.ValueStr(i)
	}
}

func newRand(t *testing.T, seed uint64) *rand.Rand {
	t.Helper()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}

func requireCode(t *testing.T, err error, code event.Code) *event.Error {
	t.Helper()
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
	return e
}
