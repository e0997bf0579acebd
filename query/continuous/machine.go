package continuous

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/tidemarkdb/tidemark/event"
)

// Step is what the inputs gained.
type Step struct {
	// Inputs is by Input.Name; an input that is not in it gained nothing and has the watermark that it had.
	Inputs map[string]InputStep
}

// InputStep is what one input gained since the step before.
type InputStep struct {
	// Rows are in the columns of Input.Fields. The rows of a stream have no weights.
	Rows Delta
	// Closed is the input's watermark with these rows, in microseconds: no row with an earlier time will come that is in time.
	// A stream's is the least of its partitions'; a view's is Changes.Closed + 1. It never falls.
	Closed int64
	// Final is, for a view, Changes.Final + 1: no row with an earlier time will change. For a stream it is not looked at.
	Final int64
}

// Changes is what a step did to the output.
type Changes struct {
	// Delta is in the columns of Program.Columns, consolidated: no row is in it twice, and where the program has a key, the row that
	// goes comes before the one that takes its place.
	Delta
	// Closed is the time up to which the output is complete: all rows of Program.Time at or before it have come, late corrections
	// apart. Final is the same with those. Of a program that Passes events, all that are not late have come. Both are NoWatermark until
	// there is one and where the program has no time.
	Closed, Final int64
	// Late is how many events the plan's conditions of lateness left out, of one window at least, each once for each of the conditions.
	Late int64
}

// Machine is a running program.
type Machine struct {
	program   *Program
	operators []operator // every input before what reads it
	nodes     []node     // that of each operator
	root      operator
	marks     map[string]marks // by input
	spent     bool
}

// marks are an input's watermarks.
type marks struct{ closed, final int64 }

// operator is a running operator.
type operator interface {
	// step takes the changes of its inputs and gives its own.
	step(ctx context.Context, s *stepping) (Delta, error)
	// save and load write and read the state.
	save(w *stateWriter) error
	load(r *stateReader) error
	// bytes is the memory held.
	bytes() int64
}

// stepping is what the operators share during one step.
type stepping struct {
	inputs map[string]InputStep
	// closed and final are the least watermarks of all inputs, in the unit of a stream's.
	closed, final int64
	late          int64
}

// Start makes a machine whose inputs are still empty.
func (p *Program) Start() *Machine {
	m := &Machine{program: p, marks: map[string]marks{}}
	for _, in := range p.inputs {
		m.marks[in.Name] = marks{NoWatermark, NoWatermark}
	}
	m.root = m.start(p.root)
	return m
}

func (m *Machine) start(n node) operator {
	var inputs []operator
	for _, in := range n.inputs() {
		inputs = append(inputs, m.start(in))
	}
	op := n.start(m, inputs)
	m.operators, m.nodes = append(m.operators, op), append(m.nodes, n)
	return op
}

// Step takes what the inputs gained and gives the change of the output. The arrays of the step must not change afterwards. The first
// step of a machine, which may bring nothing, gives what the answer over no rows holds. After an error the machine is not used again:
// an *event.Error whose code is not internal is the query's own, as an overflow is.
func (m *Machine) Step(ctx context.Context, step Step) (Changes, error) {
	if m.spent {
		return Changes{}, event.Errorf(event.CodeInternal, "a continuous query goes on after it has failed")
	}
	m.spent = true
	var out Changes
	err := guard(func() (err error) {
		out, err = m.run(ctx, step)
		return err
	})
	if err != nil {
		return Changes{}, err
	}
	m.spent = false
	return out, nil
}

func (m *Machine) run(ctx context.Context, step Step) (Changes, error) {
	for name, in := range step.Inputs {
		if err := m.advance(name, in); err != nil {
			return Changes{}, err
		}
	}
	closed, final := m.watermarks()
	s := &stepping{inputs: step.Inputs, closed: closed, final: final}
	delta, err := m.root.step(ctx, s)
	if err != nil {
		return Changes{}, err
	}
	out := Changes{Delta: m.program.net(delta), Late: s.late, Closed: NoWatermark, Final: NoWatermark}
	switch {
	case m.program.time >= 0:
		out.Closed, out.Final = behind(closed, m.program.closedLag), behind(final, m.program.finalLag)
	case m.program.passed >= 0: // no event before the watermark will come in time
		out.Closed, out.Final = behind(closed, 1), behind(final, 1)
	}
	return out, nil
}

