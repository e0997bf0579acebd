package cache

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheLeastRecentlyUsedFallsOut(t *testing.T) {
	t.Parallel()
	c := New[string, int](10)
	c.Put("a", 1, 4)
	c.Put("b", 2, 4)
	_, ok := c.Get("a")
	require.True(t, ok)
	c.Put("c", 3, 4)
	_, ok = c.Get("b")
	require.False(t, ok)
	value, ok := c.Get("a")
	require.True(t, ok)
	require.Equal(t, 1, value)
	require.Equal(t, int64(8), c.Bytes())
}

func TestSizesStayWithinTheBound(t *testing.T) {
	t.Parallel()
	c := New[string, int](10)
	c.Put("a", 1, 6)
	c.Put("a", 2, 9)
	require.Equal(t, int64(9), c.Bytes())
	c.Put("b", 3, 11)
	_, ok := c.Get("b")
	require.False(t, ok, "larger than the cache")
	value, ok := c.Get("a")
	require.True(t, ok)
	require.Equal(t, 2, value)
	c.Put("a", 4, 11)
	_, ok = c.Get("a")
	require.False(t, ok, "the old value must not outlive a put")
	require.Zero(t, c.Bytes())
}

func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	c := New[int, int](1000)
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 2000 {
				key := (i * (g + 1)) % 97
				if value, ok := c.Get(key); ok && value != key {
					t.Errorf("key %d holds %d", key, value)
				}
				c.Put(key, key, int64(key))
			}
		})
	}
	group.Wait()
	require.LessOrEqual(t, c.Bytes(), int64(1000))
}
