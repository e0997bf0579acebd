package kernel

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
)

func registerStringAgg(all map[string]func() Accumulator) {
	all["string_agg(TEXT, TEXT)"] = func() Accumulator { return &stringAgg{} }
}

// stringAgg joins texts in the order in which they come; the separator of a text stands before it. A NULL text is left out, and a
// NULL separator is empty.
type stringAgg struct {
	joined []joinedText
	bytes  int64
}

// joinedText is the text of one group. A separator is kept apart for the first text: it counts only where another group's
// text comes before.
type joinedText struct {
	text      []byte
	separator string // of the first text
	any       bool
}

func (a *stringAgg) Update(groups Groups, args []Operand, rows int) error {
	a.joined = grown(a.joined, groups.Count, joinedText{})
	values, valid := textsOf(args[0]), args[0].validity(rows)
	separators, separated := textsOf(args[1]), args[1].validity(rows)
	for i := range rows {
		if !valid.Valid(i) {
			continue
		}
		separator := ""
		if separated.Valid(i) {
			separator = separators.at(i)
		}
		if err := a.add(groupOf(groups, i), values.at(i), separator); err != nil {
			return err
		}
	}
	return nil
}

func (a *stringAgg) add(g uint32, value, separator string) error {
	s := &a.joined[g]
	before := cap(s.text)
	if s.any {
		s.text = append(append(s.text, separator...), value...)
	} else {
		s.any, s.separator = true, string([]byte(separator))
		s.text = append(s.text, value...)
		a.bytes += int64(len(separator))
	}
	a.bytes += int64(cap(s.text) - before)
	if len(s.text) > maxTextBytes {
		return errTooMuchText()
	}
	return nil
}

func (a *stringAgg) Merge(other Accumulator, mapping []uint32, count int) error {
	a.joined = grown(a.joined, count, joinedText{})
	for g, s := range other.(*stringAgg).joined {
		if !s.any {
			continue
		}
		if err := a.add(mapping[g], string(s.text), s.separator); err != nil {
			return err
		}
	}
	return nil
}

// State is the texts, NULL where there is none, and the separators.
func (a *stringAgg) State(groups []uint32) ([]arrow.Array, error) {
	a.joined = grown(a.joined, reach(groups), joinedText{})
	texts, separators := make([][]byte, len(groups)), make([][]byte, len(groups))
	for i, s := range chosen(a.joined, groups) {
		if s.any {
			texts[i], separators[i] = append([]byte{}, s.text...), []byte(s.separator)
		}
	}
	joined, err := bytesColumn(texts)
	if err != nil {
		return nil, err
	}
	first, err := bytesColumn(separators)
	return []arrow.Array{joined, first}, err
}

func (a *stringAgg) Restore(state []arrow.Array) error {
	if err := CheckState(state, binaryState, binaryState); err != nil {
		return err
	}
	texts, size := bytesOf(state[0])
	separators, _ := bytesOf(state[1])
	a.joined = make([]joinedText, len(texts))
	for g, text := range texts {
		a.joined[g] = joinedText{text: text, separator: string(separators[g]), any: text != nil}
		size += int64(len(separators[g]))
	}
	a.bytes = size
	return nil
}

func (a *stringAgg) Result(groups int) (arrow.Array, error) {
	a.joined = grown(a.joined, groups, joinedText{})
	offsets, valid := make([]int32, 1, groups+1), event.NewBitmap(groups)
	var data []byte
	for g, s := range a.joined[:groups] {
		if s.any {
			valid.Set(g)
			data = append(data, s.text...)
		}
		if len(data) > maxTextBytes {
			return nil, errTooMuchText()
		}
		offsets = append(offsets, int32(len(data)))
	}
	return event.NewStrings(offsets, data, valid), nil
}

func (a *stringAgg) Bytes() int64 { return sizeOf(a.joined) + a.bytes }
