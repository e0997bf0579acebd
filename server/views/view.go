package views

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// State says what a view is doing.
type State string

// The states.
const (
	Building State = "building" // it takes what its inputs hold, and cannot be read yet
	Running  State = "running"
	Failed   State = "failed" // it has stopped, and can be read as it was
	Paused   State = "paused" // it takes no rows for want of memory, and can be read as it is
)

// View is one running view.
type View struct {
	set    *Set
	cancel context.CancelFunc
	ctx    context.Context
	done   chan struct{}
	resume chan struct{}
	// asked wakes the view where there is something to do besides new rows.
	asked chan struct{}
	// gone is closed once another view, or none, has the name.
	gone chan struct{}
	// unchecked is set while the marks that an earlier process has left are not held against the inputs. It is the goroutine's own.
	unchecked bool
	// held is the memory that the view takes of the share of all views.
	held atomic.Int64

	mu struct {
		sync.Mutex
		definition *catalog.View
		state      State
		failure    error
		// culprit is the event at which the view stopped; nil where it runs, or where there is none.
		culprit  *catalog.SkippedEvent
		snapshot *Snapshot
		log      *changelog
		// shown tells that it is the present one of its name.
		shown   bool
		started bool
		taken   int64
		// replayed is how many rows the last start read again.
		replayed int64
		// durable are the marks of the newest checkpoint: where a restart begins to read. nil where there is none yet.
		durable []Mark
		// before are those of the checkpoint before, where a restart begins if the newest is damaged: the same where there is none, nil where
		// they are not known, as after a start.
		before []Mark
		// slow tells that the view takes rows in small portions; memory and disk are the bytes that it holds and keeps in temporary files.
		slow         bool
		memory, disk int64
		// given tells that rows which would be lost by building the view anew have been given up.
		given bool
		// due tells that a checkpoint is asked for.
		due bool
		// changed is closed and replaced whenever anything of the above changes.
		changed chan struct{}
	}
}

func newSeed() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: it ends the program instead
	return binary.LittleEndian.Uint64(b[:])
}

func (s *Set) newView(definition *catalog.View) *View {
	v := &View{
		set: s, done: make(chan struct{}), resume: make(chan struct{}, 1), asked: make(chan struct{}, 1), gone: make(chan struct{}),
	}
	v.ctx, v.cancel = context.WithCancel(s.ctx)
	v.mu.definition, v.mu.state, v.mu.changed = definition, Running, make(chan struct{})
	if !definition.Ready {
		v.mu.state = Building
	}
	return v
}

// leave notes that the name is another's or nobody's from now on, and wakes those who follow the view: they look again.
func (v *View) leave() {
	close(v.gone)
	v.update(func() {})
}

// show notes that the view is the present one of its name.
func (v *View) show() { v.update(func() { v.mu.shown = true }) }

// start begins the view's goroutine, unless the view was stopped meanwhile.
func (v *View) start() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ctx.Err() != nil {
		return
	}
	v.mu.started = true
	go v.run()
}

// stop ends the view's goroutine and waits for it. It is not for that goroutine itself.
func (v *View) stop() {
	v.cancel()
	v.mu.Lock()
	started := v.mu.started
	v.mu.Unlock()
	if started {
		<-v.done
	}
}

// update changes what others see and wakes those who wait for it.
func (v *View) update(change func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	change()
	close(v.mu.changed)
	v.mu.changed = make(chan struct{})
}

// Changed returns a channel that is closed by the next change of the view's content, watermark or state.
func (v *View) Changed() <-chan struct{} {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.changed
}

// Gone returns a channel that is closed once another view, or none, has the name.
func (v *View) Gone() <-chan struct{} { return v.gone }

// Definition is the view's definition.
func (v *View) Definition() *catalog.View {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.definition
}

func (v *View) snapshot() *Snapshot {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.snapshot
}

// setSnapshot shows a snapshot together with the changelog that has the frames up to it: a view that reads this one looks for those as soon
// as it sees the snapshot. A view that is paused stays so.
func (v *View) setSnapshot(log *changelog, s *Snapshot) {
	v.update(func() {
		v.mu.log, v.mu.snapshot = log, s
		if v.mu.state != Paused {
			v.mu.state, v.mu.failure = Running, nil
		}
		if !v.mu.definition.Ready {
			v.mu.definition = s.definition
		}
	})
}

