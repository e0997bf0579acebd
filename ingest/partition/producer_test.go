package partition

import (
	"fmt"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/dedup"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/ingest/tail"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// producing is a partition that producers who count their batches write to, as a restart makes it.
type producing struct {
	fs    vfs.FS
	state *dedup.State
	w     *Writer
}

func startProducing(t *testing.T, fs vfs.FS) *producing {
	t.Helper()
	state, damaged, err := dedup.Load(fs, "s", dedup.Options{Requests: dedup.NewBudget(1 << 20), Rows: dedup.NewBudget(1 << 20)})
	require.NoError(t, err)
	require.False(t, damaged)
	log, err := eventlog.Open(fs, "log/s/0", eventlog.Options{RotateBytes: 600})
	require.NoError(t, err)
	require.NoError(t, log.Read(0, func(e *eventlog.Entry) error {
		state.Apply(0, e, nil, nil)
		return nil
	}))
	p := &producing{fs: fs, state: state}
	p.w = NewWriter(log, tail.New(1, event.Vector{log.Next()}, nil), Options{Now: time.Now, Confirm: func(e *eventlog.Entry, _ *Rows) {
		state.Apply(0, e, nil, nil)
	}})
	return p
}

// send stores a batch unless it is a duplicate, and gives its offset.
func (p *producing) send(t *testing.T, batch eventlog.Producer, values ...int64) (first int64, duplicate bool) {
	t.Helper()
	verdict, err := p.state.Admit(0, batch, len(values))
	require.NoError(t, err)
	if verdict.Ticket == nil {
		return int64(verdict.First), true
	}
	r := rows(0, values...)
	r.Producer, r.Done = &batch, verdict.Ticket.Done
	replies := make(chan Reply, 1)
	require.NoError(t, p.w.Append(t.Context(), r, replies))
	reply := <-replies
	require.NoError(t, reply.Err)
	return int64(reply.Span.First), false
}

// TestProducersSendAgainAfterACrashAnywhere cuts the power before every operation while a producer sends and snapshots are taken. After
// the restart it sends all that it may not know to be stored, and each batch is there once and in order.
func TestProducersSendAgainAfterACrashAnywhere(t *testing.T) {
	t.Parallel()
	type cut struct {
		disk     *vfs.Mem
		answered int
	}
	const batches = 12
	batch := func(i int) eventlog.Producer { return eventlog.Producer{ID: 5, Epoch: 1, Sequence: int32(2 * i)} }
	var mu sync.Mutex
	var cuts []cut
	answered := 0
	disk := vfs.NewMem()
	p := startProducing(t, vfs.NewFaulty(disk, func(vfs.Op, string) error {
		mu.Lock()
		defer mu.Unlock()
		cuts = append(cuts, cut{disk.Crash(), answered})
		return nil
	}))
	for i := range batches {
		first, duplicate := p.send(t, batch(i), int64(i), int64(i))
		require.False(t, duplicate)
		require.EqualValues(t, 2*i, first)
		mu.Lock()
		answered = i + 1
		mu.Unlock()
		if i%4 == 3 {
			_, err := p.state.Save(p.fs, "s")
			require.NoError(t, err)
		}
	}
	require.NoError(t, p.w.Close())
	for n, c := range cuts {
		again := startProducing(t, c.disk)
		for i := max(0, c.answered-1); i < batches; i++ {
			first, duplicate := again.send(t, batch(i), int64(i), int64(i))
			require.EqualValues(t, 2*i, first, "cut %d", n)
			require.True(t, duplicate || i >= c.answered, "cut %d: what was answered is known", n)
		}
		require.NoError(t, again.w.Close())
		log, err := eventlog.Open(c.disk, "log/s/0", eventlog.Options{})
		require.NoError(t, err)
		at := 0
		require.NoError(t, log.Read(0, func(e *eventlog.Entry) error {
			require.Equal(t, batch(at), *e.Producer, "cut %d", n)
			require.Equal(t, fmt.Sprintf(`{"n":%d}`, at), string(e.Values[0]))
			at++
			return nil
		}))
		require.Equal(t, batches, at)
		require.NoError(t, log.Close())
	}
}

// TestNoSpaceLeavesNoHoleInAProducersBatches has a producer send three batches without waiting. The first finds no space, and then there is
// space: the others are refused as well, and all three are stored in order when they are sent again.
func TestNoSpaceLeavesNoHoleInAProducersBatches(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	full, reached, release := false, make(chan struct{}), make(chan struct{})
	p := startProducing(t, vfs.NewFaulty(disk, func(op vfs.Op, _ string) error {
		if full && op == vfs.OpWrite {
			full = false
			close(reached)
			<-release
			return syscall.ENOSPC
		}
		return nil
	}))
	batch := func(i int) eventlog.Producer { return eventlog.Producer{ID: 5, Epoch: 1, Sequence: int32(i)} }
	_, duplicate := p.send(t, batch(0), 0)
	require.False(t, duplicate)
	full = true
	replies := make(chan Reply, 3)
	for i := 1; i < 4; i++ {
		verdict, err := p.state.Admit(0, batch(i), 1)
		require.NoError(t, err)
		r, b := rows(0, int64(i)), batch(i)
		r.Producer, r.Done = &b, verdict.Ticket.Done
		require.NoError(t, p.w.Append(t.Context(), r, replies))
		if i == 1 {
			<-reached // so that the others are not in one group with it
		}
	}
	close(release)
	require.True(t, vfs.Full((<-replies).Err))
	for range 2 {
		require.ErrorIs(t, (<-replies).Err, dedup.ErrOutOfOrder)
	}
	for i := 1; i < 4; i++ {
		first, duplicate := p.send(t, batch(i), int64(i))
		require.False(t, duplicate)
		require.EqualValues(t, i, first)
	}
	require.NoError(t, p.w.Failure())
	require.NoError(t, p.w.Close())
}
