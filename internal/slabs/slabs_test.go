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
	var arena slabs.Arena
	var all sync.WaitGroup
	for who := range int64(4) {
		all.Go(func() {
			held := make([][]int64, rounds)
			for i := range held {
				capacity := 1 << (i % 18) * 3 / 2 // up to more than slabs give
				held[i] = slabs.Make[int64](&arena, capacity)
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
	var arena slabs.Arena
	for range 4 << 10 {
		_ = slabs.Make[byte](&arena, 1<<20)
	}
	var after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&after)
	require.Less(t, after.HeapAlloc, uint64(1<<30))
}

func TestMakeKeepsBoundaries(t *testing.T) {
	t.Parallel()
	var arena slabs.Arena
	for i := range 200 {
		_ = slabs.Make[byte](&arena, 1<<10+i)
		values := slabs.Make[float64](&arena, 1<<10+i)
		require.Zero(t, uintptr(unsafe.Pointer(unsafe.SliceData(values)))%8)
	}
}

// TestAFewValuesKeepLittle has many arenas that get a few values each while another is asked for much more in between, and holds the few: what they keep
// from being collected is what they take, and the slab that each begins with.
func TestAFewValuesKeepLittle(t *testing.T) { //nolint:paralleltest // it looks at the memory of the process
	const arenas, few = 200, 8 << 10
	before := reachable()
	var busy slabs.Arena
	held := make([]slabs.Arena, arenas)
	values := make([][]byte, arenas)
	for i := range held {
		values[i] = slabs.Make[byte](&held[i], few)
		for range 40 {
			_ = slabs.Make[byte](&busy, 256<<10)
		}
	}
	took := reachable() - before
	t.Logf("%d bytes for each", took/arenas)
	require.Less(t, took, int64(arenas*(few+80<<10)+16<<20))
	runtime.KeepAlive(values)
}

func reachable() int64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int64(stats.HeapAlloc)
}
