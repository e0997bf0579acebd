package kernel

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

// Concat lays arrays of one type end to end. Dictionaries stay one while that is smaller than the text itself; mixed with plain
// text they become plain.
func Concat(values []arrow.Array) (arrow.Array, error) {
	if len(values) == 1 {
		return values[0], nil
	}
	if len(values) > 0 && isText(values[0]) {
		return concatText(values)
	}
	out, err := array.Concatenate(values, memory.DefaultAllocator)
	if err != nil {
		return nil, fmt.Errorf("concatenate columns: %w", err)
	}
	return out, nil
}

func concatText(values []arrow.Array) (arrow.Array, error) {
	dictionaries := make([]*array.Dictionary, 0, len(values))
	for _, v := range values {
		if d, ok := v.(*array.Dictionary); ok {
			dictionaries = append(dictionaries, d)
		}
	}
	if len(dictionaries) == len(values) {
		if out, ok := concatDictionaries(dictionaries); ok {
			return out, nil
		}
	}
	return concatPlain(values)
}

func concatPlain(values []arrow.Array) (arrow.Array, error) {
	plain := make([]arrow.Array, len(values))
	total := 0
	for i, v := range values {
		s, ok := Decode(v).(*array.String)
		if !ok {
			return nil, errTooMuchText()
		}
		plain[i] = s
		total += len(s.ValueBytes())
	}
	if total > maxTextBytes {
		return nil, errTooMuchText()
	}
	out, err := array.Concatenate(plain, memory.DefaultAllocator)
	if err != nil {
		return nil, fmt.Errorf("concatenate text columns: %w", err)
	}
	return out, nil
}

// concatDictionaries joins the codes over the distinct dictionaries laid end to end. It declines where these hold more values
// than there are rows.
func concatDictionaries(columns []*array.Dictionary) (arrow.Array, bool) {
	shifts := make([]int32, len(columns))
	var distinct []arrow.Array
	firstAt := map[arrow.ArrayData]int32{}
	rows, entries := 0, 0
	for i, d := range columns {
		shift, seen := firstAt[d.Dictionary().Data()]
		if !seen {
			shift = int32(entries)
			firstAt[d.Dictionary().Data()] = shift
			distinct = append(distinct, d.Dictionary())
			entries += d.Dictionary().Len()
		}
		shifts[i] = shift
		rows += d.Len()
	}
	if len(distinct) > 1 && entries > max(rows, smallDictionary) {
		return nil, false
	}
	values, err := concatPlain(distinct)
	if err != nil {
		return nil, false
	}
	return joinCodes(columns, shifts, rows, values), true
}

// smallDictionary is a number of entries that is cheap to carry along however few the rows.
const smallDictionary = 256

func joinCodes(columns []*array.Dictionary, shifts []int32, rows int, values arrow.Array) arrow.Array {
	codes := make([]int32, 0, rows)
	var valid event.Bitmap
	for i, d := range columns {
		for j, code := range codesOf(d) {
			if d.IsNull(j) {
				if valid == nil {
					valid = allValid(rows)
				}
				valid.Clear(len(codes))
				codes = append(codes, 0)
				continue
			}
			codes = append(codes, code+shifts[i])
		}
	}
	return event.NewDictionary(codes, values, valid)
}