// advance takes over an input's watermarks.
func (m *Machine) advance(name string, in InputStep) error {
	old, ok := m.marks[name]
	if !ok {
		return event.Errorf(event.CodeInternal, "the query reads no %q", name)
	}
	if m.program.isStream(name) {
		in.Final = in.Closed
	}
	if in.Closed < old.closed || in.Final < old.final {
		return event.Errorf(event.CodeInternal, "the watermark of %s fell", name)
	}
	m.marks[name] = marks{in.Closed, in.Final}
	return nil
}

// watermarks are the least of all inputs'. A program without inputs has seen all that will come.
func (m *Machine) watermarks() (closed, final int64) {
	closed, final = endOfTime, endOfTime
	for _, at := range m.marks {
		closed, final = min(closed, at.closed), min(final, at.final)
	}
	return closed, final
}

// endOfTime is a watermark after all times.
const endOfTime = 1<<63 - 1

// behind is a watermark moved back by a lag.
func behind(watermark, lag int64) int64 {
	switch {
	case watermark == NoWatermark || watermark == endOfTime:
		return watermark
	case lag > 0 && watermark < NoWatermark+1+lag:
		return NoWatermark + 1
	default:
		return watermark - lag
	}
}

// Bytes is the memory that the state takes, about.
func (m *Machine) Bytes() int64 {
	var total int64
	for _, op := range m.operators {
		total += op.bytes()
	}
	return total
}

// Heaviest says which operator holds most of the memory, as EXPLAIN prints it, and how much.
func (m *Machine) Heaviest() (operator string, bytes int64) {
	for i, op := range m.operators {
		if held := op.bytes(); held > bytes {
			operator, bytes = m.nodes[i].describe(), held
		}
	}
	return operator, bytes
}

// spiller is an operator that can keep a part of its state on disk.
type spiller interface {
	// spill moves what was needed least lately to the disk, until so many bytes of memory are free or nothing is left to move. After an
	// error the state is what it was, on disk or in memory.
	spill(bytes int64) error
	// spilled is the bytes on disk.
	spilled() int64
	// close lets go of the disk. It may be called twice.
	close() error
}

// Spill moves state to the disk until so many bytes of memory are free, as far as there are operators that can: those that remember
// something by a key. The machine answers as before. An error, as that of a full disk, leaves the machine as good as it was.
func (m *Machine) Spill(bytes int64) error {
	if m.program.options.Spill == nil || m.spent {
		return nil
	}
	var errs []error
	for _, op := range m.operators {
		o, ok := op.(spiller)
		if !ok || bytes <= 0 {
			continue
		}
		before := op.bytes()
		errs = append(errs, guard(func() error { return o.spill(bytes) }))
		bytes -= before - op.bytes()
	}
	return errors.Join(errs...)
}

// Spilled is the bytes of the state that lie on disk.
func (m *Machine) Spilled() int64 {
	total := int64(0)
	for _, op := range m.operators {
		if o, ok := op.(spiller); ok {
			total += o.spilled()
		}
	}
	return total
}

// Close lets go of what the machine has on disk. It may be called twice.
func (m *Machine) Close() error {
	var errs []error
	for _, op := range m.operators {
		if o, ok := op.(spiller); ok {
			errs = append(errs, o.close())
		}
	}
	return errors.Join(errs...)
}

// Capture takes down the state, which the caller writes while the machine goes on, and closes.
func (m *Machine) Capture() (*State, error) {
	if m.spent {
		return nil, event.Errorf(event.CodeInternal, "a snapshot of a continuous query that has failed")
	}
	sw := &stateWriter{}
	err := guard(func() error {
		sw.begin(m)
		for _, op := range m.operators {
			if err := op.save(sw); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take down state: %w", err), sw.state.Close())
	}
	return &sw.state, nil
}

// Snapshot writes the state: the same bytes after the same steps. It is framed and checksummed by the caller.
func (m *Machine) Snapshot(w io.Writer) error {
	state, err := m.Capture()
	if err != nil {
		return err
	}
	return errors.Join(state.Write(w), state.Close())
}

// Restore makes a machine in the state that a machine of the same program once wrote.
func (p *Program) Restore(r io.Reader) (*Machine, error) {
	m := p.Start()
	sr := newStateReader(r)
	err := guard(func() error {
		if err := sr.begin(m); err != nil {
			return err
		}
		for i, op := range m.operators {
			sr.reading(p, m.nodes[i])
			if err := op.load(sr); err != nil {
				return err
			}
		}
		return sr.close()
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read state: %w", err), m.Close())
	}
	return m, nil
}

// guard turns a panic into an internal error, so that a fault met by one query does not end the process.
func guard(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &event.Error{
				Code:   event.CodeInternal,
				Detail: "the query failed inside the engine",
				Cause:  fmt.Errorf("panic: %v\n%s", v, debug.Stack()),
			}
		}
	}()
	return work()
}
