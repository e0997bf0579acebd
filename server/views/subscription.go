package views

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/sql/ast"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// Subscription gives the changes of a query's answer as they come. It belongs to one goroutine at a time. It reads at the pace of
// whoever calls Next and holds one portion of its inputs, so a slow reader costs no memory; one that is so slow that what it would read
// next is not kept any more gets a Reset.
type Subscription struct {
	set     *Set
	request SubscribeRequest
	// hidden is the view that answers the query where it needs state; empty for none.
	hidden   string
	progress bool
	// after is the token that the statement names.
	after string

	program *continuous.Program
	machine *continuous.Machine
	inputs  []input
	marks   []Mark
	// current is what is being delivered: piece next of a portion of an input, some of which was delivered before.
	current   *portion
	from      int
	next      int
	delivered bool
}

// SubscribeRequest is what a subscription is made of.
type SubscribeRequest struct {
	Statement *ast.Subscribe
	Params    bind.Params
	// After is the token to go on from, empty for none, and Snapshot whether what the query gives now comes first. Both take precedence over
	// what the statement says.
	After    string
	Snapshot *bool
	// AllowCorrupt lets it go on without rows that damage has taken.
	AllowCorrupt bool
}

// DeliveryKind says what a Delivery is.
type DeliveryKind uint8

// The kinds of Delivery.
const (
	Idle     DeliveryKind = iota // nothing has come for a while
	Batch                        // rows have come, changed or gone
	Progress                     // time has come further without rows
	Reset                        // what was delivered so far is void; what follows begins anew
)

// Op says what becomes of a row.
type Op uint8

// The ops.
const (
	Insert Op = iota
	Update    // the row takes the place of the one with the same key
	Delete
)

// String is the op's name in answers.
func (o Op) String() string { return [...]string{"insert", "update", "delete"}[o] }

// Delivery is one thing that a subscriber is told.
type Delivery struct {
	Kind    DeliveryKind
	Columns []arrow.Array
	Ops     []Op
	// More tells that the next delivery belongs to the same change: there is no token between them.
	More bool
	// Token is where a new subscription can go on behind this delivery; empty where it cannot.
	Token string
	// Closed is the time up to which the answer is complete, continuous.NoWatermark for none.
	Closed int64
	Marks  []Mark
	// Reason says why there is a Reset.
	Reason string
}

// Subscribe begins a subscription. The caller closes it.
func (s *Set) Subscribe(request SubscribeRequest) (*Subscription, error) {
	out := &Subscription{set: s, request: request}
	bound, err := out.bind()
	if err != nil {
		return nil, err
	}
	out.progress, out.after = bound.Progress, bound.After
	snapshot := cmp.Or(request.Snapshot, bound.Snapshot)
	if after := cmp.Or(request.After, bound.After); after != "" {
		err = out.goOn(after)
	} else {
		err = out.begin(snapshot)
	}
	if err != nil {
		out.Close()
		return nil, err
	}
	return out, nil
}

// bind plans the query, with the help of a hidden view where it needs state.
func (s *Subscription) bind() (bind.Subscribe, error) {
	bound, program, err := s.set.planSubscription(s.request.Statement, s.request.Params)
	if err != nil {
		return bound, err
	}
	if !program.Stateless() {
		if s.hidden == "" {
			if s.hidden, err = s.set.acquire(bound, s.request); err != nil {
				return bound, err
			}
		}
		if program, err = s.set.readingAll(s.hidden); err != nil {
			return bound, err
		}
	}
	s.program, s.machine = program, program.Start()
	s.inputs, s.marks = nil, nil
	for _, want := range program.Inputs() {
		s.inputs, s.marks = append(s.inputs, s.set.input(want)), append(s.marks, Mark{Name: want.Name})
	}
	return bound, nil
}

// WantsProgress tells whether the statement asks for deliveries of Progress.
func (s *Subscription) WantsProgress() bool { return s.progress }

// Columns are those of the answer; hidden ones only complete the key.
func (s *Subscription) Columns() []continuous.Column { return s.program.Columns() }

// Key lists the columns that tell rows apart; nil where rows may repeat.
func (s *Subscription) Key() []int { return s.program.Key() }