// setReplayed notes how many rows a start read again.
func (v *View) setReplayed(rows int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.replayed = rows
}

// setProgress notes how many rows have been taken while the view is built.
func (v *View) setProgress(taken int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.mu.taken = taken
}

// run keeps the view current until it is stopped. After a failure of the machine it runs on it tries again; a failure of the query needs
// someone to say so.
func (v *View) run() {
	defer close(v.done)
	defer v.noteHeld(0)
	retry := firstRetry
	for {
		worked, err := v.guarded()
		if v.ctx.Err() != nil {
			return
		}
		v.noteStopped()
		if errors.Is(err, errReplaced) {
			<-v.ctx.Done() // whoever told the catalog is about to end it
			return
		}
		if errors.Is(err, errInputChanged) {
			if err = v.buildAnew(v.ctx, err); err == nil {
				<-v.ctx.Done() // the one that takes this one's place ends it
				return
			}
		}
		v.anchor(err)
		culprit, err := v.blame(err)
		v.noteStopped()
		v.update(func() { v.mu.state, v.mu.failure, v.mu.culprit = Failed, err, culprit })
		v.set.options.Logger.Error("a view has stopped", "view", v.Definition().Name, "error", err)
		var again <-chan time.Time
		if !isQuery(err) {
			if worked {
				retry = firstRetry
			}
			timer := time.NewTimer(retry)
			again, retry = timer.C, min(2*retry, lastRetry)
		}
		select {
		case <-again:
		case <-v.resume:
		case <-v.ctx.Done():
			return
		}
	}
}

// guarded is work under protection.
func (v *View) guarded() (worked bool, err error) {
	err = protected(func() (err error) {
		worked, err = v.work()
		return err
	})
	return worked, err
}

// protected turns a panic into a failure: a fault met by one view does not end the others.
func protected(work func() error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = &event.Error{
				Code: event.CodeInternal, Detail: "the view met a fault inside the program", Cause: fmt.Errorf("panic: %v\n%s", fault, debug.Stack()),
			}
		}
	}()
	return work()
}

// work opens the view and follows its inputs until something fails or the view is stopped.
func (v *View) work() (worked bool, err error) {
	r, err := v.set.newRuntime(v)
	if err != nil {
		return false, err
	}
	v.set.memory.views.Add(1)
	defer v.set.memory.views.Add(-1)
	defer func() { err = errors.Join(err, r.close(v.ctx.Err() != nil)) }()
	if r.definition.Ready {
		err = r.restore(v.ctx)
	} else {
		err = r.begin()
	}
	if err != nil {
		return false, err
	}
	for {
		goes, err := r.holdIfOver()
		if err != nil || !goes {
			return worked, err
		}
		changed, there := r.changed(), r.there()
		moved, err := r.advance(v.ctx)
		if err != nil {
			return worked, err
		}
		worked = true
		if !r.definition.Ready && r.caughtUp(there) {
			if err := r.finish(v.ctx); err != nil {
				return worked, err
			}
		}
		if err := r.checkpointStep(); err != nil {
			return worked, err
		}
		if moved && r.definition.Ready {
			pause(v.ctx, r.definition.Interval)
		}
		if !moved && !wait(v.ctx, changed) {
			return worked, nil
		}
	}
}

// pause lets time pass: EMIT ... WITH BATCH.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// changed are the channels that tell of more to read.
func (r *runtime) changed() []<-chan struct{} {
	out := make([]<-chan struct{}, len(r.inputs), len(r.inputs)+1)
	for i, in := range r.inputs {
		out[i] = in.changed()
	}
	return append(out, r.view.asked)
}

// there is where the inputs are now, for a view that is being built.
func (r *runtime) there() []Mark {
	if r.definition.Ready {
		return nil
	}
	var out []Mark
	for _, m := range r.marks {
		if newest, ok := r.set.newest(m.Name); ok {
			out = append(out, newest)
		}
	}
	return out
}

// caughtUp reports whether a view that is being built has taken all that was there when its last step began, and so all that was
// acknowledged before it was made.
func (r *runtime) caughtUp(there []Mark) bool {
	for i, in := range r.inputs {
		if in.behind(r.marks[i]) {
			return false
		}
	}
	return coverAll(r.marks, there)
}

