package partition

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// gate lets tests hold the syncs of a disk.
type gate struct {
	mu    sync.Mutex
	held  chan struct{}
	syncs int
}

func (g *gate) disk() vfs.FS {
	return vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, _ string) error {
		if op != vfs.OpSync {
			return nil
		}
		g.mu.Lock()
		held := g.held
		g.syncs++
		g.mu.Unlock()
		if held != nil {
			<-held
		}
		return nil
	})
}

// hold lets syncs wait from now on until release is called.
func (g *gate) hold() (release func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	held := make(chan struct{})
	g.held = held
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.held = nil
		close(held)
	}
}

func TestASenderThatWaitsStoresItsRows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, tl := newWriter(t, vfs.NewMem())
		ticket, err := w.Enter(t.Context(), rows(0, 1, 2))
		require.NoError(t, err)
		synctest.Wait()
		require.Zero(t, tl.Next(0), "nobody else does")
		reply := ticket.Reply()
		require.NoError(t, reply.Err)
		require.Equal(t, Span{First: 0, Last: 1}, reply.Span)
		require.EqualValues(t, 2, tl.Next(0))
		require.NoError(t, w.Close())
	})
}

// TestRowsAreStoredWithoutTheirSender has senders that wait for something else than their rows, and that say that they do.
func TestRowsAreStoredWithoutTheirSender(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w, tl := newWriter(t, vfs.NewMem())
		for stored := event.Offset(0); stored < 6; stored += 2 {
			began := time.Now()
			silent, err := w.Enter(t.Context(), rows(0, 1))
			require.NoError(t, err)
			published := tl.Published()
			<-published
			require.Equal(t, enteredTime, time.Since(began))
			require.Equal(t, stored+1, tl.Next(0))
			require.Equal(t, stored, silent.Reply().Span.First, "it may come later")

			began = time.Now()
			leaves, err := w.Enter(t.Context(), rows(0, 1))
			require.NoError(t, err)
			published = tl.Published()
			leaves.Leave()
			<-published
			require.Zero(t, time.Since(began))
			leaves.Leave()
			require.Equal(t, stored+1, leaves.Reply().Span.First)
		}
		require.NoError(t, w.Close())
	})
}

// TestTheTurnGoesToOneWhoWaits has a sender come late whose rows are the next. One behind it that waits stores those of both.
func TestTheTurnGoesToOneWhoWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := &gate{}
		w, tl := newWriter(t, disk.disk())
		release := disk.hold()
		got := make(chan Reply, 1)
		enter := func() *Ticket {
			ticket, err := w.Enter(t.Context(), rows(0, 1))
			require.NoError(t, err)
			return ticket
		}
		first := enter()
		go func() { got <- first.Reply() }()
		synctest.Wait()
		late, next := enter(), enter()
		require.False(t, w.takeTurn(next))
		release()
		require.EqualValues(t, 0, (<-got).Span.First)
		require.True(t, (<-next.reply).turn)
		w.lead()
		require.EqualValues(t, 2, (<-next.reply).Span.First)
		require.EqualValues(t, 3, tl.Next(0))
		require.EqualValues(t, 1, late.Reply().Span.First)
		require.NoError(t, w.Close())
	})
}

// TestTheTurnGoesOn holds a sender's sync open while others of both kinds queue up behind it: one more sync is for all of them.
func TestTheTurnGoesOn(t *testing.T) {
	t.Parallel()
	for _, waits := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			disk := &gate{}
			w, _ := newWriter(t, disk.disk())
			release := disk.hold()
			got, replies := make(chan Reply, 20), make(chan Reply, 20)
			first, err := w.Enter(t.Context(), rows(0, 1))
			require.NoError(t, err)
			go func() { got <- first.Reply() }()
			synctest.Wait()
			before := disk.syncs
			var tickets []*Ticket
			for range 3 {
				ticket, err := w.Enter(t.Context(), rows(0, 1))
				require.NoError(t, err)
				require.NoError(t, w.Append(t.Context(), rows(0, 1), replies))
				tickets = append(tickets, ticket)
			}
			if waits {
				for _, ticket := range tickets {
					go func() { got <- ticket.Reply() }()
				}
				synctest.Wait()
			}
			release()
			for i := range 3 {
				require.EqualValues(t, 2*i+2, (<-replies).Span.First, "also if a sender before it does not wait yet")
			}
			require.EqualValues(t, 0, (<-got).Span.First)
			for i := range 3 {
				if !waits {
					require.EqualValues(t, 2*i+1, tickets[i].Reply().Span.First)
					continue
				}
				require.NoError(t, (<-got).Err)
			}
			require.Equal(t, 1, disk.syncs-before)
			require.NoError(t, w.Close())
		})
	}
}

