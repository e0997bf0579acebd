package views

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

const (
	// sealRows and sealBytes are how many final rows make a segment.
	sealRows  = 256 << 10
	sealBytes = 64 << 20
	// checkpointFrames and checkpointBytes are how far the changelog grows before a checkpoint makes its beginning superfluous.
	checkpointFrames = 10_000
	checkpointBytes  = 32 << 20
)

// runtime is a view at work. It belongs to the view's goroutine.
type runtime struct {
	view       *View
	set        *Set
	definition *catalog.View
	program    *continuous.Program
	machine    *continuous.Machine
	inputs     []input
	marks      []Mark
	content    *content
	log        *changelog
	// outlet sends late rows elsewhere; nil where nobody asked for that.
	outlet *lateOutlet
	// closed and final are the view's own watermarks, late the number of rows left out as late.
	closed, final, late int64
	lost                []Loss
	// recorded is the final watermark of the last frame or checkpoint.
	recorded int64
	// started tells that the machine has made its first step, which gives what the answer over no rows holds.
	started bool
	// uncovered and uncoveredBytes are the frames since the last checkpoint.
	uncovered      int
	uncoveredBytes int64
	// saved is the number of the frame that follows the newest checkpoint; 0 for none.
	saved uint64
	// savedBytes is the size of the newest checkpoint.
	savedBytes int64
	// writing is a checkpoint on its way to the disk; nil for none.
	writing *writing
	// settled tells that no step is half done: marks, machine and content belong together.
	settled bool
	// done is how many rows of the inputs have been taken.
	done int64
}

