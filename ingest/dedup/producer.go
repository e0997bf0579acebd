package dedup

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
)

const (
	// keptBatches is how many batches of a producer are known by their offsets: as many as a Kafka producer may have under way.
	keptBatches = 5
	// producerBytes is about what a remembered producer takes.
	producerBytes = 256
	// leastProducers is how many producers are remembered at least before the old ones are looked for.
	leastProducers = 1 << 10
)

// The reasons why Admit refuses a batch.
var (
	// ErrFenced is for a batch of an epoch that a newer one has taken the place of.
	ErrFenced = errors.New("the producer has a newer epoch")
	// ErrOutOfOrder is for a batch that does not follow on the one before it: some are missing.
	ErrOutOfOrder = errors.New("the batch does not follow on the last one of its producer")
	// ErrLongAgo is for a batch that was stored before the last few, so that its offsets are not known any more.
	ErrLongAgo = errors.New("the batch was stored before the last few of its producer")
)

// producerKey names what is remembered: each partition has sequences of its own.
type producerKey struct {
	partition event.Partition
	id        int64
}

// producers is what is remembered of batches with a producer's numbers. The State's lock guards it.
type producers struct {
	known map[producerKey]*producer
	// sweep is how many there are when old ones are looked for the next time.
	sweep int
}

// producer is one producer in one partition.
type producer struct {
	epoch int16
	// arrival is that of its last batch, in microseconds.
	arrival int64
	// stored has the last batches of the epoch, the newest last; none while the first is under way.
	stored []producedBatch
	// pending has the batches under way, in order.
	pending []*Ticket
}

type producedBatch struct {
	sequence int32
	records  int32
	first    event.Offset
}

// after is the sequence that follows on a batch. Sequences count on from 0 behind the greatest.
func after(sequence, records int32) int32 {
	return int32((int64(sequence) + int64(records)) % (math.MaxInt32 + 1))
}

// Ticket is a batch that is being stored.
type Ticket struct {
	state   *State
	key     producerKey
	batch   eventlog.Producer
	records int32
	done    chan struct{}
}

// Verdict is what Admit finds about a batch. One of Ticket and Wait is set, or the batch is a duplicate.
type Verdict struct {
	// Ticket is for a batch that is to be stored: Done has to be called when it is, or will not be.
	Ticket *Ticket
	// Wait is closed when it is worth to ask again: the same batch is being stored.
	Wait <-chan struct{}
	// First is the offset that the first record of a duplicate has, durably.
	First event.Offset
}

