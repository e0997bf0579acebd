// Package texts numbers distinct texts, for whoever groups or joins by text or writes a dictionary.
//
// A Table hands out numbers densely, in order of first appearance, so that what depends on them does not depend on chance. It
// belongs to one goroutine while texts are inserted; Find may be called from several when none are. It forgets nothing and does
// not watch how large it grows: callers ask Bytes.
package texts

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"unsafe"

	"github.com/zeebo/xxh3"
)

// Table numbers texts. It keeps one copy of each, end to end, and is an open-addressing table with linear probing, at most half
// full. The hash is seeded at random, so that no client can choose texts that collide.
type Table struct {
	slots []slot
	mask  uint64
	ends  []int // by number: where the text ends in data
	data  []byte
	seeds [2]uint64
}

// slot holds a text of up to 11 bytes itself, so that looking it up costs one cache miss and not one for each of slot, end
// and text.
type slot struct {
	word uint64 // the first 8 bytes; of a longer text its hash
	rest uint32 // the next 3 bytes, and above them the length; of a longer text long
	id   uint32 // the number plus one; 0 marks an empty slot
}

const (
	firstSlots = 256
	slotBytes  = 16
	inlineText = 11
	long       = math.MaxUint32
)

// New makes an empty table.
func New() *Table {
	seeds := [2]uint64{rand.Uint64(), rand.Uint64()} //nolint:gosec // the runtime seeds it: enough against chosen keys
	return &Table{slots: make([]slot, firstSlots), mask: firstSlots - 1, seeds: seeds}
}

// Insert is the number of text, which is the next one if text is new.
func (t *Table) Insert(text string) uint32 { return t.insert(t.slotOf(text), text) }

func (t *Table) insert(wanted slot, text string) uint32 {
	found := t.locate(wanted, text)
	if found.id != 0 {
		return found.id - 1
	}
	t.data = append(room(t.data, len(text)), text...)
	t.ends = append(room(t.ends, 1), len(t.data))
	wanted.id = uint32(len(t.ends))
	*found = wanted
	if 2*len(t.ends) > len(t.slots) {
		t.grow()
	}
	return wanted.id - 1
}

// together is how many texts InsertAll looks up at a time.
const together = 32

// lookup is what InsertAll knows of a text.
type lookup struct {
	slot
	at uint64 // where its slot is
}

// InsertAll is Insert for each of some texts, in order. A large table is not in a processor's cache: here what is looked at for several texts is on its way
// from memory at the same time. numbers has as many elements as texts.
func (t *Table) InsertAll(texts []string, numbers []uint32) {
	var wanted [together]lookup
	for len(texts) > 0 {
		n := min(together, len(texts))
		for i, text := range texts[:n] {
			w := &wanted[i]
			w.slot = t.slotOf(text)
			w.at = t.hash(w.slot) & t.mask
		}
		for i := range wanted[:n] {
			w := &wanted[i]
			w.id = t.slots[w.at].id
		}
		for i, text := range texts[:n] {
			w := &wanted[i]
			if id := w.id; id != 0 && t.holds(w, text) {
				numbers[i] = id - 1
			} else {
				numbers[i] = t.insert(w.slot, text)
			}
		}
		texts, numbers = texts[n:], numbers[n:]
	}
}

func (t *Table) holds(w *lookup, text string) bool {
	found := &t.slots[w.at&t.mask]
	return found.word == w.word && found.rest == w.rest && found.id == w.id && (w.rest != long || string(t.At(w.id-1)) == text)
}

// Find is the number of text plus one; 0 where it was never inserted.
func (t *Table) Find(text string) uint32 { return t.locate(t.slotOf(text), text).id }

// At is the text with a number. It must not be changed.
func (t *Table) At(number uint32) []byte {
	start := 0
	if number > 0 {
		start = t.ends[number-1]
	}
	return t.data[start:t.ends[number]]
}

// Len is how many distinct texts there are.
func (t *Table) Len() int { return len(t.ends) }

// Layout is all texts end to end, by number, and where each ends. Neither may be changed.
func (t *Table) Layout() (data []byte, ends []int) { return t.data, t.ends }

// TextBytes is how much text there is.
func (t *Table) TextBytes() int { return len(t.data) }

// Reset forgets all texts. What Layout and At gave stays as it is; the memory of the slots is used again.
func (t *Table) Reset() {
	clear(t.slots)
	t.ends, t.data = make([]int, 0, len(t.ends)), make([]byte, 0, len(t.data))
}

// Bytes is the memory held.
func (t *Table) Bytes() int64 { return int64(slotBytes*len(t.slots) + 8*cap(t.ends) + cap(t.data)) }

// slotOf is the slot that a text belongs in, without a number. Of two texts that are short it is the same only if they are.
func (t *Table) slotOf(text string) slot {
	n := len(text)
	out := slot{rest: uint32(n) << 24}
	switch {
	case n > inlineText:
		return slot{word: xxh3.HashStringSeed(text, t.seeds[0]), rest: long}
	case n >= 8:
		// Loads that may overlap; what overlaps is shifted out.
		out.word = uint64(load32(text)) | uint64(load32(text[4:]))<<32
		out.rest |= load32(text[n-4:]) >> (8 * (12 - n))
	case n >= 4:
		out.word = uint64(load32(text)) | uint64(load32(text[n-4:])>>(8*(8-n)))<<32
	case n > 0:
		out.word = uint64(text[0]) | uint64(text[n/2])<<8 | uint64(text[n-1])<<16
	}
	return out
}

// load32 is the first 4 bytes of a text; the compiler makes one load of it.
func load32(text string) uint32 {
	_ = text[3]
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24
}

// hash folds the 128-bit product of both seeded halves, as wyhash does.
func (t *Table) hash(s slot) uint64 {
	if s.rest == long {
		return s.word
	}
	high, low := bits.Mul64(s.word^t.seeds[0], uint64(s.rest)^t.seeds[1])
	return high ^ low
}

// locate is the slot that holds text, or the empty one where it would be put.
func (t *Table) locate(wanted slot, text string) *slot {
	for at := t.hash(wanted) & t.mask; ; at = (at + 1) & t.mask {
		found := &t.slots[at]
		if found.id == 0 {
			return found
		}
		if found.word == wanted.word && found.rest == wanted.rest && (found.rest != long || string(t.At(found.id-1)) == text) {
			return found
		}
	}
}

// doubledBytes is the size up to which memory doubles when it grows. Growing by less, as Go does, would touch five times as much memory in the end as is in
// use, rather than twice; but of much memory, little is to lie unused.
const doubledBytes = 4 << 20

// room gives values room for n more.
func room[T any](values []T, n int) []T {
	if len(values)+n <= cap(values) || cap(values)*int(unsafe.Sizeof(*new(T))) > doubledBytes {
		return values
	}
	return slices.Grow(values, max(n, len(values)))
}

// manySlots is the number of slots from which on a table only doubles: it is larger than the caches that are quick.
const manySlots = 64 << 10

func (t *Table) grow() {
	old, factor := t.slots, 4
	if len(old) >= manySlots {
		factor = 2
	}
	t.slots = make([]slot, factor*len(old))
	t.mask = uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		at := t.hash(s) & t.mask
		for t.slots[at].id != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = s
	}
}
