package slabs_test

import (
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/slabs"
)

// TestMakeGivesMemoryOnce takes pieces of all sizes from several goroutines at a time, which fill them to the last value, and finds each as it was left.
func TestMakeGivesMemoryOnce(t *testing.T) {
	t.Parallel()
	const rounds = 400
	var all sync.WaitGroup
	for who := range int64(4) {
		all.Go(func() {
			held := make([][]int64, rounds)
			for i := range held {
				capacity := 1 << (i % 18) * 3 / 2 // up to more than slabs give
				held[i] = slabs.Make[int64](capacity)
				if len(held[i]) != 0 || cap(held[i]) != capacity {
					t.Errorf("%d values of %d", len(held[i]), cap(held[i]))
				}
				for at, v := range held[i][:capacity] {
					if v != 0 {
						t.Errorf("value %d of %d is not zero", at, capacity)
						return
					}
				}
				for range capacity {
					held[i] = append(held[i], who<<32|int64(i))
				}
				if i >= 40 {
					held[i-40] = nil // so that some are collected
				}
			}
			for i, values := range held[rounds-40:] {
				for _, v := range values {
					if v != who<<32|int64(i+rounds-40) {
						t.Errorf("another's value %x", v)
						return
					}
				}
			}
		})
	}
	all.Wait()
}

// TestSlabsAreCollected takes far more than would stay without harm, and holds none of it.
func TestSlabsAreCollected(t *testing.T) {
	t.Parallel()
	for range 4 << 10 {
		_ = slabs.Make[byte](1 << 20)
	}
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc, uint64(1<<30))
}

func TestMakeKeepsBoundaries(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		_ = slabs.Make[byte](1<<10 + i)
		values := slabs.Make[float64](1<<10 + i)
		require.Zero(t, uintptr(unsafe.Pointer(unsafe.SliceData(values)))%8)
	}
}
