package partition

import (
	"context"
	"errors"
)

// Ticket is for the reply to rows that are queued.
type Ticket struct {
	w       *Writer
	request request
	reply   chan Reply
}

// Enter is Append for a sender that soon has nothing to do but to wait, and then calls Reply: until then it may be that nobody stores the rows.
func (w *Writer) Enter(ctx context.Context, rows Rows) (*Ticket, error) {
	t := &Ticket{w: w, reply: make(chan Reply, 1)}
	t.request = request{rows: rows, reply: t.reply}
	if err := w.queue(ctx, &t.request, false); err != nil {
		return nil, err
	}
	return t, nil
}

// Reply waits for the reply, and does the writer's work meanwhile if nobody else does it. It is called once.
func (t *Ticket) Reply() Reply {
	if t.w.takeTurn(t) {
		t.w.lead()
	}
	for {
		reply := <-t.reply
		if !reply.turn {
			return reply
		}
		t.w.lead()
	}
}

// takeTurn gives a sender that begins to wait the turn, if nobody has it. Else it may be given it later.
func (w *Writer) takeTurn(t *Ticket) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.mu.taken && len(w.mu.waiting) > 0 {
		w.mu.taken = true
		return true
	}
	t.request.turn = t.reply
	return false
}

// lead is a turn of a sender. After a panic, which somebody may recover from, nothing is stored any more: nobody knows what was done.
func (w *Writer) lead() {
	defer w.pass()
	done := false
	defer func() {
		if !done {
			w.unsynced.requests = append(w.unsynced.requests, w.group...)
			w.giveUp(errors.New("a request was broken off while it was stored"))
		}
	}()
	w.serve()
	done = true
}

// serve stores what waits, as far as it is one group.
func (w *Writer) serve() {
	flush := w.gather()
	if len(w.group) > 0 {
		w.store(w.group)
		clear(w.group)
		w.group = w.group[:0]
	}
	if flush {
		w.flush()
	}
}

// gather takes what waits, up to groupBytes, and reports whether all that is written is to be synced.
func (w *Writer) gather() (flush bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, bytes := 0, 0
	for n < len(w.mu.waiting) && bytes < groupBytes {
		bytes += w.mu.waiting[n].bytes
		n++
	}
	w.group = append(w.group[:0], w.mu.waiting[:n]...)
	left := copy(w.mu.waiting, w.mu.waiting[n:])
	clear(w.mu.waiting[left:])
	w.mu.waiting = w.mu.waiting[:left]
	for range n {
		<-w.slots
	}
	flush = w.mu.due || w.mu.ending
	w.mu.due = false
	return flush
}

// wait puts a request behind those that wait, and calls the goroutine if that is asked for.
func (w *Writer) wait(r *request, call bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.waiting = append(w.mu.waiting, r)
	if call {
		w.call()
	}
}

// call gives the turn to the goroutine, if nobody has it. The lock is held.
func (w *Writer) call() {
	if !w.mu.taken {
		w.mu.taken = true
		w.called <- struct{}{} // has room: there is one turn
	}
}

// pass gives the turn on: to the sender of the next request if it waits for its reply, else to the goroutine. A sender that does not wait yet must not get it:
// it may be waiting for another partition, where the turn is of one that waits for this.
func (w *Writer) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.taken = false
	switch {
	case w.mu.due || w.mu.ending:
		w.call()
	case len(w.mu.waiting) == 0:
	case w.mu.waiting[0].turn != nil:
		w.mu.taken = true
		w.mu.waiting[0].turn <- Reply{turn: true} // has room: the reply itself comes after the turn
	default:
		w.call()
	}
}

// run is the writer's goroutine.
func (w *Writer) run() {
	defer close(w.done)
	defer w.unsynced.due.Stop()
	for {
		select {
		case <-w.called:
			w.serve()
			if w.ended() {
				return
			}
			w.pass()
		case <-w.unsynced.due.C:
			w.overdue()
		}
	}
}

// overdue has what is written synced in the goroutine's next turn, which is the next one of all.
func (w *Writer) overdue() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.due = true
	w.call()
}

// end lets the goroutine end once nothing waits any more.
func (w *Writer) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.ending = true
	w.call()
}

func (w *Writer) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.mu.ending && len(w.mu.waiting) == 0
}
