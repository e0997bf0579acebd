package dedup

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// produce stores a batch of two records that must be admitted.
func produce(t require.TestingT, s *State, p event.Partition, batch eventlog.Producer, first event.Offset, arrival time.Time) {
	verdict, err := s.Admit(p, batch, 2)
	require.NoError(t, err)
	require.NotNil(t, verdict.Ticket)
	s.Apply(p, produced(batch, first, arrival), nil, nil)
	verdict.Ticket.Done()
}

func produced(batch eventlog.Producer, first event.Offset, arrival time.Time) *eventlog.Entry {
	return &eventlog.Entry{
		First: first, Times: make([]int64, 2), Values: make([][]byte, 2), Bytes: 100, Producer: &batch,
		Meta: eventlog.Meta{Arrival: arrival.UnixMicro()},
	}
}

func TestProducersAreHeldToTheirSequence(t *testing.T) {
	t.Parallel()
	s := New(options(NewBudget(1 << 20)))
	batch := func(epoch int16, sequence int32) eventlog.Producer {
		return eventlog.Producer{ID: 7, Epoch: epoch, Sequence: sequence}
	}
	refused := func(batch eventlog.Producer, why error) {
		t.Helper()
		_, err := s.Admit(0, batch, 2)
		require.ErrorIs(t, err, why)
	}
	for i := range 7 {
		produce(t, s, 0, batch(3, int32(2*i)), event.Offset(10*i), start)
	}
	for i := 2; i < 7; i++ {
		verdict, err := s.Admit(0, batch(3, int32(2*i)), 2)
		require.NoError(t, err)
		require.Equal(t, Verdict{First: event.Offset(10 * i)}, verdict, "a duplicate has the offset of the original")
	}
	refused(batch(3, 2), ErrLongAgo)
	refused(batch(3, 16), ErrOutOfOrder)
	refused(batch(2, 14), ErrFenced)
	refused(batch(4, 14), ErrOutOfOrder)
	produce(t, s, 1, batch(0, 55), 0, start) // another partition, which does not know the producer
	produce(t, s, 0, batch(4, 0), 90, start)
	refused(batch(3, 14), ErrFenced)
	refused(batch(3, 12), ErrFenced)
	for _, bad := range []eventlog.Producer{{ID: -1}, {Epoch: -1}, {Sequence: -1}} {
		_, err := s.Admit(0, bad, 2)
		require.ErrorContains(t, err, "cannot be number")
	}
	_, err := s.Admit(0, batch(4, 2), 0)
	require.Error(t, err)

	wrap := eventlog.Producer{ID: 8, Sequence: math.MaxInt32}
	produce(t, s, 0, wrap, 100, start)
	produce(t, s, 0, eventlog.Producer{ID: 8, Sequence: 1}, 102, start)
	_, err = s.Admit(0, eventlog.Producer{ID: 8, Sequence: math.MaxInt32 - 5}, 2)
	require.ErrorIs(t, err, ErrLongAgo)
}

func TestABatchUnderWayIsWaitedFor(t *testing.T) {
	t.Parallel()
	budget := NewBudget(1 << 20)
	s := New(options(budget))
	first, second := eventlog.Producer{ID: 7}, eventlog.Producer{ID: 7, Sequence: 2}
	one, err := s.Admit(0, first, 2)
	require.NoError(t, err)
	two, err := s.Admit(0, second, 2) // the next may be on its way before the first is stored
	require.NoError(t, err)
	again, err := s.Admit(0, first, 2)
	require.NoError(t, err)
	require.Nil(t, again.Ticket)
	select {
	case <-again.Wait:
		require.Fail(t, "the batch is still being stored")
	default:
	}
	s.Apply(0, produced(first, 40, start), nil, nil)
	one.Ticket.Done()
	<-again.Wait
	again, err = s.Admit(0, first, 2)
	require.NoError(t, err)
	require.Equal(t, Verdict{First: 40}, again)
	two.Ticket.Done() // not stored
	produce(t, s, 0, second, 42, start)

	lost, err := s.Admit(0, eventlog.Producer{ID: 9}, 1)
	require.NoError(t, err)
	used := budget.Used()
	lost.Ticket.Done()
	require.Less(t, budget.Used(), used, "nothing is remembered of a producer that has stored nothing")
}

// TestABatchIsStoredOnceHoweverOftenItIsSent holds producers with lost answers, failures and restarts to a plain list.
func TestABatchIsStoredOnceHoweverOftenItIsSent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		fs := vfs.NewMem()
		s := New(options(NewBudget(1 << 20)))
		var log []*eventlog.Entry
		saved := 0
		sent := map[int64]int32{} // the next sequence that each producer has not had confirmed
		for range rapid.IntRange(1, 60).Draw(r, "steps") {
			id := rapid.Int64Range(0, 2).Draw(r, "producer")
			switch rapid.IntRange(0, 9).Draw(r, "step") {
			case 0: // restart
				back, damaged, err := Load(fs, "s", options(NewBudget(1<<20)))
				require.NoError(r, err)
				require.False(r, damaged)
				require.Equal(r, event.Offset(2*saved), back.Next(0))
				for _, e := range log {
					back.Apply(0, e, nil, nil)
				}
				s = back
			case 1:
				_, err := s.Save(fs, "s")
				require.NoError(r, err)
				saved = len(log)
			case 2: // the batch is not stored
				if verdict, err := s.Admit(0, eventlog.Producer{ID: id, Sequence: sent[id]}, 2); err == nil && verdict.Ticket != nil {
					verdict.Ticket.Done()
				}
			default:
				batch := eventlog.Producer{ID: id, Sequence: sent[id]}
				verdict, err := s.Admit(0, batch, 2)
				require.NoError(r, err)
				if verdict.Ticket != nil {
					e := produced(batch, event.Offset(2*len(log)), start)
					log = append(log, e)
					s.Apply(0, e, nil, nil)
					verdict.Ticket.Done()
				}
				if rapid.Bool().Draw(r, "answered") {
					sent[id] += 2
				}
			}
		}
		next := map[int64]int32{}
		for _, e := range log {
			require.Equal(r, next[e.Producer.ID], e.Producer.Sequence, "each batch once, in order")
			next[e.Producer.ID] += 2
		}
		for id, sequence := range sent {
			require.GreaterOrEqual(r, next[id], sequence, "what was answered is stored")
		}
	})
}

func TestSilentProducersAreForgotten(t *testing.T) {
	t.Parallel()
	budget := NewBudget(1 << 30)
	s := New(options(budget))
	for i := range leastProducers {
		produce(t, s, 0, eventlog.Producer{ID: int64(i)}, event.Offset(2*i), start)
	}
	full := budget.Used()
	produce(t, s, 0, eventlog.Producer{ID: leastProducers}, 2*leastProducers, start.Add(Keep+time.Minute))
	require.Less(t, budget.Used(), full/2)
	require.Zero(t, budget.Forgotten(), "they were not forgotten before their time")
	s.Close()
	require.Zero(t, budget.Used())

	tight := NewBudget(producerBytes * leastProducers / 2)
	s = New(options(tight))
	for i := range 2 * leastProducers {
		produce(t, s, 0, eventlog.Producer{ID: int64(i)}, event.Offset(2*i), start.Add(time.Duration(i)))
	}
	require.Positive(t, tight.Forgotten())
	verdict, err := s.Admit(0, eventlog.Producer{ID: 2*leastProducers - 1}, 2)
	require.NoError(t, err)
	require.Nil(t, verdict.Ticket, "the newest is known")
	s.Close()
	require.Zero(t, tight.Used())
}
