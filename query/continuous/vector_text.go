package continuous

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
)

// textVector holds TEXT, JSONB and BYTEA: all values lie in one arena, which is written anew once half of it is not needed any more.
type textVector struct {
	binary bool
	spans  []span
	null   nulls
	arena  []byte
	unused int // bytes of the arena that no span covers
}

// span is a stretch of the arena.
type span struct {
	at     int
	length int
}

// smallArena is what is not worth writing anew.
const smallArena = 64 << 10

func textOf(values arrow.Array) *array.String {
	if b, ok := values.(*array.Binary); ok {
		return event.AsText(b)
	}
	return values.(*array.String)
}

func (v *textVector) put(slots []uint32, values arrow.Array, rows []int32) {
	v.drop(slots)
	v.spans = lengthened(v.spans, highest(slots))
	v.null.put(slots, values, rows)
	in := textOf(values)
	for i, s := range slots {
		row := rowAt(rows, i)
		if in.IsNull(row) {
			v.spans[s] = span{}
			continue
		}
		text := in.Value(row)
		v.spans[s] = span{len(v.arena), len(text)}
		v.arena = append(v.arena, text...)
	}
}

func (v *textVector) gather(slots []uint32) arrow.Array {
	offsets := make([]int32, 1, len(slots)+1)
	total := 0
	for _, s := range slots {
		total += v.spans[s].length
	}
	if total > math.MaxInt32 {
		panic(event.Errorf(event.CodeTooLarge, "the text of one step exceeds 2 GiB"))
	}
	data := make([]byte, 0, total)
	for _, s := range slots {
		data = append(data, v.at(s)...)
		offsets = append(offsets, int32(len(data)))
	}
	valid := v.null.validity(slots)
	if v.binary {
		return event.NewBinaries(offsets, data, valid)
	}
	return event.NewStrings(offsets, data, valid)
}

func (v *textVector) at(slot uint32) []byte {
	s := v.spans[slot]
	return v.arena[s.at : s.at+s.length]
}

func (v *textVector) match(slots []uint32, values arrow.Array, equal []bool) {
	in := textOf(values)
	for i, s := range slots {
		null := in.IsNull(i)
		equal[i] = equal[i] && v.null.at(s) == null && (null || string(v.at(s)) == in.Value(i))
	}
}

func (v *textVector) reach(slots int) { v.spans = lengthened(v.spans, slots) }

func (v *textVector) isNull(slot uint32) bool { return v.null.at(slot) }

func (v *textVector) drop(slots []uint32) {
	for _, s := range slots {
		if int(s) < len(v.spans) {
			v.unused += v.spans[s].length
			v.spans[s] = span{}
		}
	}
	if len(v.arena) < smallArena || 2*v.unused < len(v.arena) {
		return
	}
	arena := make([]byte, 0, len(v.arena)-v.unused)
	for i, s := range v.spans {
		v.spans[i].at = len(arena)
		arena = append(arena, v.arena[s.at:s.at+s.length]...)
	}
	v.arena, v.unused = arena, 0
}

func (v *textVector) bytes() int64 {
	return int64(cap(v.arena) + 16*cap(v.spans) + cap(v.null))
}
