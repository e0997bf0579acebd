package views

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// compile makes the program of a bound view.
func (s *Set) compile(b bind.CreateView) (*continuous.Program, error) {
	options := continuous.Options{MemoryBytes: b.Options.Memory, Spill: s.options.Spill, Horizon: b.Options.Horizon}
	if b.Options.OnClose {
		options.Emit = continuous.OnWindowClose
	}
	infos := map[string]continuous.InputInfo{}
	for _, name := range b.Inputs() {
		info, err := s.inputInfo(name)
		if err != nil {
			return nil, err
		}
		infos[name] = info
	}
	if b.Marked != nil {
		options.Marked = true
		if program, err := continuous.Compile(b.Marked, infos, options); err == nil {
			if _, _, ok := program.Passes(); ok {
				return program, nil
			}
		}
		options.Marked = false
	}
	return continuous.Compile(b.Plan, infos, options)
}

// Punctual leaves late events out of the joins of a query as a view over it does; some tells whether there is such a join.
func (s *Set) Punctual(node plan.Node) (punctual plan.Node, some bool) {
	infos := map[string]continuous.InputInfo{}
	for _, name := range plan.Streams(node) {
		if info, err := s.inputInfo(name); err == nil { // a table of the server's own has no events
			infos[name] = info
		}
	}
	return continuous.Punctual(node, infos)
}

func (s *Set) inputInfo(name string) (continuous.InputInfo, error) {
	if stream, ok := s.options.Catalog.Stream(name); ok {
		time := stream.Schema.TimeColumn
		if time == 0 {
			time = event.FieldIngestedAt
		}
		return continuous.InputInfo{Kind: continuous.StreamInput, Time: time}, nil
	}
	view, ok := s.options.Catalog.View(name)
	if !ok {
		return continuous.InputInfo{}, event.Errorf(event.CodeNotSupported, "%s in a materialized view", name).
			WithHint("a view reads streams and other views")
	}
	return continuous.InputInfo{
		Kind: continuous.ViewInput, Time: view.Schema.TimeColumn, Watermark: view.Watermark, Key: view.Key,
		AppendOnly: view.AppendOnly, Generation: view.Generation,
	}, nil
}

// names are what a view can read: streams and views, and no tables of the server's own, which change without a trace.
type names struct{ *catalog.Catalog }

// SystemTable finds none.
func (names) SystemTable(string) (*event.Schema, bool) { return nil, false }

// SystemTables lists none.
func (names) SystemTables() []string { return nil }

// asOf is what a view can read as it was when the view was made: without the columns that streams got later, and with the queries that the views
// had which are not materialized.
type asOf struct {
	names
	versions map[string]int
	plain    map[string]string
}

// PlainView finds a view that is not materialized with the query that it had.
func (c asOf) PlainView(name string) (*catalog.PlainView, bool) {
	query, ok := c.plain[name]
	return &catalog.PlainView{Name: name, Query: query}, ok
}

// Stream finds a stream with the columns that it had.
func (c asOf) Stream(name string) (*catalog.Stream, bool) {
	stream, ok := c.names.Stream(name)
	version, noted := c.versions[name]
	if !ok || !noted {
		return stream, ok
	}
	out := *stream
	out.Schema = stream.Schema.AsOf(version)
	return &out, true
}

// rebind plans a view from its definition. Of what it reads, columns that have changed their type since are what they are now, and those that
// came since are left out.
func (s *Set) rebind(definition *catalog.View) (bind.CreateView, *continuous.Program, error) {
	statements, err := parser.Parse(definition.SQL)
	if err != nil {
		return bind.CreateView{}, nil, fmt.Errorf("read the definition of view %s: %w", definition.Name, err)
	}
	bound, err := bind.Bind(statements[0], asOf{names{s.options.Catalog}, definition.Versions, definition.PlainViews}, bind.Params{})
	if err != nil {
		return bind.CreateView{}, nil, err
	}
	b, ok := bound.(bind.CreateView)
	if !ok {
		return b, nil, event.Errorf(event.CodeCorrupt, "the definition of view %s is another statement", definition.Name)
	}
	b.Options.Memory = definition.Memory // ALTER may have changed it
	if definition.Watermark == 0 {       // it was made without, by a version that knew none
		b.Marked = nil
	}
	program, err := s.compile(b)
	return b, program, err
}

