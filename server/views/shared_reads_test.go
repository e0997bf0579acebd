package views

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

func someRows(count int) continuous.Delta {
	valid := event.NewBitmap(count + 1)
	for i := range count {
		valid.Set(i)
	}
	numbers := event.NewInt64s(make([]int64, count+1), valid)
	return continuous.Delta{Columns: []arrow.Array{array.NewSlice(numbers, 0, int64(count))}, Rows: count} // whose NULLs nobody has counted
}

// TestRowsAreReadOnce has many views come to the same rows: one reads.
func TestRowsAreReadOnce(t *testing.T) {
	t.Parallel()
	var held, reads atomic.Int64
	s := newSharedReads(&held)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			d, err := s.get(t.Context(), readKey{rows: "a"}, func(context.Context) (continuous.Delta, error) {
				reads.Add(1)
				return someRows(1000), nil
			})
			if err != nil || d.Rows != 1000 {
				t.Errorf("%d rows, %v", d.Rows, err)
			}
			if n := d.Columns[0].NullN(); n != 0 {
				t.Errorf("%d NULLs", n)
			}
			d.Columns[0] = nil // what one does with its columns is no other's matter
		})
	}
	all.Wait()
	require.Equal(t, int64(1), reads.Load())
	require.Positive(t, held.Load())
}

// TestAFailedReadIsTheReadersOwn fails the read of the view that came first, by an error and by a panic: another reads for itself.
func TestAFailedReadIsTheReadersOwn(t *testing.T) {
	t.Parallel()
	var held atomic.Int64
	s := newSharedReads(&held)
	for i, fail := range []func(){func() {}, func() { panic("a fault") }} {
		key := readKey{rows: fmt.Sprint(i)}
		err := protected(func() error {
			_, err := s.get(t.Context(), key, func(context.Context) (continuous.Delta, error) {
				fail()
				return continuous.Delta{}, errors.New("stopped")
			})
			return err
		})
		require.Error(t, err)
		d, err := s.get(t.Context(), key, func(context.Context) (continuous.Delta, error) { return someRows(3), nil })
		require.NoError(t, err)
		require.Equal(t, 3, d.Rows)
	}
}

// TestSharedReadsAreBounded reads more than is kept.
func TestSharedReadsAreBounded(t *testing.T) {
	t.Parallel()
	var held atomic.Int64
	s := newSharedReads(&held)
	for i := range 3 * sharedEntries {
		rows := 1
		if i%2 == 0 {
			rows = sharedBytes / 8 / 16
		}
		_, err := s.get(t.Context(), readKey{rows: fmt.Sprint(i)}, func(context.Context) (continuous.Delta, error) { return someRows(rows), nil })
		require.NoError(t, err)
		require.LessOrEqual(t, held.Load(), int64(sharedBytes))
		require.LessOrEqual(t, len(s.mu.entries), sharedEntries)
		require.Len(t, s.mu.order, len(s.mu.entries))
	}
}
