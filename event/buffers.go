package event

// Buffers lends memory to whoever fills columns that are looked at once: everything lent is overwritten after Reset. A nil
// Buffers makes new memory at every call, for columns that are kept. It belongs to one goroutine.
//
// Only numbers and codes are lent. Text never is, so that a string taken out of a column stays good for as long as it is held.
type Buffers struct {
	int64s lent[int64]
	int32s lent[int32]
}

// Int64s is memory for n numbers of any content.
func (b *Buffers) Int64s(n int) []int64 {
	if b == nil {
		return make([]int64, n)
	}
	return b.int64s.take(n)
}

// Int32s is memory for n codes of any content.
func (b *Buffers) Int32s(n int) []int32 {
	if b == nil {
		return make([]int32, n)
	}
	return b.int32s.take(n)
}

// Reset takes back all that was lent.
func (b *Buffers) Reset() {
	if b != nil {
		b.int64s.used, b.int32s.used = 0, 0
	}
}

// lent is memory of one kind, in the order in which it was asked for first.
type lent[T any] struct {
	all  [][]T
	used int
}

func (l *lent[T]) take(n int) []T {
	if l.used == len(l.all) {
		l.all = append(l.all, nil)
	}
	s := &l.all[l.used]
	l.used++
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}