// wait blocks until one of the channels is closed; false when ctx ends first.
func wait(ctx context.Context, channels []<-chan struct{}) bool {
	if n := len(channels); n == 1 || n == 2 { // one input, without reflection
		select {
		case <-channels[0]:
			return true
		case <-channels[n-1]:
			return true
		case <-ctx.Done():
			return false
		}
	}
	cases := []reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())}}
	for _, c := range channels {
		cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(c)})
	}
	chosen, _, _ := reflect.Select(cases)
	return chosen > 0
}

// Resume lets a view that has failed try again, and one that would lose rows by being built anew lose them.
func (v *View) Resume() {
	v.update(func() {
		if v.mu.state != Failed {
			return
		}
		v.mu.given = v.mu.given || errors.Is(v.mu.failure, errWouldLose)
		v.mu.failure, v.mu.culprit = nil, nil
		if v.mu.state = Running; v.mu.snapshot == nil {
			v.mu.state = Building
		}
	})
	select {
	case v.resume <- struct{}{}:
	default:
	}
}

// errReplaced says that a view has been dropped, replaced or stopped.
var errReplaced = errors.New("the view was dropped, replaced or stopped")

// await blocks until the view has the name that it is known by, and has taken its inputs up to the targets. A view that has failed does
// not get there. One that has stopped because another is about to take its place keeps the caller until it has.
func (v *View) await(ctx context.Context, targets []Mark) error {
	for {
		changed := v.Changed()
		v.mu.Lock()
		snapshot, state, failure, shown := v.mu.snapshot, v.mu.state, v.mu.failure, v.mu.shown
		name := v.mu.definition.Name
		v.mu.Unlock()
		switch {
		case state == Failed:
			return hasStopped(name, failure)
		case state == Paused && (snapshot == nil || !snapshot.covers(targets)):
			return event.Errorf(event.CodeConflict, "view %q is paused: %v", name, failure)
		case shown && snapshot != nil && snapshot.covers(targets):
			return nil
		}
		select {
		case <-changed:
		case <-v.gone:
			return errReplaced
		case <-v.set.ctx.Done():
			return errReplaced
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// hasStopped is the error of whoever waits for a view that does not go on.
func hasStopped(name string, failure error) error {
	return event.Errorf(codeOfStop(failure), "view %q has stopped: %v", name, failure)
}

// codeOfStop is the code by which others learn that a view has stopped. One that stopped over damage says so, as whatever reads damaged data does.
func codeOfStop(failure error) event.Code {
	if fault := (*event.Error)(nil); errors.As(failure, &fault) && fault.Code == event.CodeCorrupt {
		return event.CodeCorrupt
	}
	return event.CodeConflict
}

// Ready blocks until the view can be read, or has failed.
func (v *View) Ready(ctx context.Context) error {
	err := v.await(ctx, nil)
	if errors.Is(err, errReplaced) {
		return event.Errorf(event.CodeClosed, "view %q was dropped, replaced or stopped", v.Definition().Name)
	}
	return err
}

// back blocks until the view can be read, be it as it stopped. One that stopped before that is no fault of who waits: it is to try again later.
func (v *View) back(ctx context.Context) error {
	for {
		changed := v.Changed()
		v.mu.Lock()
		snapshot, state, failure, name := v.mu.snapshot, v.mu.state, v.mu.failure, v.mu.definition.Name
		v.mu.Unlock()
		switch {
		case snapshot != nil:
			return nil
		case state == Failed:
			return event.Errorf(event.CodeTooBusy, "view %q has stopped before it could be read: %v", name, failure)
		}
		select {
		case <-changed:
		case <-v.gone:
			return event.Errorf(event.CodeClosed, "view %q was dropped or replaced", name)
		case <-v.set.ctx.Done():
			return event.Errorf(event.CodeClosed, "the server is stopping")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (v *View) changelog() *changelog {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.mu.log
}

// readFrames gives the frames from a number on to fn, as many as there are. The view must have a snapshot.
func (v *View) readFrames(ctx context.Context, from uint64, fn func(*Frame) error) error {
	log := v.changelog()
	if log == nil {
		return event.Errorf(event.CodeInternal, "view %s has no changelog yet", v.Definition().Name)
	}
	return log.read(ctx, from, fn)
}

// oldestMark is the first frame of an input that the view may want after a restart; 0 where that is not known.
func (v *View) oldestMark(input string) uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if i := slices.IndexFunc(v.mu.before, func(m Mark) bool { return m.Name == input }); i >= 0 {
		return uint64(max(v.mu.before[i].Vector.At(0), 0))
	}
	return 0
}
