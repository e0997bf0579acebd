package continuous

import (
	"container/heap"
)

// calendar says when slots fall due. Times are kept in buckets, of which only those that a watermark has reached are looked at.
type calendar struct {
	buckets map[int64][]entry
	order   bucketHeap
	entries int
}

// entry is a slot and its time in microseconds.
type entry struct {
	at   int64
	slot uint32
}

// bucketShift makes buckets of about a second.
const bucketShift = 20

func (c *calendar) add(at int64, slot uint32) {
	if c.buckets == nil {
		c.buckets = map[int64][]entry{}
	}
	b := at >> bucketShift
	if _, ok := c.buckets[b]; !ok {
		heap.Push(&c.order, b)
	}
	c.buckets[b] = append(c.buckets[b], entry{at, slot})
	c.entries++
}

// due takes out the slots whose time is at or before upTo, those of earlier buckets first.
func (c *calendar) due(upTo int64) []entry {
	var out []entry
	for len(c.order) > 0 && c.order[0] <= upTo>>bucketShift {
		b := c.order[0]
		var rest []entry
		for _, e := range c.buckets[b] {
			if e.at <= upTo {
				out = append(out, e)
			} else {
				rest = append(rest, e)
			}
		}
		if len(rest) > 0 {
			c.buckets[b] = rest
			break
		}
		delete(c.buckets, b)
		heap.Pop(&c.order)
	}
	c.entries -= len(out)
	return out
}

// all lists the slots, in no order.
func (c *calendar) all() []entry {
	out := make([]entry, 0, c.entries)
	for _, some := range c.buckets {
		out = append(out, some...)
	}
	return out
}

func (c *calendar) bytes() int64 { return 16*int64(c.entries) + 64*int64(len(c.order)) }

// bucketHeap is a heap.Interface of bucket numbers, the least first.
type bucketHeap []int64

func (h bucketHeap) Len() int           { return len(h) }
func (h bucketHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h bucketHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }

// Push adds a number.
func (h *bucketHeap) Push(v any) { *h = append(*h, v.(int64)) }

// Pop takes the last number out.
func (h *bucketHeap) Pop() any {
	old := *h
	v := old[len(old)-1]
	*h = old[:len(old)-1]
	return v
}
