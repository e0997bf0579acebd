package partition

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
)

// Router spreads rows over a stream's partitions: by the hash of the key columns' values where the stream has a key, so that
// equal keys stay in one partition and in order, else whole requests in turn. It may be used from any goroutine.
type Router struct {
	partitions int
	keys       []string
	turn       atomic.Uint64
}

// NewRouter makes the router of a stream.
func NewRouter(partitions int, keys []string) *Router {
	return &Router{partitions: partitions, keys: keys}
}

// Routed is the part of some rows that goes to one partition.
type Routed struct {
	Partition event.Partition
	Rows      Rows
}

// Split cuts rows up by partition, in partition order, keeping their order within each.
func (r *Router) Split(rows Rows) ([]Routed, error) {
	if r.partitions == 1 {
		return []Routed{{Rows: rows}}, nil
	}
	if len(r.keys) == 0 {
		return []Routed{{Partition: r.choose(rows), Rows: rows}}, nil
	}
	hashes, err := r.hash(rows)
	if err != nil {
		return nil, err
	}
	chosen := make([][]int32, r.partitions)
	for i, h := range hashes {
		p := h % uint64(r.partitions)
		chosen[p] = append(chosen[p], int32(i))
	}
	var out []Routed
	for p, indices := range chosen {
		if len(indices) > 0 {
			out = append(out, Routed{Partition: event.Partition(p), Rows: rows.Take(indices)})
		}
	}
	return out, nil
}

// choose gives the partition of rows that have no key of their own. Those of a request with a key go where they would go if the request
// was sent again.
func (r *Router) choose(rows Rows) event.Partition {
	var turn uint64
	if rows.Request == nil {
		turn = r.turn.Add(1)
	} else {
		turn = xxh3.Hash(binary.LittleEndian.AppendUint32(rows.Request.Key[:], rows.Request.Chunk))
	}
	return event.Partition(turn % uint64(r.partitions))
}

// Take gives the rows with these indexes.
func (rows Rows) Take(indices []int32) Rows {
	out := Rows{Schema: rows.Schema, Arrival: rows.Arrival, Request: rows.Request, Early: rows.Early, Columns: make([]arrow.Array, len(rows.Columns))}
	for i, column := range rows.Columns {
		out.Columns[i] = event.Take(column, indices)
	}
	for _, i := range indices {
		if rows.Raw != nil {
			out.Raw = append(out.Raw, rows.Raw[i])
		}
		out.Times = append(out.Times, rows.Times[i])
		if rows.Lines != nil {
			out.Lines = append(out.Lines, rows.Lines[i])
		}
		if rows.Keys != nil {
			out.Keys = append(out.Keys, rows.Keys[i])
		}
	}
	return out
}

// hash folds the key columns of each row into one value. It is part of the stored format: a key's partition never changes.
func (r *Router) hash(rows Rows) ([]uint64, error) {
	hashes := make([]uint64, len(rows.Times))
	for _, key := range r.keys {
		column, err := rows.Schema.Resolve(key)
		if err != nil {
			return nil, fmt.Errorf("partition rows: %w", err)
		}
		for i, c := range rows.Schema.Columns {
			if c.ID == column.ID {
				foldHash(hashes, rows.Columns[i])
			}
		}
	}
	return hashes, nil
}

// foldHash mixes a column's values into the rows' hashes; NULL mixes in as a value of its own.
func foldHash(hashes []uint64, values arrow.Array) {
	var scratch []byte
	for i := range hashes {
		scratch = binary.LittleEndian.AppendUint64(scratch[:0], hashes[i])
		if values.IsValid(i) {
			scratch = appendKey(append(scratch, 1), values, i)
		}
		hashes[i] = xxh3.Hash(scratch)
	}
}

func appendKey(dst []byte, values arrow.Array, i int) []byte {
	switch a := values.(type) {
	case *array.Boolean:
		if a.Value(i) {
			return append(dst, 1)
		}
		return append(dst, 0)
	case *array.Int64:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Float64:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(a.Value(i)))
	case *array.Timestamp:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Int16:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Int32:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Date32:
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Value(i)))
	case *array.Float32:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(float64(a.Value(i))))
	case *array.Decimal128:
		v := a.Value(i)
		return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, v.LowBits()), uint64(v.HighBits()))
	case *array.FixedSizeBinary:
		return append(dst, a.Value(i)...)
	case *array.Binary:
		return append(dst, a.Value(i)...)
	default:
		return append(dst, event.StringAt(values, i)...)
	}
}