// noteVersions notes the schema version of each stream that a plan reads, the least where a change came while it was made.
func (s *Set) noteVersions(versions map[string]int, n plan.Node) {
	if scan, ok := n.(*plan.Scan); ok {
		if _, isView := s.options.Catalog.View(scan.Stream); !isView {
			before, noted := versions[scan.Stream]
			if versions[scan.Stream] = scan.Schema.Version; noted {
				versions[scan.Stream] = min(before, scan.Schema.Version)
			}
		}
	}
	for _, in := range n.Inputs() {
		s.noteVersions(versions, in)
	}
}

// define makes the definition of a view from its program.
func (s *Set) define(b bind.CreateView, program *continuous.Program) catalog.View {
	v := catalog.View{
		Name: b.Name, SQL: b.SQL, ViewOptions: b.Options, Inputs: b.Inputs(), AppendOnly: program.Finality() == continuous.FinalAtOnce,
		Schema: &event.Schema{Version: 1}, Versions: map[string]int{}, PlainViews: b.PlainViews,
	}
	s.noteVersions(v.Versions, b.Plan)
	for i, c := range program.Columns() {
		id := event.FieldID(i + 1)
		column := event.Column{ID: id, Name: c.Name, Type: c.Type, As: c.As, Since: 1}
		if c.Hidden {
			// No name that SQL can refer to, and none that another column has.
			column.Name = fmt.Sprintf("%s#%d", c.Name, id)
		} else {
			v.Visible++
		}
		v.Schema.Columns = append(v.Schema.Columns, column)
	}
	v.Schema.NextID = event.FieldID(len(v.Schema.Columns) + 1)
	for _, i := range program.Key() {
		v.Key = append(v.Key, event.FieldID(i+1))
	}
	if at, ok := program.Time(); ok && program.Columns()[at].Type.Kind == event.TimestampTZ {
		v.Schema.TimeColumn = event.FieldID(at + 1)
	}
	if at, mark, ok := program.Passes(); ok {
		v.Schema.TimeColumn, v.Watermark = event.FieldID(at+1), event.FieldID(mark+1)
	}
	return v
}

// sameShape reports whether a program still has the columns that a view stores.
func sameShape(definition *catalog.View, program *continuous.Program) bool {
	columns := program.Columns()
	if len(columns) != len(definition.Schema.Columns) {
		return false
	}
	for i, c := range columns {
		stored := definition.Schema.Columns[i]
		if !c.Type.Equal(stored.Type) || !shown(c).Equal(stored.Shown()) || c.Hidden != (i >= definition.Visible) || (!c.Hidden && c.Name != stored.Name) {
			return false
		}
	}
	return true
}

// shown is the type of a column in the query.
func shown(c continuous.Column) event.Type {
	if c.As != nil {
		return *c.As
	}
	return c.Type
}

// errOutgrown marks the failure of a view whose query no longer fits its inputs.
var errOutgrown = errors.New("the query does not fit its inputs any more")

// outgrown says of a view whose query no longer fits its inputs what has happened and what to do.
func outgrown(err error) error {
	var fault *event.Error
	if !isQuery(err) || !errors.As(err, &fault) {
		return err
	}
	return &event.Error{
		Code:   fault.Code,
		Detail: "what the view reads has changed, and its query does not fit it any more: " + fault.Detail,
		Hint:   "CREATE OR REPLACE MATERIALIZED VIEW with a query that does, as by a cast",
		Cause:  errOutgrown,
	}
}

// isQuery reports whether an error is the query's own, as an overflow is, or its definition's: trying again does not help.
func isQuery(err error) bool {
	var fault *event.Error
	if !errors.As(err, &fault) {
		return false
	}
	switch fault.Code {
	case event.CodeDiskFull, event.CodeTooBusy, event.CodeClosed, event.CodeCancelled, event.CodeTimeout:
		return false
	default:
		return true
	}
}

const (
	// firstRetry and lastRetry are how long a view waits before it tries again after a failure of the machine that it runs on.
	firstRetry = time.Second
	lastRetry  = time.Minute
)
