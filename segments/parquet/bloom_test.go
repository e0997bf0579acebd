package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// keyed are rows with keys of every kind that filters are made for, and columns that have none.
func keyed(n int) (*event.Schema, []arrow.Array) {
	kinds := []event.Kind{event.TimestampTZ, event.BigInt, event.Text, event.Text, event.UUID, event.BigInt, event.Double}
	schema := &event.Schema{Version: 1, TimeColumn: 1, NextID: 8}
	for i, kind := range kinds {
		schema.Columns = append(schema.Columns, event.Column{ID: event.FieldID(i + 1), Name: fmt.Sprint("c", i+1), Type: event.Type{Kind: kind}})
	}
	rng := rand.New(rand.NewPCG(5, 5))
	times, ids, few, numbers := make([]int64, n), make([]int64, n), make([]int64, n), make([]float64, n)
	plain, repeated, uuids := make([]string, n), make([]string, n), make([]decimal128.Num, n)
	for i := range n {
		times[i], ids[i], few[i], numbers[i] = int64(i), rng.Int64(), rng.Int64N(100), rng.Float64()
		plain[i], repeated[i] = fmt.Sprintf("%x", rng.Uint64()), fmt.Sprint("user", rng.IntN(5000))
		uuids[i] = decimal128.New(rng.Int64(), rng.Uint64())
	}
	columns := []arrow.Array{
		event.NewTimestamps(times, nil), event.NewInt64s(ids, nil), textsOf(plain), textsOf(repeated), event.NewUUIDs(uuids, nil),
		event.NewInt64s(few, nil), event.NewFloat64s(numbers, nil),
	}
	zeros := make([]int64, n)
	return schema, append(columns, event.NewInt64s(zeros, nil), event.NewInt64s(times, nil), event.NewTimestamps(times, nil),
		event.NewNulls(event.Type{Kind: event.TimestampTZ}, n))
}

func TestFiltersHoldEveryValueAndFewOthers(t *testing.T) {
	t.Parallel()
	const n = 40_000
	schema, columns := keyed(n)
	var file bytes.Buffer
	info, err := Write(&file, schema, columns, testMeta(), Layout{RowGroupRows: n / 2, PageRows: 5000})
	require.NoError(t, err)
	r, err := Open(bytes.NewReader(file.Bytes()), info.Bytes, "x", NewCaches(0))
	require.NoError(t, err)
	foreign, err := pq.OpenFile(bytes.NewReader(file.Bytes()), info.Bytes)
	require.NoError(t, err)
	for id := event.FieldID(1); id <= 7; id++ {
		has := id >= 2 && id <= 5
		for group := range 2 {
			require.Equal(t, has, r.groups[group].chunks[id-1].filter.size > 0, "column %d", id)
			other := foreign.RowGroups()[group].ColumnChunks()[id-1].BloomFilter()
			require.Equal(t, has, other != nil)
			taken := 0
			for i := 0; has && i < n; i += 9 {
				one := array1(columns[id-1], i)
				held, err := r.MayHold(group, id, one)
				require.NoError(t, err)
				if i/(n/2) == group {
					require.True(t, held, "column %d, row %d", id, i)
					agrees, err := other.Check(foreignValue(one))
					require.NoError(t, err)
					require.True(t, agrees, "another reader finds it")
				} else if held {
					taken++
				}
			}
			if id != 4 { // whose values are in both
				require.Less(t, taken, n/2/9/20, "column %d", id)
			}
		}
	}
	held, err := r.MayHold(0, 99, columns[1])
	require.True(t, held && err == nil, "nothing is known of a column that is not there")
}

func array1(values arrow.Array, i int) arrow.Array { return event.Take(values, []int32{int32(i)}) }

func foreignValue(values arrow.Array) pq.Value {
	switch values.DataType().ID() {
	case arrow.FLOAT64:
		return pq.DoubleValue(arrow.GetValues[float64](values.Data(), 1)[0])
	case arrow.INT64, arrow.TIMESTAMP:
		return pq.Int64Value(arrow.GetValues[int64](values.Data(), 1)[0])
	case arrow.FIXED_SIZE_BINARY:
		b := event.UUIDBytes(event.Words(values)[0])
		return pq.FixedLenByteArrayValue(b[:])
	default:
		return pq.ByteArrayValue([]byte(event.StringAt(values, 0)))
	}
}

func TestDamagedFiltersAreErrors(t *testing.T) {
	t.Parallel()
	schema, columns := keyed(3000)
	var file bytes.Buffer
	info, err := Write(&file, schema, columns, testMeta(), Layout{PageRows: 1000})
	require.NoError(t, err)
	r, err := Open(bytes.NewReader(file.Bytes()), info.Bytes, "x", NewCaches(0))
	require.NoError(t, err)
	at := r.groups[0].chunks[1].filter
	for i := range int64(8) {
		data := bytes.Clone(file.Bytes())
		data[at.offset+i] ^= 0xff
		damaged, err := Open(bytes.NewReader(data), info.Bytes, "x", NewCaches(0))
		require.NoError(t, err)
		_, _ = damaged.MayHold(0, 2, columns[1]) // an error or an answer, but no panic; the store checks blocks before
		_, _, err = damaged.Read(context.Background(), []event.FieldID{2}, 0, 0, 3000, nil)
		require.NoError(t, err)
	}
}