func (s *Set) newRuntime(v *View) (*runtime, error) {
	definition := v.Definition()
	_, program, err := s.rebind(definition)
	if err != nil {
		return nil, err
	}
	if !sameShape(definition, program) {
		return nil, fmt.Errorf("view %s: %w", definition.Name, errInputChanged)
	}
	r := &runtime{view: v, set: s, definition: definition, program: program, closed: continuous.NoWatermark, final: continuous.NoWatermark}
	for _, want := range program.Inputs() {
		r.inputs = append(r.inputs, s.skipping(definition, s.input(want)))
		r.marks = append(r.marks, Mark{Name: want.Name})
	}
	if r.outlet, err = r.newOutlet(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *runtime) changelogDir() string { return path.Join(viewsDir, r.definition.Storage()) }
func (r *runtime) stateDir() string     { return path.Join(stateDir, r.definition.Storage()) }

// begin starts with nothing, after removing what an earlier attempt may have left.
func (r *runtime) begin() error {
	if err := r.set.discard(r.definition); err != nil {
		return err
	}
	r.machine = r.program.Start()
	r.content = newContent(r.definition, r.program, r.set.seed)
	r.view.unchecked = false // all that it will have read, this process has
	if r.definition.Start == catalog.StartNow {
		r.skipToNow()
	}
	return nil
}

// skipToNow begins behind what the streams held when the view was made.
func (r *runtime) skipToNow() {
	for i, in := range r.inputs {
		if s := streamOf(in); s != nil {
			r.marks[i].Vector = r.definition.Begun[s.want.Name]
		}
	}
	if r.outlet != nil {
		r.outlet.sent = slices.Clone(r.marks)
	}
}

// advance takes what the inputs have gained and makes it one step. worked is false where there was nothing.
func (r *runtime) advance(ctx context.Context) (worked bool, err error) {
	var changes []continuous.Delta
	r.settled = false
	step := func(inputs map[string]continuous.InputStep) error {
		change, err := r.step(ctx, inputs)
		switch {
		case err != nil:
			return err
		case !r.definition.Ready:
			return r.build(ctx, change)
		case change.Rows > 0:
			changes = append(changes, change)
		}
		return nil
	}
	if !r.started {
		if err := step(nil); err != nil {
			return false, err
		}
		r.started, worked = true, true
	}
	for i := range r.inputs {
		took, err := r.take(ctx, i, nil, step)
		if err != nil {
			return false, err
		}
		worked = worked || took
	}
	if worked && r.definition.Ready {
		if err := r.commit(ctx, changes); err != nil {
			return false, err
		}
	}
	r.settled = true
	return worked, nil
}

// step gives the machine rows and notes what it says of the whole view.
func (r *runtime) step(ctx context.Context, inputs map[string]continuous.InputStep) (continuous.Delta, error) {
	change, err := r.machine.Step(ctx, continuous.Step{Inputs: inputs})
	if err != nil {
		return continuous.Delta{}, err
	}
	r.closed, r.final, r.late = max(r.closed, change.Closed), max(r.final, change.Final), r.late+change.Late
	for i, c := range change.Columns {
		change.Columns[i] = plain(c)
	}
	return change.Delta, nil
}

// take gives the machine a portion of an input, up to a mark, or all there is where that is nil.
func (r *runtime) take(ctx context.Context, i int, to *Mark, step func(map[string]continuous.InputStep) error) (took bool, err error) {
	in, name := r.inputs[i], r.marks[i].Name
	p, err := in.pull(ctx, r.marks[i], to)
	if err != nil || p == nil {
		return false, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	for _, loss := range p.lost {
		if err := r.lose(loss, to != nil); err != nil {
			return false, err
		}
	}
	closed, before := in.watermarks(r.marks[i])
	_, after := in.watermarks(p.to)
	final := func(last bool) int64 {
		if last {
			return max(before, after)
		}
		return before
	}
	for n, piece := range p.pieces {
		delta, err := piece.read(ctx)
		if err != nil {
			return false, err
		}
		closed = p.closedAfter(n, closed)
		last := n == len(p.pieces)-1
		if err := step(map[string]continuous.InputStep{name: {Rows: delta, Closed: closed, Final: final(last)}}); err != nil {
			return false, r.located(err, p.to)
		}
		r.done += int64(piece.rows)
		r.view.setProgress(r.done)
	}
	if len(p.pieces) == 0 {
		if err := step(map[string]continuous.InputStep{name: {Closed: max(closed, p.closed), Final: final(true)}}); err != nil {
			return false, err
		}
	}
	r.marks[i] = p.to
	return true, nil
}

// located says between which marks the rows lie that a query failed over.
func (r *runtime) located(err error, to Mark) error {
	var fault *event.Error
	if !errors.As(err, &fault) {
		return err
	}
	from := ""
	for _, m := range r.marks {
		if m.Name == to.Name {
			from = m.Vector.String()
		}
	}
	out := *fault
	out.Detail = fmt.Sprintf("%s%soffsets %s and %s of %s", fault.Detail, stoppedBetween, from, to.Vector, to.Name)
	return &out
}

// stoppedBetween is what stands in an error between the reason and the offsets.
const stoppedBetween = "; it stopped between "

// build takes a change while the view is built: nobody sees it, so it needs no frame.
func (r *runtime) build(ctx context.Context, change continuous.Delta) error {
	if err := r.content.apply(rows{columns: change.Columns, count: change.Rows}, change.Weights, r.final); err != nil {
		return err
	}
	return r.sealIfDue(ctx)
}

// commit makes a step durable and then visible.
func (r *runtime) commit(ctx context.Context, changes []continuous.Delta) error {
	frame := &Frame{}
	if len(changes) > 0 {
		net, err := r.program.Net(changes...)
		if err != nil {
			return err
		}
		for i, c := range net.Columns {
			net.Columns[i] = plain(c)
		}
		shown, err := r.content.asShown(rows{columns: net.Columns, count: net.Rows}, net.Weights)
		if err != nil {
			return err
		}
		frame.Columns, frame.Weights, frame.Rows = shown.columns, net.Weights, shown.count
	}
	if frame.Rows > 0 {
		if err := r.append(frame); err != nil {
			return err
		}
	}
	if err := r.content.apply(rows{columns: frame.Columns, count: frame.Rows}, frame.Weights, r.final); err != nil {
		return err
	}
	if err := r.publish(ctx); err != nil {
		return err
	}
	return r.sealIfDue(ctx)
}

// publish shows the content as it is now, once its late rows are where they belong.
func (r *runtime) publish(ctx context.Context) error {
	s, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	r.view.setSnapshot(r.log, s)
	return nil
}

// snapshot does all of publish that can fail.
func (r *runtime) snapshot(ctx context.Context) (*Snapshot, error) {
	if err := r.sendLate(ctx); err != nil {
		return nil, err
	}
	live, err := r.content.live.publish()
	if err != nil {
		return nil, err
	}
	return &Snapshot{
		definition: r.definition, live: live, liveRows: r.content.live.alive, final: slices.Clone(r.content.final), next: r.content.next,
		sealed: r.content.sealed, frame: r.log.next(), Marks: slices.Clone(r.marks), Closed: r.closed, Final: r.final, Late: r.late,
		Lost: r.lost, StateBytes: r.machine.Bytes(), Fault: r.fault(),
	}, nil
}

// fault is why the view cannot be shown as it is: its own machine, or a view that it reads, as that was where it was read.
func (r *runtime) fault() error {
	if err := r.machine.Fault(); err != nil {
		return err
	}
	for _, m := range r.marks {
		if m.Fault != "" {
			return event.Errorf(m.FaultCode, "view %s: %s", m.Name, m.Fault)
		}
	}
	return nil
}

// sealIfDue writes the final rows into a segment once there are many. They have been durable in the changelog before.
func (r *runtime) sealIfDue(ctx context.Context) error {
	if c := r.content; int64(c.next-c.sealed) < r.set.options.Limits.SealRows && c.finalBytes < sealBytes {
		return nil
	}
	return r.seal(ctx)
}

// seal writes the final rows that there are into a segment.
func (r *runtime) seal(ctx context.Context) error {
	if err := r.recordFinal(); err != nil {
		return err
	}
	next := r.content.next
	sealed := manifest.Sealed{Next: event.Vector{next}}
	if _, err := r.set.options.Segments.Add(ctx, r.definition.Stored(), r.content.final, sealed); err != nil {
		return fmt.Errorf("seal view %s: %w", r.definition.Name, err)
	}
	r.content.forget(next)
	if !r.definition.Ready {
		return nil
	}
	return r.publish(ctx)
}

// recordFinal makes durable up to when rows are final, where no frame has said so yet: a restart would take rows for live ones that a
// segment holds.
func (r *runtime) recordFinal() error {
	if !r.definition.Ready || r.recorded == r.final {
		return nil
	}
	return r.append(&Frame{})
}

// append completes a frame and makes it durable.
func (r *runtime) append(f *Frame) error {
	f.Marks, f.Closed, f.Final, f.Late, f.Lost = slices.Clone(r.marks), r.closed, r.final, r.late, r.lost
	if err := r.log.append(f); err != nil {
		return err
	}
	r.recorded = r.final
	r.uncovered, r.uncoveredBytes = r.uncovered+1, r.uncoveredBytes+f.bytes()
	return nil
}