// Admit decides what becomes of a batch of a producer that counts its batches. Before the next batch of a producer is admitted to a
// partition, this one has to be queued, or its ticket given back. The error is one of those above, or says that the numbers make no sense.
//
// A producer that is not known, because it is new or has been silent for long, may begin with any sequence; a newer epoch of a known one
// begins with 0.
func (s *State) Admit(p event.Partition, batch eventlog.Producer, records int) (Verdict, error) {
	if batch.ID < 0 || batch.Epoch < 0 || batch.Sequence < 0 || records < 1 || records > math.MaxInt32 {
		return Verdict{}, event.Errorf(event.CodeBadRequest, "a batch of %d records cannot be number %d of epoch %d of producer %d",
			records, batch.Sequence, batch.Epoch, batch.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &Ticket{state: s, key: producerKey{p, batch.ID}, batch: batch, records: int32(records), done: make(chan struct{})}
	known := s.mu.producers.known[t.key]
	if known != nil {
		if verdict, err := known.judge(t); err != nil || verdict != (Verdict{}) {
			return verdict, err
		}
		if first, ok := known.find(t); ok {
			return Verdict{First: first}, nil
		}
	} else {
		known = &producer{}
		s.mu.producers.known[t.key] = known
		s.budget.used.Add(producerBytes)
	}
	known.pending = append(known.pending, t)
	return Verdict{Ticket: t}, nil
}

// judge refuses a batch, or has it wait. It says nothing of a batch that is stored, nor of one that is to be.
func (k *producer) judge(t *Ticket) (Verdict, error) {
	for _, other := range k.pending {
		if other.batch == t.batch && other.records == t.records {
			return Verdict{Wait: other.done}, nil
		}
	}
	epoch, next, begun := k.expected()
	_, stored := k.find(t)
	switch {
	case !begun || stored && t.batch.Epoch == epoch:
		return Verdict{}, nil
	case t.batch.Epoch < epoch:
		return Verdict{}, ErrFenced
	case t.batch.Epoch > epoch && t.batch.Sequence == 0, t.batch.Epoch == epoch && t.batch.Sequence == next:
		return Verdict{}, nil
	case t.batch.Epoch == epoch && before(t.batch.Sequence, next):
		return Verdict{}, ErrLongAgo
	}
	return Verdict{}, ErrOutOfOrder
}

// expected is the epoch and the sequence that a producer goes on with; begun is false while it has no batch.
func (k *producer) expected() (epoch int16, next int32, begun bool) {
	if n := len(k.pending); n > 0 {
		last := k.pending[n-1]
		return last.batch.Epoch, after(last.batch.Sequence, last.records), true
	}
	if n := len(k.stored); n > 0 {
		last := k.stored[n-1]
		return k.epoch, after(last.sequence, last.records), true
	}
	return 0, 0, false
}

// before reports whether a sequence lies in the half of the circle before another one.
func before(a, b int32) bool {
	return (int64(b)-int64(a)+math.MaxInt32+1)%(math.MaxInt32+1) <= math.MaxInt32/2
}

// find gives the offset of a batch that is stored.
func (k *producer) find(t *Ticket) (event.Offset, bool) {
	if t.batch.Epoch != k.epoch {
		return 0, false
	}
	for _, b := range k.stored {
		if b.sequence == t.batch.Sequence && b.records == t.records {
			return b.first, true
		}
	}
	return 0, false
}

// Done says that the batch is stored, and then applied, or will not be.
func (t *Ticket) Done() {
	s := t.state
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.mu.producers.known[t.key]; known != nil {
		known.pending = slices.DeleteFunc(known.pending, func(other *Ticket) bool { return other == t })
		if len(known.pending)+len(known.stored) == 0 {
			s.forgetProducer(t.key)
		}
	}
	close(t.done)
}

func (s *State) forgetProducer(key producerKey) {
	delete(s.mu.producers.known, key)
	s.budget.used.Add(-producerBytes)
}

// produced remembers a durable batch. The lock is held.
func (s *State) produced(p event.Partition, e *eventlog.Entry) {
	key := producerKey{p, e.Producer.ID}
	known := s.mu.producers.known[key]
	if known == nil {
		known = &producer{}
		s.mu.producers.known[key] = known
		s.budget.used.Add(producerBytes)
	}
	if known.epoch != e.Producer.Epoch {
		known.epoch, known.stored = e.Producer.Epoch, nil
	}
	if len(known.stored) == keptBatches {
		known.stored = slices.Delete(known.stored, 0, 1)
	}
	known.stored = append(known.stored, producedBatch{e.Producer.Sequence, int32(len(e.Times)), e.First})
	known.arrival = max(known.arrival, e.Meta.Arrival)
	if len(s.mu.producers.known) > max(s.mu.producers.sweep, leastProducers) {
		s.sweepProducers()
	}
}

// sweepProducers forgets the producers that have been silent for as long as requests are kept, and where memory is short, the half that
// has been silent the longest. The lock is held.
func (s *State) sweepProducers() {
	type aged struct {
		key     producerKey
		arrival int64
	}
	var rest []aged
	for key, k := range s.mu.producers.known {
		switch {
		case len(k.pending) > 0:
		case k.arrival < s.mu.arrival-Keep.Microseconds():
			s.forgetProducer(key)
		default:
			rest = append(rest, aged{key, k.arrival})
		}
	}
	if s.budget.used.Load() > s.budget.limit {
		slices.SortFunc(rest, func(a, b aged) int {
			return cmp.Or(cmp.Compare(a.arrival, b.arrival), cmp.Compare(a.key.id, b.key.id), cmp.Compare(a.key.partition, b.key.partition))
		})
		for _, oldest := range rest[:len(rest)/2] {
			s.forgetProducer(oldest.key)
			s.budget.forgotten.Add(1)
		}
	}
	s.mu.producers.sweep = 2 * len(s.mu.producers.known)
}
