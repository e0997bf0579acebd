package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func registerJSONAgg(all map[string]func() Accumulator) {
	for _, f := range plan.Functions["json_agg"] {
		all[f.Signature()] = func() Accumulator { return &jsonAgg{open: '[', close: ']'} }
	}
	for _, f := range plan.Functions["json_object_agg"] {
		all[f.Signature()] = func() Accumulator { return &jsonAgg{keyed: true, open: '{', close: '}'} }
	}
}

// jsonAgg makes JSON arrays of values, and objects of names and values, in the order in which they come. NULL is JSON null. A name
// that is NULL is an error; of members with the same name the last counts, as everywhere in JSONB.
type jsonAgg struct {
	typ         event.Type
	keyed       bool
	open, close byte
	inner       [][]byte // what stands between the brackets; nil for a group without rows
	bytes       int64
}

func (a *jsonAgg) of(f *plan.Function) { a.typ = f.Args[len(f.Args)-1] }

func (a *jsonAgg) Update(groups Groups, args []Operand, rows int) error {
	a.inner = grown(a.inner, groups.Count, nil)
	write, err := jsonWriter(args[len(args)-1], a.typ, rows)
	if err != nil {
		return err
	}
	valid := args[len(args)-1].validity(rows)
	var names texts
	var named event.Bitmap
	if a.keyed {
		names, named = textsOf(args[0]), args[0].validity(rows)
	}
	var item []byte
	for i := range rows {
		item = item[:0]
		if a.keyed {
			if !named.Valid(i) {
				return event.Errorf(event.CodeInvalidValue, "a name of json_object_agg is NULL")
			}
			item = append(event.AppendJSONString(item, names.at(i)), ':')
		}
		if valid.Valid(i) {
			item = write(item, i)
		} else {
			item = append(item, "null"...)
		}
		if err := a.add(groupOf(groups, i), item); err != nil {
			return err
		}
	}
	return nil
}

func (a *jsonAgg) add(g uint32, items []byte) error {
	inner := a.inner[g]
	before := cap(inner)
	if inner != nil {
		inner = append(inner, ',')
	}
	inner = append(inner, items...)
	a.inner[g] = inner
	a.bytes += int64(cap(inner) - before)
	if len(inner) > maxTextBytes {
		return errTooMuchText()
	}
	return nil
}

func (a *jsonAgg) Merge(other Accumulator, mapping []uint32, count int) error {
	a.inner = grown(a.inner, count, nil)
	for g, items := range other.(*jsonAgg).inner {
		if items == nil {
			continue
		}
		if err := a.add(mapping[g], items); err != nil {
			return err
		}
	}
	return nil
}

func (a *jsonAgg) State(groups []uint32) ([]arrow.Array, error) {
	a.inner = grown(a.inner, reach(groups), nil)
	column, err := bytesColumn(chosen(a.inner, groups))
	return []arrow.Array{column}, err
}

func (a *jsonAgg) Restore(state []arrow.Array) error {
	if err := CheckState(state, binaryState); err != nil {
		return err
	}
	a.inner, a.bytes = bytesOf(state[0])
	return nil
}

func (a *jsonAgg) Result(groups int) (arrow.Array, error) {
	a.inner = grown(a.inner, groups, nil)
	offsets, valid := make([]int32, 1, groups+1), event.NewBitmap(groups)
	var data []byte
	for g, items := range a.inner[:groups] {
		if items != nil {
			valid.Set(g)
			data = append(append(append(data, a.open), items...), a.close)
		}
		if len(data) > maxTextBytes {
			return nil, errTooMuchText()
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid), nil
}

func (a *jsonAgg) Bytes() int64 { return sizeOf(a.inner) + a.bytes }

// jsonWriter appends the value of a row as JSON: numbers and booleans as themselves, JSONB as it is, all else as its text.
// It is not asked for rows that are NULL.
func jsonWriter(o Operand, t event.Type, rows int) (func(dst []byte, i int) []byte, error) {
	to := textual
	if _, ok := casts[conversion{t.Kind, event.JSONB}]; t.Kind == event.JSONB || (ok && t.Kind != event.Text) {
		to = event.Type{Kind: event.JSONB}
	}
	converted, err := Cast(&Context{}, o, t, to, rows)
	if err != nil {
		return nil, err
	}
	values := textsOf(converted)
	if to.Kind == event.JSONB {
		return func(dst []byte, i int) []byte { return append(dst, values.at(i)...) }, nil
	}
	return func(dst []byte, i int) []byte { return event.AppendJSONString(dst, values.at(i)) }, nil
}
