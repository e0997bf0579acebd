package partition

import (
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const (
	// unsyncedBytes bounds the rows that wait for a sync after their reply, whose memory nobody accounts for any more.
	unsyncedBytes = 4 << 20
	// unsyncedRequests bounds their requests: each takes some microseconds to be published, and no other is answered meanwhile. So many take a
	// few times as long as their sync, and not as long as all of a flush interval would.
	unsyncedRequests = 512
)

// store writes a group, and syncs it unless all of it may wait.
func (w *Writer) store(group []*request) {
	if err := w.Failure(); err != nil {
		refuse(group, err)
		return
	}
	if group = w.follow(group); len(group) == 0 {
		return
	}
	if len(w.unsynced.requests) == 0 {
		w.unsynced.since, w.millis = time.Now(), w.millis[:0]
	}
	waited, clock := len(w.unsynced.requests) > 0, w.stamp.clock
	entries, err := w.encode(group)
	if err == nil && len(entries) > 0 {
		err = w.log.Append(entries)
	}
	if vfs.Full(err) && w.log.Failed() == nil { // nothing of the group is in the log, which goes on once there is space
		w.stamp.clock = clock
		w.turnAway(group, errFull(err))
		return
	}
	w.unsynced.requests = append(w.unsynced.requests, group...)
	switch {
	case err != nil:
		w.giveUp(err)
	case !w.answerEarly(group) || w.full() || time.Since(w.unsynced.since) >= w.options.FlushInterval:
		w.flush()
	case !waited:
		w.unsynced.due.Reset(w.options.FlushInterval)
	}
}

// full reports whether no more may wait for a sync.
func (w *Writer) full() bool {
	return w.unsynced.bytes >= unsyncedBytes || len(w.unsynced.requests) >= unsyncedRequests
}

// answerEarly answers the requests of a written group that asked for it, and reports whether none of the others waits for a sync.
func (w *Writer) answerEarly(group []*request) bool {
	all := true
	for _, r := range group {
		w.unsynced.bytes += r.bytes
		if r.rows.Early {
			r.answer(Reply{Span: r.span()})
		} else {
			all = all && r.entry == nil
		}
	}
	return all
}

// flush makes durable what is written.
func (w *Writer) flush() {
	if len(w.unsynced.requests) == 0 {
		return
	}
	if err := w.commit(w.unsynced.requests); err != nil {
		w.giveUp(err)
		return
	}
	w.forget()
}

// giveUp stops the writer. What is not durable is refused, as far as it is not answered.
func (w *Writer) giveUp(err error) {
	w.fail(err)
	refuse(w.unsynced.requests, w.Failure())
	w.forget()
}

func (w *Writer) forget() {
	w.unsynced.due.Stop()
	clear(w.unsynced.requests)
	w.unsynced.requests, w.unsynced.bytes = w.unsynced.requests[:0], 0
}

// commit makes written requests durable, then visible, then answers. The order is the promise: nothing is seen before the sync has
// returned, and no answer that means durable is given before the rows are seen.
func (w *Writer) commit(written []*request) error {
	entries := 0
	for _, r := range written {
		if r.entry != nil {
			entries++
		}
	}
	if entries == 0 {
		return nil
	}
	if err := w.sync(entries); err != nil {
		return err
	}
	now := w.options.Now()
	for _, r := range written {
		if err := w.publish(r, now); err != nil {
			return err
		}
	}
	for _, r := range written {
		if r.batch == nil {
			continue
		}
		r.done()
		r.answer(Reply{Span: r.span()})
	}
	return nil
}

// encode gives the entries of a group, and its requests what will be published of them.
func (w *Writer) encode(group []*request) ([]*eventlog.Entry, error) {
	entries := make([]*eventlog.Entry, 0, len(group))
	next := w.log.Next()
	for _, r := range group {
		switch {
		case r.idle == nil:
			meta := w.stamp.meta(r.rows)
			batch, err := w.stamp.batch(r.rows, next)
			if err != nil {
				return nil, err
			}
			r.batch = batch
			r.entry = &eventlog.Entry{Meta: meta, Times: w.milliseconds(r.rows.Times), Producer: r.rows.Producer}
			r.rows.enter(r.entry)
		case r.idle.next == next:
			now := w.options.Now()
			r.entry = &eventlog.Entry{
				Meta: w.stamp.idleMeta(now.UnixMicro()), Times: []int64{now.UnixMilli()}, Idle: &eventlog.Idle{Watermark: r.idle.watermark},
			}
			w.stamp.clock = w.stamp.clock.Raise(r.idle.watermark)
		default:
			continue
		}
		r.clock = w.stamp.clock
		entries = append(entries, r.entry)
		next += event.Offset(len(r.entry.Times))
	}
	return entries, nil
}

// publish lets a durable request be seen.
func (w *Writer) publish(r *request, now time.Time) error {
	if r.entry == nil {
		return nil
	}
	if w.options.Confirm != nil {
		w.options.Confirm(r.entry, &r.rows)
	}
	if r.batch == nil {
		return w.tail.PublishIdle(w.options.Partition, r.entry.End(), r.clock)
	}
	return w.tail.Publish(r.batch, r.clock, now)
}

func (w *Writer) sync(requests int) error {
	start := w.options.Now()
	err := w.log.Sync()
	if w.options.Observe != nil {
		w.options.Observe(w.options.Now().Sub(start), requests)
	}
	return err
}

// refuse answers requests that are not stored.
func refuse(group []*request, err error) {
	for _, r := range group {
		if r.idle != nil {
			continue
		}
		r.done()
		r.answer(Reply{Err: err})
	}
}

// answer replies, once.
func (r *request) answer(reply Reply) {
	if !r.answered {
		r.answered = true
		r.reply <- reply
	}
}

// done says that it is decided what becomes of the rows, once.
func (r *request) done() {
	if done := r.rows.Done; done != nil {
		r.rows.Done = nil
		done()
	}
}

// span is the offsets of rows that are encoded.
func (r *request) span() Span {
	return Span{Partition: r.batch.Partition, First: r.batch.First, Last: r.batch.Last}
}