func TestClosingStoresWhatNobodyWaitsForYet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		disk := &gate{}
		w, tl := newWriter(t, disk.disk())
		release := disk.hold()
		ticket, err := w.Enter(t.Context(), rows(0, 1))
		require.NoError(t, err)
		got := make(chan Reply, 1)
		go func() { got <- ticket.Reply() }()
		late, err := w.Enter(t.Context(), rows(0, 2))
		require.NoError(t, err)
		closed := make(chan error)
		go func() { closed <- w.Close() }()
		synctest.Wait()
		_, err = w.Enter(t.Context(), rows(0, 3))
		require.ErrorContains(t, err, "stopping")
		release()
		require.NoError(t, <-closed)
		require.EqualValues(t, 2, tl.Next(0))
		require.NoError(t, (<-got).Err)
		require.NoError(t, late.Reply().Err)
	})
}

// TestAPanicStopsTheWriter lets a sender's turn end in a panic that is recovered from, as servers do. Nobody waits for ever for what became of his rows, and
// nothing more is stored.
func TestAPanicStopsTheWriter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log, err := eventlog.Open(vfs.NewMem(), "log/s/0", eventlog.Options{})
		require.NoError(t, err)
		w := NewWriter(log, tail.New(1, nil, nil), Options{Now: time.Now, Confirm: func(*eventlog.Entry, *Rows) { panic("bug") }})
		replies, done := make(chan Reply, 2), 0
		first, err := w.Enter(t.Context(), rows(0, 1))
		require.NoError(t, err)
		second := rows(0, 2)
		second.Done = func() { done++ }
		other, err := w.Enter(t.Context(), second)
		require.NoError(t, err)
		require.PanicsWithValue(t, "bug", func() { first.Reply() })
		require.ErrorContains(t, other.Reply().Err, "broken off")
		require.Equal(t, 1, done)
		require.ErrorContains(t, w.Append(t.Context(), rows(0, 3), replies), "broken off")
		require.NoError(t, w.Close())
		require.Empty(t, replies)
	})
}

// TestSendersOfAllKinds has many at work on one writer, with disks that are quick, slow and broken: everyone is answered once, and what is answered as stored
// is visible and has its place.
func TestSendersOfAllKinds(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for run := range uint64(30) {
		synctest.Test(t, func(t *testing.T) { sendersOfAllKinds(t, rand.New(rand.NewPCG(seed, run))) })
	}
}

func sendersOfAllKinds(t *testing.T, random *rand.Rand) {
	var mu sync.Mutex // of random
	draw := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return random.IntN(n)
	}
	breaks, syncs := draw(100), 0
	var sending atomic.Bool
	w, tl := earlyWriter(t, vfs.NewFaulty(vfs.NewMem(), func(op vfs.Op, _ string) error {
		if op == vfs.OpSync && sending.Load() {
			<-time.After(time.Duration(draw(3)) * time.Millisecond)
			if syncs++; syncs == breaks {
				return errors.New("broken")
			}
		}
		return nil
	}), 1500)
	sending.Store(true)
	var senders sync.WaitGroup
	spans := make(chan Span, 1000)
	for sender := range 8 {
		senders.Go(func() {
			for range 20 {
				reply, err := sendSomehow(t, w, draw, sender)
				if err != nil {
					return
				}
				if reply.Err == nil {
					spans <- reply.Span
				}
				<-time.After(time.Duration(draw(2)) * time.Millisecond)
			}
		})
	}
	senders.Wait()
	sending.Store(false)
	require.NoError(t, w.Close())
	close(spans)
	seen := map[event.Offset]bool{}
	for s := range spans {
		for at := s.First; at <= s.Last; at++ {
			require.False(t, seen[at], "offset %d is given twice", at)
			seen[at] = true
		}
	}
	if w.Failure() == nil {
		require.EqualValues(t, len(seen), tl.Next(0))
	}
}

// sendSomehow sends rows in one of the ways that there are.
func sendSomehow(t *testing.T, w *Writer, draw func(int) int, sender int) (Reply, error) {
	r := rows(0, int64(sender))
	r.Early = draw(4) == 0
	if draw(2) == 0 {
		replies := make(chan Reply, 1)
		if err := w.Append(t.Context(), r, replies); err != nil {
			return Reply{}, fmt.Errorf("append: %w", err)
		}
		return <-replies, nil
	}
	ticket, err := w.Enter(t.Context(), r)
	if err != nil {
		return Reply{}, err
	}
	if draw(2) == 0 {
		<-time.After(time.Millisecond)
	}
	return ticket.Reply(), nil
}
