package app

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// definitions are the streams of the tests of continuous queries.
var definitions = []string{
	`CREATE STREAM orders (id BIGINT, customer TEXT, region TEXT, amount DOUBLE PRECISION, quantity BIGINT, paid BOOLEAN,
		price NUMERIC(10,2), ts TIMESTAMPTZ NOT NULL, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITIONS 2`,
	`CREATE STREAM payments (id BIGINT, order_id BIGINT, customer TEXT, method TEXT, amount DOUBLE PRECISION, ts TIMESTAMPTZ NOT NULL,
		WATERMARK FOR ts AS ts - INTERVAL '5 seconds') PARTITIONS 2`,
}

// definedStreams is a bind.Catalog.
type definedStreams map[string]*catalog.Stream

func (s definedStreams) Stream(name string) (*catalog.Stream, bool) {
	found, ok := s[name]
	return found, ok
}

func (s definedStreams) View(string) (*catalog.View, bool) { return nil, false }

func (s definedStreams) PlainView(string) (*catalog.PlainView, bool) { return nil, false }

func (s definedStreams) SystemTable(string) (*event.Schema, bool) { return nil, false }

func (s definedStreams) SystemTables() []string { return nil }

func (s definedStreams) Tables() []string { return slices.Sorted(maps.Keys(s)) }

func defineStreams(t testing.TB) definedStreams {
	t.Helper()
	out := definedStreams{}
	for _, sql := range definitions {
		bound := bindSQL(t, sql, out).(bind.CreateStream)
		out[bound.Definition.Name] = &bound.Definition
	}
	return out
}

func bindSQL(t testing.TB, sql string, known definedStreams) bind.Bound {
	t.Helper()
	statements, err := parser.Parse(sql)
	require.NoError(t, err, sql)
	bound, err := bind.Bind(statements[0], known, bind.Params{})
	require.NoError(t, err, sql)
	return bound
}

// history is what one stream took in, in the order in which it did, with the hidden columns that a server would have given.
type history struct {
	schema *event.Schema
	// columns are those of the schema, hidden ones included.
	columns []arrow.Array
	rows    int
	// watermarks[i] is the stream's after i rows.
	watermarks []int64
}

const (
	historyStart = int64(1_790_000_000_000_000)
	second       = int64(1_000_000)
)

// newHistory makes rows whose time rises with disorder: some rows repeat, some come late, some far ahead. Numbers add up exactly.
func newHistory(rng *rand.Rand, stream *catalog.Stream, rows int) *history {
	h := &history{schema: stream.Schema, rows: rows, watermarks: []int64{noWatermark}}
	builders := make([]array.Builder, len(stream.Schema.All()))
	for i, c := range stream.Schema.All() {
		builders[i] = array.NewBuilder(memory.DefaultAllocator, c.Type.Arrow())
	}
	now := historyStart
	marks := make([]int64, stream.Partitions)
	offsets := make([]int64, stream.Partitions)
	for i := range marks {
		marks[i] = noWatermark
	}
	pace := []int64{second / 4, second, 10 * second}[rng.IntN(3)]
	for range rows {
		now += rng.Int64N(pace)
		p := rng.IntN(stream.Partitions)
		ts := now - rng.Int64N(6*second)
		switch rng.IntN(20) {
		case 0:
			ts = now - rng.Int64N(120*second)
		case 1:
			ts = ts / second * second
		}
		values := map[event.FieldID]int64{
			event.FieldPartition: int64(p), event.FieldOffset: offsets[p], event.FieldIngestedAt: now, event.FieldWatermark: marks[p],
		}
		for i, c := range stream.Schema.All() {
			if fixed, ok := values[c.ID]; ok {
				appendInteger(builders[i], fixed)
				continue
			}
			appendRandom(rng, builders[i], c, ts)
		}
		offsets[p]++
		marks[p] = max(marks[p], ts-stream.Bound.Microseconds())
		h.watermarks = append(h.watermarks, slices.Min(marks))
	}
	for _, b := range builders {
		h.columns = append(h.columns, b.NewArray())
	}
	return h
}

const noWatermark = -1 << 63

func appendInteger(b array.Builder, v int64) {
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v)
	case *array.TimestampBuilder:
		if v == noWatermark {
			b.AppendNull()
			return
		}
		b.Append(arrow.Timestamp(v))
	}
}

func appendRandom(rng *rand.Rand, b array.Builder, c event.Column, ts int64) {
	if !c.NotNull && rng.IntN(12) == 0 {
		b.AppendNull()
		return
	}
	switch b := b.(type) {
	case *array.TimestampBuilder:
		b.Append(arrow.Timestamp(ts))
	case *array.Int64Builder:
		b.Append(rng.Int64N(12) - 2)
	case *array.Float64Builder:
		b.Append(float64(rng.IntN(400)-100) / 4)
	case *array.BooleanBuilder:
		b.Append(rng.IntN(2) == 0)
	case *array.StringBuilder:
		b.Append([]string{"a", "b", "c", "dd", ""}[rng.IntN(5)])
	case *array.Decimal128Builder:
		b.Append(decimalOf(rng.Int64N(10_000)))
	default:
		panic(fmt.Sprintf("no random %T", b))
	}
}

// slice is the columns of fields, rows from to before to.
func (h *history) slice(fields []event.FieldID, from, to int) []arrow.Array {
	out := make([]arrow.Array, len(fields))
	for i, f := range fields {
		at := slices.IndexFunc(h.schema.All(), func(c event.Column) bool { return c.ID == f })
		out[i] = array.NewSlice(h.columns[at], int64(from), int64(to))
	}
	return out
}

// histories is a query.Source over the first rows of each stream, as many as upTo says.
type histories struct {
	streams map[string]*history
	upTo    map[string]int
}

func (s histories) Open(context.Context, []string) (query.Snapshot, error) { return s, nil }
func (s histories) Close() error                                           { return nil }

func (s histories) Scan(_ context.Context, request query.ScanRequest) (query.Scan, error) {
	h, rows := s.streams[request.Stream], s.upTo[request.Stream]
	if rows == 0 {
		return query.Scan{}, nil
	}
	return query.Scan{Morsels: []query.Morsel{historyPiece{h.slice(request.Columns, 0, rows), rows}}}, nil
}

type historyPiece struct {
	columns []arrow.Array
	rows    int
}

func (p historyPiece) Rows() int                      { return p.rows }
func (p historyPiece) Bounds(int) (arrow.Array, bool) { return nil, false }

func (p historyPiece) Read(context.Context, []bool, *event.Buffers) ([]arrow.Array, int64, error) {
	return slices.Clone(p.columns), 0, nil
}

// printRow renders a row such that equal rows print alike, DOUBLE PRECISION to nine digits.
func printRow(columns []arrow.Array, row int) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteByte('|')
		switch {
		case c.DataType().ID() == arrow.NULL || c.IsNull(row):
			b.WriteString("NULL")
		default:
			switch c := c.(type) {
			case *array.Float64:
				fmt.Fprintf(&b, "%.9g", c.Value(row)+0)
			case *array.String, *array.Dictionary:
				fmt.Fprintf(&b, "%q", event.StringAt(c, row))
			case *array.Timestamp:
				b.WriteString(event.FormatTimestamp(int64(c.Value(row))))
			default:
				b.WriteString(c.ValueStr(row))
			}
		}
	}
	return b.String()
}