// begin starts with what there is, or behind it. What a view holds is given unless that is not wanted, what a stream holds only if it is.
func (s *Subscription) begin(snapshot *bool) error {
	for i, in := range s.inputs {
		_, isView := in.(*viewInput)
		if (snapshot != nil && *snapshot) || (snapshot == nil && isView) {
			continue
		}
		if isView {
			view, err := s.set.find(s.marks[i].Name)
			if err != nil {
				return err
			}
			if view.snapshot() == nil {
				return view.unreadable()
			}
		}
		if newest, ok := s.set.newest(s.marks[i].Name); ok {
			if s.marks[i] = newest; len(newest.Vector) == 0 {
				s.marks[i].Vector = event.Vector{0} // it begins with the first row, whenever that comes
			}
		}
	}
	return nil
}

// Start is where a subscription begins that is not given all that there is: whoever is told of it can go on from there before the first delivery
// has come. It has no Token where the first delivery is to tell everything, and where the subscription goes on behind one.
func (s *Subscription) Start() Delivery {
	read := func(m Mark) bool { return len(m.Vector) > 0 }
	if cmp.Or(s.request.After, s.after) != "" || !slices.ContainsFunc(s.marks, read) {
		return Delivery{Closed: continuous.NoWatermark}
	}
	return Delivery{Kind: Progress, Token: s.token(), Marks: slices.Clone(s.marks), Closed: continuous.NoWatermark}
}

// goOn starts behind a delivery.
func (s *Subscription) goOn(token string) error {
	data, err := base64.RawURLEncoding.DecodeString(token)
	var marks []Mark
	if err == nil {
		err = json.Unmarshal(data, &marks)
	}
	same := func(a, b Mark) bool { return a.Name == b.Name }
	if err != nil || !slices.EqualFunc(marks, s.marks, same) {
		return event.Errorf(event.CodeBadRequest, "the token is none of this query").WithHint("leave it out to begin anew")
	}
	s.marks = marks
	return nil
}

