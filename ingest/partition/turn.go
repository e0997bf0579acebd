package partition

import (
	"context"
	"errors"
	"time"
)

// enteredTime is how long rows wait for a sender that said that it would soon do nothing but wait for them: to see that its body has ended takes less.
const enteredTime = 5 * time.Millisecond

// Ticket is for the reply to rows that are queued.
type Ticket struct {
	w       *Writer
	request request
	reply   chan Reply
}

// Enter is Append for a sender that soon may have nothing to do but to wait, and then calls Reply, which stores the rows if nobody has begun to. A sender
// that goes on instead calls Leave. Nothing but time depends on either: rows that wait for neither are stored all the same, enteredTime later.
func (w *Writer) Enter(ctx context.Context, rows Rows) (*Ticket, error) {
	t := &Ticket{w: w, reply: make(chan Reply, 1)}
	t.request = request{rows: rows, reply: t.reply}
	if err := w.queue(ctx, &t.request, false); err != nil {
		return nil, err
	}
	return t, nil
}

// Leave leaves the rows to the writer's goroutine, if nobody has begun to store them. The reply is still to be asked for.
func (t *Ticket) Leave() {
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	if len(t.w.mu.waiting) > 0 {
		t.w.call()
	}
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

// wait puts a request behind those that wait, and calls the goroutine: now, or later in case that its sender does not come.
func (w *Writer) wait(r *request, call bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.waiting = append(w.mu.waiting, r)
	switch {
	case call:
		w.call()
	case !w.mu.taken && !w.mu.minded: // else whoever has the turn passes it on
		w.mu.minded = true
		w.entered.Reset(enteredTime)
	}
}

// forgotten calls the goroutine if anything waits: it may be that no sender comes for it. One that would have come has one wake more to pay for, at most
// once in enteredTime.
func (w *Writer) forgotten() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.minded = false
	if len(w.mu.waiting) > 0 {
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

// pass gives the turn on: to the first of the senders that wait for their replies, else to the goroutine. One that does not wait yet must not get it: it may be
// waiting for another partition, where the turn is of one that waits for this.
func (w *Writer) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.mu.taken = false
	if w.mu.due || w.mu.ending {
		w.call()
		return
	}
	for _, r := range w.mu.waiting {
		if r.turn != nil {
			w.mu.taken = true
			r.turn <- Reply{turn: true} // has room: the reply itself comes after the turn
			return
		}
	}
	if len(w.mu.waiting) > 0 {
		w.call()
	}
}

// run is the writer's goroutine.
func (w *Writer) run() {
	defer close(w.done)
	defer w.unsynced.due.Stop()
	defer w.entered.Stop()
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
		case <-w.entered.C:
			w.forgotten()
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
