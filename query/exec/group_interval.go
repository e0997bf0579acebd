package exec

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

// intervalKeys is the key column of INTERVAL. Intervals are equal if they are equally long, a month being 30 days, however
// they are written; of the ways in which it met one, a group shows the one with the most months, then days.
type intervalKeys struct {
	lengths *textTable                   // over the 16 bytes that intervalBytes gives
	shown   []arrow.MonthDayNanoInterval // by number
	null    nullCode
}

func newIntervalKeys() *intervalKeys { return &intervalKeys{lengths: newTextTable()} }

func (k *intervalKeys) encode(values arrow.Array, codes []uint32) {
	for i, v := range arrow.GetValues[arrow.MonthDayNanoInterval](values.Data(), 1) {
		if values.IsNull(i) {
			codes[i] = k.null.take(len(k.shown))
			continue
		}
		length := intervalBytes(v)
		number := k.lengths.insert(string(length[:]))
		if int(number) == len(k.shown) {
			k.shown = append(k.shown, v)
		} else if shown := &k.shown[number]; v.Months > shown.Months || (v.Months == shown.Months && v.Days > shown.Days) {
			*shown = v
		}
		codes[i] = k.null.code(number)
	}
}

// intervalBytes is the length as whole days and the nanoseconds beyond them: together they exceed 64 bits.
func intervalBytes(v arrow.MonthDayNanoInterval) (out [16]byte) {
	const nanosPerDay = 24 * 60 * 60 * 1e9
	days, rest := v.Nanoseconds/nanosPerDay, v.Nanoseconds%nanosPerDay
	if rest < 0 {
		days, rest = days-1, rest+nanosPerDay
	}
	days += 30*int64(v.Months) + int64(v.Days)
	binary.LittleEndian.PutUint64(out[:8], uint64(days))
	binary.LittleEndian.PutUint64(out[8:], uint64(rest))
	return out
}

func (k *intervalKeys) count() int { return k.null.count(len(k.shown)) }

func (k *intervalKeys) decode(codes []uint32) (arrow.Array, error) {
	numbers, valid := k.null.numbers(codes)
	out := make([]arrow.MonthDayNanoInterval, len(codes))
	for i, number := range numbers {
		if valid.Valid(i) {
			out[i] = k.shown[number]
		}
	}
	return event.NewFixed(arrow.FixedWidthTypes.MonthDayNanoInterval, out, valid), nil
}

func (k *intervalKeys) bytes() int64 { return k.lengths.bytes() + int64(16*cap(k.shown)) }
