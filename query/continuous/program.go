package continuous

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// Program is a compiled plan. It never changes and may be used from any goroutine.
type Program struct {
	options Options
	plan    plan.Node
	root    node
	columns []Column
	key     []int
	inputs  []Input
	infos   map[string]InputInfo
	late    []lateSpot
	awaited map[*plan.Window]awaited
	// time is the output column that the watermark speaks of, -1 without one.
	time int
	// closedLag and finalLag are how far behind the watermark a row's time must lie for it to be complete, and to be so for good.
	closedLag, finalLag int64
	neat                bool // see isNeat
	// identity is what state of the program begins with.
	identity string
	// keeps are the places of operators in it.
	keeps map[node]int
	// passed is the column of event time whose watermark is passed on, and mark the one of the watermarks before the events; passed is -1
	// where none is.
	passed, mark int
}

// forContinuous leaves row numbers as they are: the first row of each key in the order of event time is known once the watermark has passed it, which
// a window shows, while the first of all rows so far may go again.
var forContinuous = optimize.Without("take-first-rows", "answer-at-once", "split-marks", "read-members")

// Compile makes the program of a plan. inputs says what the names of the plan's scans stand for. A plan that cannot be kept current,
// or not within bounds, is a not_supported error that names the operator and what to do.
func Compile(root plan.Node, inputs map[string]InputInfo, options Options) (*Program, error) {
	if err := refuseUnsteady(root); err != nil {
		return nil, err
	}
	visible := plan.Width(root)
	if options.Marked {
		visible--
	}
	keyed, key := exposeKey(settleTies(root, inputs), inputs)
	own := keyed.Columns()
	optimized, err := forContinuous(stored(keyed))
	if err != nil {
		return nil, err
	}
	optimized, joins := Punctual(semiJoins(optimized), inputs)
	if joins && options.Horizon > 0 {
		return nil, event.Errorf(event.CodeBadRequest, "LATE RECOMPUTE is for windows of FROM, not for joins").
			WithHint("LATE DROP leaves late rows out of both sides")
	}
	outline := Program{options: options, key: key, infos: inputs}
	for i, column := range optimized.Columns() {
		outline.columns = append(outline.columns, Column{Column: column, As: declared(own[i]), Hidden: i >= visible})
	}
	p, err := outline.over(optimized, visible)
	if err == nil || options.Emit != OnWindowClose {
		return p, err
	}
	closing, cut := outline.over(punctualScans(optimized, inputs), visible)
	switch {
	case cut != nil:
		return nil, err
	case options.Horizon > 0:
		return nil, event.Errorf(event.CodeBadRequest, "LATE RECOMPUTE is for windows of FROM").
			WithHint("what else is emitted when the watermark passes it stays as it is: leave the clause out")
	default:
		return closing, nil
	}
}

// over completes the outline of a program by the operators of an optimized plan, of whose columns so many are visible.
func (p Program) over(optimized plan.Node, visible int) (*Program, error) {
	c := &compiler{inputs: p.infos, options: p.options, fields: map[string]*Input{}, awaited: map[*plan.Window]awaited{}}
	c.collectFields(optimized)
	if p.options.Emit == OnWindowClose {
		c.showing = settled
	}
	root, err := c.compile(optimized)
	if err != nil {
		return nil, err
	}
	p.root = soFarOver(root)
	p.plan, p.late, p.awaited, p.time, p.passed = optimized, c.late, c.awaited, -1, -1
	for _, name := range plan.Streams(optimized) {
		p.inputs = append(p.inputs, *c.fields[name])
	}
	p.findTime()
	p.findPassed(visible)
	if err := p.gate(); err != nil {
		return nil, err
	}
	throughPanes(p.root)
	p.neat = isNeat(p.root)
	identity := p.identify()
	p.identity, p.keeps = identity.text(), identity.places
	return &p, nil
}

// Columns are those of the output: first the plan's own, then hidden ones that complete the key.
func (p *Program) Columns() []Column { return p.columns }

// Key lists the output columns whose values tell rows apart. nil means that rows may repeat: then a row is known by all its values,
// and comes as often as its weights add up to. An empty list that is not nil means that there is one row at most.
func (p *Program) Key() []int { return p.key }

// Time is the output column that watermarks speak of; ok is false where there is none.
func (p *Program) Time() (column int, ok bool) { return max(p.time, 0), p.time >= 0 }

