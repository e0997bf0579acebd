// Package cache keeps immutable values read from segments, the most recently used ones within a bound in bytes.
//
// A Cache may be used from any goroutine. It starts none and does no I/O: whoever misses loads the value and puts it, and two
// who miss together may both load it. Values are shared between readers and must not be changed.
package cache

import (
	"container/list"
	"sync"
)

// Cache is a bounded map from which the values unused for longest fall out.
type Cache[K comparable, V any] struct {
	limit int64
	mu    struct {
		sync.Mutex
		byKey map[K]*list.Element
		order list.List // of *entry[K, V], most recently used first
		bytes int64
	}
}

type entry[K comparable, V any] struct {
	key   K
	value V
	bytes int64
}

// New makes a Cache that holds at most limit bytes.
func New[K comparable, V any](limit int64) *Cache[K, V] {
	c := &Cache[K, V]{limit: limit}
	c.mu.byKey = map[K]*list.Element{}
	return c
}

// Get returns the value of a key and marks it as used.
func (c *Cache[K, V]) Get(key K) (value V, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.mu.byKey[key]
	if !ok {
		return value, false
	}
	c.mu.order.MoveToFront(e)
	return e.Value.(*entry[K, V]).value, true
}

// Put keeps a value of so many bytes, in place of what the key had. A value larger than the whole cache is not kept.
func (c *Cache[K, V]) Put(key K, value V, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.mu.byKey[key]; ok {
		c.drop(e)
	}
	if bytes > c.limit {
		return
	}
	for c.mu.bytes+bytes > c.limit {
		c.drop(c.mu.order.Back())
	}
	c.mu.byKey[key] = c.mu.order.PushFront(&entry[K, V]{key: key, value: value, bytes: bytes})
	c.mu.bytes += bytes
}

// Bytes is the size of what is kept.
func (c *Cache[K, V]) Bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mu.bytes
}

// drop forgets an entry. The lock is held.
func (c *Cache[K, V]) drop(e *list.Element) {
	old := c.mu.order.Remove(e).(*entry[K, V])
	delete(c.mu.byKey, old.key)
	c.mu.bytes -= old.bytes
}
