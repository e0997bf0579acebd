package dedup

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

func rowKey(n byte) RowKey { return RowKey{n} }

func noFloor() (int64, bool) { return 0, false }

// TestAKeyIsFreeAgainIfItsRowIsNotStored: whoever waited for it stores the row.
func TestAKeyIsFreeAgainIfItsRowIsNotStored(t *testing.T) {
	t.Parallel()
	s := New(options(NewBudget(1 << 20)))
	keys, times := []RowKey{rowKey(1), rowKey(2), rowKey(1), {}, {}}, []int64{5, 5, 6, 7, 7}
	first, duplicates, wait, err := s.Reserve(keys, times, noFloor)
	require.NoError(t, err)
	require.Nil(t, wait)
	require.Equal(t, []bool{false, false, true, false, false}, duplicates)
	_, _, wait, err = s.Reserve(keys[1:2], times[1:2], noFloor)
	require.NoError(t, err)
	first.Expect(2)
	first.Done()
	select {
	case <-wait:
		require.Fail(t, "the other part is not decided")
	default:
	}
	s.Apply(0, &eventlog.Entry{Times: []int64{0}, Values: [][]byte{nil}}, keys[:1], times[:1])
	first.Done()
	<-wait
	again, duplicates, wait, err := s.Reserve(keys, times, noFloor)
	require.NoError(t, err)
	require.Nil(t, wait)
	require.Equal(t, []bool{true, false, true, false, false}, duplicates)
	again.Release()
}

// TestKeysAreForgottenByTheWatermark, and not before.
func TestKeysAreForgottenByTheWatermark(t *testing.T) {
	t.Parallel()
	const hour = int64(time.Hour / time.Microsecond)
	budget := NewBudget(leastSweep * rowKeyBytes * 2)
	s := New(Options{Requests: NewBudget(1 << 20), Rows: budget, Within: time.Hour})
	store := func(n int, t0 int64) error {
		key := RowKey{1, byte(n), byte(n >> 8), byte(n >> 16)}
		r, _, _, err := s.Reserve([]RowKey{key}, []int64{t0}, func() (int64, bool) { return t0 - 2*hour, true })
		if err == nil {
			s.Apply(0, &eventlog.Entry{First: event.Offset(n), Times: []int64{0}, Values: [][]byte{nil}}, []RowKey{key}, []int64{t0})
			r.Release()
		}
		return err
	}
	for n := range 5 * leastSweep {
		require.NoError(t, store(n, int64(n)*hour/1000))
	}
	_, duplicates, _, err := s.Reserve([]RowKey{{1, 0xff, 0x3f, 1}}, []int64{5 * leastSweep * hour / 1000}, noFloor) // one of the last
	require.NoError(t, err)
	require.Equal(t, []bool{true}, duplicates)
	for n := 5 * leastSweep; err == nil; n++ { // all at one time: nothing can be forgotten
		require.Less(t, n, 8*leastSweep)
		err = store(n, 5*leastSweep*hour/1000)
	}
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, event.CodeTooBusy, fault.Code)
	s.Close()
	require.Zero(t, budget.Used())
}

// TestOldKeysMakeRoomBeforeRowsAreRefused: the memory may be full before there are twice as many keys as the last look left.
func TestOldKeysMakeRoomBeforeRowsAreRefused(t *testing.T) {
	t.Parallel()
	const recent = leastSweep * 3 / 4 // keys that are not too old at any time
	s := New(Options{Requests: NewBudget(1 << 20), Rows: NewBudget(leastSweep * 5 / 4 * rowKeyBytes), Within: time.Microsecond})
	for n := range 8 * leastSweep {
		keys, times := []RowKey{{1, byte(n), byte(n >> 8), byte(n >> 16)}}, []int64{int64(n)}
		r, _, _, err := s.Reserve(keys, times, func() (int64, bool) { return int64(n - recent), true })
		require.NoError(t, err, "row %d", n)
		s.Apply(0, &eventlog.Entry{First: event.Offset(n), Times: []int64{0}, Values: [][]byte{nil}}, keys, times)
		r.Release()
	}
}