// Finality says when rows of the output can no longer change.
func (p *Program) Finality() Finality {
	switch {
	case p.root.traits().appendOnly:
		return FinalAtOnce
	case p.time >= 0:
		return FinalByTime
	default:
		return FinalNever
	}
}

// Inputs are the streams and views to be read, each once, in the order in which the plan names them.
func (p *Program) Inputs() []Input { return p.inputs }

// Plan is what the output is the answer to.
func (p *Program) Plan() plan.Node { return p.plan }

// String prints the operators as an indented tree, one a line, the root first.
func (p *Program) String() string {
	var b strings.Builder
	printTree(&b, p.root, 0)
	return b.String()
}

// Reads prints the columns that the program reads, each by its id and with its type, as checkpoints have it that were written before state had
// an identity: state of a program that prints alike and reads others is not this one's.
func (p *Program) Reads() string {
	var b strings.Builder
	for _, in := range p.inputs {
		b.WriteString(in.Name)
		for _, id := range in.Fields {
			c, _ := in.Schema.ByID(id)
			fmt.Fprintf(&b, " %d %s", id, c.Type)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func printTree(b *strings.Builder, n node, depth int) {
	b.WriteString(strings.Repeat("  ", depth) + n.describe() + "\n")
	for _, in := range n.inputs() {
		printTree(b, in, depth+1)
	}
}

// findTime chooses the output column that follows the watermark most closely.
func (p *Program) findTime() {
	bounds := p.root.traits().bounds
	for i := range p.columns {
		lag, ok := bounds[i]
		if !ok || (p.time >= 0 && (lag >= p.finalLag || p.columns[i].Hidden)) {
			continue
		}
		p.time, p.finalLag = i, lag
	}
	p.closedLag = p.finalLag
	if p.root.traits().recomputes {
		p.closedLag -= p.options.Horizon.Microseconds()
	}
}

// findPassed finds the event time of a program that gives events of streams as they are, whose watermarks stand in a column.
func (p *Program) findPassed(mark int) {
	t := p.root.traits()
	if !p.options.Marked || !t.appendOnly || !t.watermarks[mark] {
		return
	}
	for i := range mark {
		if isEventTime(p.plan, i, p.infos) {
			p.passed, p.mark = i, mark
			return
		}
	}
}

// Passes are the output columns of the event time and of the watermark before each event; ok is false where the output is not made of
// events of streams as they are. Whoever reads the output can tell by them which events were late for a window of its own.
func (p *Program) Passes() (time, watermark int, ok bool) {
	return max(p.passed, 0), p.mark, p.passed >= 0
}

// gate makes a program that emits when windows close hold its rows back until then.
func (p *Program) gate() error {
	if p.options.Emit != OnWindowClose || p.root.traits().final {
		return nil
	}
	if p.time < 0 {
		return event.Errorf(event.CodeNotSupported, "EMIT ON WINDOW CLOSE needs a time in the output that the watermark passes").
			WithHint("%s", timeHint(p.plan))
	}
	if (holding{p.closedLag, p.finalLag, p.options.Horizon > 0}).below(&p.root, p.time) {
		return nil
	}
	p.root = newGate(p.root, p.time, p.closedLag, p.options)
	return nil
}

// refuseUnsteady refuses functions whose value depends on when they are computed.
func refuseUnsteady(n plan.Node) error {
	for _, e := range exprsOf(n) {
		var found *plan.Function
		plan.Walk(e, func(e plan.Expr) {
			if c, ok := e.(*plan.Call); ok && (c.Fn.Stable || c.Fn.Volatile) && c.Fn != plan.Watermark {
				found = c.Fn
			}
		})
		if found != nil && found.Volatile {
			return event.Errorf(event.CodeNotSupported, "%s() in a continuous query", found.Name).
				WithHint("its rows would be others each time that they are computed; store the value with the event instead")
		}
		if found != nil {
			return event.Errorf(event.CodeNotSupported, "%s() in a continuous query", found.Name).
				WithHint("its answer would change without a new row: bound the time where the view is read, as in SELECT ... FROM view WHERE ts > now() - " +
					"INTERVAL '1 hour', take windows of event time, or let groups go: WITH (ttl = '1 hour')")
		}
	}
	for _, in := range n.Inputs() {
		if err := refuseUnsteady(in); err != nil {
			return err
		}
	}
	return nil
}

// compiler turns plan nodes into operators.
type compiler struct {
	inputs  map[string]InputInfo
	options Options
	fields  map[string]*Input
	late    []lateSpot
	awaited map[*plan.Window]awaited
	// tops are the windows of whose rows only the first of each partition are asked for, so many.
	tops    map[*plan.Window]int
	showing showing
}

// collectFields lists what is read of each input over all its scans.
func (c *compiler) collectFields(n plan.Node) {
	if s, ok := n.(*plan.Scan); ok {
		in := c.fields[s.Stream]
		if in == nil {
			in = &Input{Name: s.Stream, Schema: s.Schema, Generation: c.inputs[s.Stream].Generation}
			c.fields[s.Stream] = in
		}
		for _, f := range s.Fields {
			if !slices.Contains(in.Fields, f) {
				in.Fields = append(in.Fields, f)
			}
		}
	}
	for _, in := range n.Inputs() {
		c.collectFields(in)
	}
}

// node is a compiled operator. It never changes.
type node interface {
	columns() []plan.Column
	inputs() []node
	traits() *traits
	describe() string
	// start makes a running instance over those of the inputs.
	start(m *Machine, inputs []operator) operator
}

// traits are what is known of the rows of an operator.
type traits struct {
	// appendOnly says that rows never go.
	appendOnly bool
	// final says that a row is only shown once it is complete.
	final bool
	// provisional says that there are rows beside those that the operator gives in a step: see provisionalOperator.
	provisional bool
	// recomputes says that the bounds hold only after the horizon for late rows.
	recomputes bool
	// bounds has, for columns that follow the watermark, by how many microseconds they do: rows that come or go after a watermark w
	// have a value above w - bound.
	bounds map[int]int64
	// either are the times of both sides of rows that a full join makes, one of which may be NULL.
	either []eitherTime
	// windows are the bounds of windows among the columns.
	windows []windowBounds
	// watermarks are the columns that are the row's own hidden _watermark.
	watermarks map[int]bool
}

// base is what all operators have.
type base struct {
	cols []plan.Column
	ins  []node
	tr   traits
}

func (b *base) columns() []plan.Column { return b.cols }
func (b *base) inputs() []node         { return b.ins }
func (b *base) traits() *traits        { return &b.tr }

// compile makes the operator of a plan node.
func (c *compiler) compile(n plan.Node) (node, error) {
	switch n := n.(type) {
	case *plan.Scan:
		return c.compileScan(n)
	case *plan.Filter:
		return c.compileFilter(n)
	case *plan.Project:
		return c.compileProject(n)
	case *plan.Assign:
		return c.compileAssign(n)
	case *plan.Repeat:
		return c.compileRepeat(n)
	case *plan.Unnest:
		return c.compileUnnest(n)
	case *plan.Union:
		return c.compileUnion(n)
	case *plan.Values, *plan.Series:
		return c.compileConstant(n)
	case *plan.Aggregate:
		return c.compileAggregate(n)
	case *plan.Window:
		return c.compileWindow(n)
	case *plan.FirstRows:
		return c.compileFirstRows(n)
	case *plan.Join:
		return c.compileJoin(n)
	case *plan.AsofJoin:
		return c.compileAsof(n)
	case *plan.Apply, *plan.Fill:
		return c.compileWhole(n)
	case *plan.Recursive, *plan.WorkTable:
		return nil, event.Errorf(event.CodeNotSupported, "WITH RECURSIVE in a continuous query").
			WithHint("let the query that reads the view recurse, or join as many times as there are levels")
	case *plan.Limit:
		return c.compileLimit(n)
	case *plan.Sort:
		if n.Limit < 0 { // what is stored has no order
			return c.compile(n.Input)
		}
		return c.compileLimit(n)
	}
	return nil, event.Errorf(event.CodeNotSupported, "%s in a continuous query", firstWord(n))
}

func (c *compiler) compileAll(inputs []plan.Node) ([]node, error) {
	out := make([]node, len(inputs))
	for i, in := range inputs {
		var err error
		if out[i], err = c.compile(in); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// firstLine is how a plan node prints, without its inputs.
func firstLine(n plan.Node) string {
	line, _, _ := strings.Cut(plan.Print(n), "\n")
	return line
}

func firstWord(n plan.Node) string {
	word, _, _ := strings.Cut(firstLine(n), " ")
	return strings.ToUpper(word)
}

// steady is the context of expressions: no function here depends on the time of day.
var steady = &kernel.Context{}

func (p *Program) isStream(name string) bool { return p.infos[name].Kind == StreamInput }

// HoldsBack says whether rows are shown only once the watermark has passed their time.
func (p *Program) HoldsBack() bool { return p.root.traits().final }