// token names the present place.
func (s *Subscription) token() string {
	marks := slices.Clone(s.marks)
	for i := range marks {
		if marks[i].Generation == 0 {
			marks[i].Watermarks = nil // a stream's are the log's
		}
		marks[i].Fault, marks[i].FaultCode = "", ""
	}
	data, err := json.Marshal(marks)
	if err != nil {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// Next gives the next delivery. It waits for one, and gives an Idle one when nothing has come for as long as idle says.
func (s *Subscription) Next(ctx context.Context, idle time.Duration) (Delivery, error) {
	waiting, cancel := context.WithTimeout(ctx, idle)
	defer cancel()
	stop := context.AfterFunc(s.set.ctx, cancel)
	defer stop()
	for {
		changed := make([]<-chan struct{}, len(s.inputs))
		for i, in := range s.inputs {
			changed[i] = in.changed()
		}
		d, err := s.advance(ctx)
		switch {
		case errors.Is(err, errInputChanged):
			return s.reset(err)
		case err != nil || d.Kind != Idle:
			return d, err
		}
		if err := s.stopped(); err != nil {
			return Delivery{}, err
		}
		if !wait(waiting, changed) {
			return Delivery{Kind: Idle}, errors.Join(ctx.Err(), s.stopped())
		}
	}
}

// stopped is an error where nothing more will come.
func (s *Subscription) stopped() error {
	if s.set.ctx.Err() != nil {
		return event.Errorf(event.CodeClosed, "the server is stopping")
	}
	for _, m := range s.marks {
		if view, ok := s.set.View(m.Name); ok {
			if status := view.Status(); status.State == Failed {
				return event.Errorf(codeOfStop(status.Failure), "view %q has stopped: %s", m.Name, status.Detail)
			}
		}
	}
	return nil
}

// reset begins anew with what there is now, as after a token that is too old.
func (s *Subscription) reset(reason error) (Delivery, error) {
	s.endPortion()
	if _, err := s.bind(); err != nil {
		return Delivery{}, err
	}
	return Delivery{Kind: Reset, Reason: reason.Error()}, nil
}

// advance delivers the next piece of the inputs; its kind is Idle where there is none.
func (s *Subscription) advance(ctx context.Context) (Delivery, error) {
	for {
		if s.current == nil {
			found, err := s.pull(ctx)
			if err != nil || !found {
				return Delivery{}, err
			}
		}
		d, err := s.piece(ctx)
		if err != nil || d.Kind != Idle {
			return d, err
		}
	}
}

// pull takes the next portion of an input.
func (s *Subscription) pull(ctx context.Context) (found bool, err error) {
	for i, in := range s.inputs {
		p, err := in.pull(ctx, s.marks[i], nil)
		if err != nil {
			return false, err
		}
		if p != nil {
			if err := s.complete(i, p); err != nil {
				return false, errors.Join(err, p.close())
			}
			s.current, s.from, s.next, s.delivered = p, i, 0, false
			return true, nil
		}
	}
	return false, nil
}

// complete fails where a portion is not all that the input gained: as a query does where damage has taken rows, unless it is to go on without them,
// and with errInputChanged, which begins anew, where rows have expired that the subscriber waited for.
func (s *Subscription) complete(i int, p *portion) error {
	name := s.marks[i].Name
	var lacks []Lack
	stream, isStream := s.set.options.Catalog.Stream(name)
	if !isStream && !s.request.AllowCorrupt {
		var err error
		if lacks, err = s.set.Lacks(name); err != nil {
			return err
		}
	}
	for _, loss := range p.lost {
		var lost []Lack
		if loss.Damaged && isStream {
			lost = loss.lacks("", stream.Quarantined)
		}
		if lacks = append(lacks, lost...); len(lost) == 0 && len(s.marks[i].Vector) > 0 {
			return fmt.Errorf("%s: %w", loss, errInputChanged)
		}
	}
	if len(lacks) > 0 && !s.request.AllowCorrupt {
		return lacks[0].Fault()
	}
	return nil
}

// piece delivers one piece. Within a portion there may be no place to go on from; then the last piece is delivered even if it is empty.
func (s *Subscription) piece(ctx context.Context) (Delivery, error) {
	p, i := s.current, s.from
	step := continuous.InputStep{}
	step.Closed, step.Final = s.inputs[i].watermarks(s.marks[i])
	end := &p.to
	if s.next < len(p.pieces) {
		delta, err := p.pieces[s.next].read(ctx)
		if err != nil {
			return Delivery{}, err
		}
		step.Rows = delta
		if s.next < len(p.pieces)-1 {
			end = p.pieces[s.next].end
		}
	}
	if end != nil {
		closed, final := s.inputs[i].watermarks(*end)
		step.Closed, step.Final = max(step.Closed, closed), max(step.Final, final)
	}
	change, err := s.machine.Step(ctx, continuous.Step{Inputs: map[string]continuous.InputStep{s.marks[i].Name: step}})
	if err = cmp.Or(err, s.machine.Fault()); err != nil {
		return Delivery{}, err
	}
	s.next++
	d := Delivery{Kind: Batch, More: end == nil, Closed: change.Closed}
	d.Columns, d.Ops = s.ops(change.Delta)
	if end != nil {
		s.marks[i] = *end
		d.Token, d.Marks = s.token(), slices.Clone(s.marks)
	}
	if s.next >= len(p.pieces) {
		s.endPortion()
	}
	switch {
	case len(d.Ops) > 0:
		s.delivered = d.More
	case d.More:
		d.Kind = Idle
	case s.delivered:
		s.delivered = false
	default:
		d.Kind = Progress
	}
	return d, nil
}

func (s *Subscription) endPortion() {
	if s.current != nil {
		if err := s.current.close(); err != nil {
			s.set.options.Logger.Warn("what a subscription read could not be closed", "error", err)
		}
		s.current = nil
	}
}

// ops says what becomes of the rows: one that goes while another with the same key comes is replaced by it.
func (s *Subscription) ops(change continuous.Delta) ([]arrow.Array, []Op) {
	key := make([]arrow.Array, len(s.program.Key()))
	for i, at := range s.program.Key() {
		key[i] = change.Columns[at]
	}
	keyed := s.program.Key() != nil && change.Weights != nil
	h := hasher{seed: s.set.seed}
	come := map[xxh3.Uint128]bool{}
	for i := range change.Rows {
		if keyed && change.Weights[i] > 0 {
			come[h.hash(key, i)] = true
		}
	}
	var places []int32
	var ops []Op
	gone := map[xxh3.Uint128]bool{}
	for i := range change.Rows {
		weight, op := weightOf(change.Weights, i), Insert
		if weight < 0 {
			weight, op = -weight, Delete
		}
		if keyed {
			row := h.hash(key, i)
			switch {
			case op == Delete && come[row]:
				gone[row] = true
				continue
			case op == Insert && gone[row]:
				op = Update
			}
		}
		for range weight {
			places, ops = append(places, int32(i)), append(ops, op)
		}
	}
	return rows{columns: change.Columns, count: change.Rows}.take(places).columns, ops
}

// Close ends the subscription. It may be called twice.
func (s *Subscription) Close() {
	s.endPortion()
	if s.hidden != "" {
		s.set.release(s.hidden)
		s.hidden = ""
	}
}
