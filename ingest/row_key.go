package ingest

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/partition"
)

// rowKeys gives the key of each row under the stream's DEDUP KEY; nil without one. The key of a value stays the same when its column
// widens. A row with a NULL among the key's columns has none.
func rowKeys(schema *event.Schema, columns []arrow.Array, by []string, rows int) ([]dedup.RowKey, error) {
	if len(by) == 0 {
		return nil, nil
	}
	texts := make([][]byte, rows)
	null := make([]bool, rows)
	for _, name := range by {
		column, err := schema.Resolve(name)
		if err != nil {
			return nil, err
		}
		for at, c := range schema.Columns {
			if c.ID == column.ID {
				foldKey(texts, null, columns[at], c.Type.Kind)
			}
		}
	}
	out := make([]dedup.RowKey, rows)
	for i, text := range texts {
		if !null[i] {
			out[i] = xxh3.Hash128(text).Bytes()
		}
	}
	return out, nil
}

// foldKey appends a column's values to the texts of the rows' keys, each with its length.
func foldKey(texts [][]byte, null []bool, values arrow.Array, kind event.Kind) {
	for i := range texts {
		if values.IsNull(i) {
			null[i] = true
			continue
		}
		start := len(texts[i])
		texts[i] = appendKeyValue(append(texts[i], 0, 0, 0, 0), values, i, kind)
		binary.LittleEndian.PutUint32(texts[i][start:], uint32(len(texts[i])-start))
	}
}

// appendKeyValue spells a value so that it is the same before and after its column widens: numbers by value, times and UUIDs as the strings
// that they came as.
func appendKeyValue(dst []byte, values arrow.Array, i int, kind event.Kind) []byte {
	switch a := values.(type) {
	case *array.Int64:
		return appendKeyInteger(dst, a.Value(i))
	case *array.Float64:
		return appendKeyDouble(dst, a.Value(i))
	case *array.Timestamp:
		return event.AppendTimestamp(append(dst, 's'), int64(a.Value(i)))
	case *array.Boolean:
		return strconv.AppendBool(append(dst, 'j'), a.Value(i))
	case *array.String:
		if kind == event.JSONB {
			return appendKeyJSON(dst, []byte(a.Value(i)))
		}
		return append(append(dst, 's'), a.Value(i)...)
	case *array.Dictionary:
		return append(append(dst, 's'), event.StringAt(a, i)...)
	default:
		if kind == event.JSONB {
			return appendKeyJSON(dst, []byte(event.StringAt(values, i)))
		}
		return append(append(dst, 's'), values.ValueStr(i)...)
	}
}

func appendKeyInteger(dst []byte, v int64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, 'n'), uint64(v))
}

func appendKeyDouble(dst []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
		return appendKeyInteger(dst, int64(v))
	}
	return binary.LittleEndian.AppendUint64(append(dst, 'd'), math.Float64bits(v))
}

// appendKeyJSON spells a JSONB value: a scalar as it would be in a column of its own type.
func appendKeyJSON(dst, text []byte) []byte {
	switch {
	case len(text) > 0 && text[0] == '"':
		var s string
		if json.Unmarshal(text, &s) == nil {
			return append(append(dst, 's'), s...)
		}
	case len(text) > 0 && (text[0] == '-' || text[0] >= '0' && text[0] <= '9'):
		if v, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			return appendKeyInteger(dst, v)
		}
		if v, err := strconv.ParseFloat(string(text), 64); err == nil {
			return appendKeyDouble(dst, v)
		}
	}
	return append(append(dst, 'j'), text...)
}

// distinct leaves out the rows that the stream has already under its DEDUP KEY, and reserves the keys of the others until they are stored.
// Rows that somebody else is storing just now are waited for.
func (b *Body) distinct(ctx context.Context, rows partition.Rows) (partition.Rows, *dedup.Reservation, error) {
	by := b.stream.opened.DedupKey
	keys, err := rowKeys(rows.Schema, rows.Columns, by, len(rows.Times))
	if err != nil || keys == nil {
		return rows, nil, err
	}
	rows.Keys = keys
	for {
		reservation, duplicates, wait, err := b.stream.dedup.Reserve(keys, rows.Times, b.stream.dedupFloor)
		if err != nil {
			return rows, nil, err
		}
		if wait != nil {
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return rows, nil, ctx.Err()
			}
		}
		var kept []int32
		for i, duplicate := range duplicates {
			if !duplicate {
				kept = append(kept, int32(i))
			}
		}
		if len(kept) < len(keys) {
			b.summary.Duplicates += int64(len(keys) - len(kept))
			rows = rows.Take(kept)
		}
		return rows, reservation, nil
	}
}

// dedupFloor is the stream's watermark: no row before it is in time.
func (s *Stream) dedupFloor() (int64, bool) {
	least, ok := int64(0), false
	for p := range s.writers {
		_, clock, _ := s.sealing.Tail.Activity(event.Partition(p))
		if !clock.HasWatermark {
			return 0, false
		}
		if !ok || clock.Watermark < least {
			least, ok = clock.Watermark, true
		}
	}
	return least, ok
}
