package decode

import (
	"encoding/binary"

	"github.com/tidemarkdb/tidemark/event"
)

// Label is what most likely stands between a value and that of a column behind it: a comma, the name in quotes, a colon, and the spaces that
// the sender writes around them.
type Label struct {
	text string
	// Its first and its second eight bytes as numbers, under masks where it is shorter.
	first, second, firstMask, secondMask uint64
	// last is its last eight bytes, where it is longer than those two.
	last uint64
	// learned is how often the spelling has changed.
	learned uint8
}

const (
	// labelWords are the bytes of a label that are compared as numbers.
	labelWords = 2 * wordBytes
	// maxLearned bounds how often a label changes, and maxLabel how long it becomes: senders that spell a row's members in ever new ways gain nothing.
	maxLearned = 4
	maxLabel   = maxNameBytes + 16
	// firstLead turns the brace before the first member of a row into the comma that labels begin with.
	firstLead = '{' ^ ','
)

// Set makes the label this text, which is not empty.
func (l *Label) Set(text string) {
	var padded [labelWords]byte
	n := copy(padded[:], text)
	l.text = text
	l.first, l.second = binary.LittleEndian.Uint64(padded[:]), binary.LittleEndian.Uint64(padded[wordBytes:])
	l.firstMask, l.secondMask = ^uint64(0)>>(8*(wordBytes-min(n, wordBytes))), ^uint64(0)>>(8*(labelWords-max(n, wordBytes)))
	if n <= wordBytes {
		l.secondMask = 0
	}
	if n == labelWords {
		l.last = binary.LittleEndian.Uint64([]byte(text[len(text)-wordBytes:]))
	}
}

// End is the index behind the label, if it stands at i and a value may begin behind it, of which eight bytes can be looked at; else 0. lead is what the
// first byte of the text differs by from that of the label, where it stands at the beginning of a row.
func (l *Label) End(text []byte, i int, lead uint64) int {
	if i < 0 || i > len(text)-labelWords { // i is never negative, which the compiler learns here
		return 0
	}
	block := text[i : i+labelWords]
	first, second := binary.LittleEndian.Uint64(block)^lead, binary.LittleEndian.Uint64(block[wordBytes:])
	if (first^l.first)&l.firstMask|(second^l.second)&l.secondMask != 0 {
		return 0
	}
	end := i + len(l.text)
	if end > len(text)-wordBytes || len(l.text) > labelWords && !l.endsBefore(text, end) {
		return 0
	}
	return end
}

// endsBefore reports whether the bytes of a long label behind its first words stand before end.
func (l *Label) endsBefore(text []byte, end int) bool {
	return binary.LittleEndian.Uint64(text[end-wordBytes:]) == l.last &&
		(len(l.text) <= labelWords+wordBytes || string(text[end+labelWords-len(l.text):end-wordBytes]) == l.text[labelWords:len(l.text)-wordBytes])
}

// learn takes another spelling of the label: the same bytes will mean the same wherever they stand behind a value.
func (l *Label) learn(spelled []byte) {
	if l.learned == maxLearned || len(spelled) > maxLabel || string(spelled[1:]) == l.text[1:] {
		return
	}
	text := string(spelled)
	if text[0] == '{' {
		text = "," + text[1:]
	}
	l.learned++
	l.Set(text)
}

// labelsOf gives the label of each column, without spaces.
func labelsOf(schema *event.Schema) []Label {
	var text []byte
	ends := make([]int, len(schema.Columns))
	for i := range schema.Columns {
		text = append(event.AppendJSONString(append(text, ','), schema.Columns[i].Name), ':')
		ends[i] = len(text)
	}
	all, start := string(text), 0
	labels := make([]Label, len(ends))
	for i, end := range ends {
		labels[i].Set(all[start:end])
		start = end
	}
	return labels
}
