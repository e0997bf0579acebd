package kernel

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/tidemarkdb/tidemark/event"
)

// valueKeys gives values that are equal the same key, and others different ones: integers for the types that have one for each
// value, else texts. Exactly one of the two is set. Keys of NULL rows mean nothing.
type valueKeys struct {
	integers []int64
	texts    texts
}

// keysOfValues makes the keys of a column.
func keysOfValues(values arrow.Array, t event.Type) (valueKeys, error) {
	o, rows := Operand{Array: values}, values.Len()
	switch t.Kind {
	case event.BigInt, event.TimestampTZ, event.Time:
		return valueKeys{integers: integerKeys(o, rows, nil)}, nil
	case event.Double:
		return valueKeys{integers: doubleKeys(o, rows, make([]int64, rows))}, nil
	case event.Boolean:
		return valueKeys{integers: booleanKeys(o, rows, make([]int64, rows))}, nil
	case event.Text:
		return valueKeys{texts: textsOf(o)}, nil
	case event.JSONB:
		canonical, err := canonicalColumn(values)
		return valueKeys{texts: textsOf(Operand{Array: canonical})}, err
	case event.Interval:
		return valueKeys{texts: textsOf(Operand{Array: intervalKeys(values)})}, nil
	default:
		text, err := Cast(&Context{}, o, t, event.Type{Kind: event.Text}, rows)
		if err != nil {
			return valueKeys{}, err
		}
		return valueKeys{texts: textsOf(Operand{Array: text.Expand(rows)})}, nil
	}
}

// intervalKeys is the length of each interval as 16 bytes.
func intervalKeys(values arrow.Array) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	for i, v := range arrow.GetValues[arrow.MonthDayNanoInterval](values.Data(), 1) {
		if values.IsNull(i) {
			b.AppendNull()
			continue
		}
		var key [16]byte
		days, rest := intervalLength(v)
		binary.LittleEndian.PutUint64(key[:8], uint64(days))
		binary.LittleEndian.PutUint64(key[8:], uint64(rest))
		b.Append(string(key[:]))
	}
	return b.NewArray()
}

// canonicalColumn puts JSONB into canonical form, each entry of a dictionary once.
func canonicalColumn(values arrow.Array) (arrow.Array, error) {
	if d, ok := values.(*array.Dictionary); ok {
		entries, err := canonicalColumn(d.Dictionary())
		if err != nil {
			return nil, err
		}
		return event.NewDictionary(codesOf(d), entries, validityOf(d)), nil
	}
	texts := values.(*array.String)
	b := array.NewStringBuilder(memory.DefaultAllocator)
	total := 0
	for i := range texts.Len() {
		if texts.IsNull(i) {
			b.AppendNull()
			continue
		}
		canonical := CanonicalJSON(texts.Value(i))
		if total += len(canonical); total > maxTextBytes {
			return nil, errTooMuchText()
		}
		b.Append(canonical)
	}
	return b.NewArray(), nil
}
