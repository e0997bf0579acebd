package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// Subscribe is a query whose changes are wanted. Late rows are left out of its windows as they are in views.
type Subscribe struct {
	Plan plan.Node
	// SQL is the query alone.
	SQL string
	// PlainViews are as in CreateView.
	PlainViews map[string]string
	// Snapshot asks for what the query gives now before its changes, or not; nil leaves that open.
	Snapshot *bool
	// Progress asks to be told of watermarks too.
	Progress bool
	// After is the token to go on from, empty for none.
	After string
}

func (Subscribe) bound() {}

// SubscriptionOf makes a subscription of a statement: SUBSCRIBE as it is, of a query one to it.
func SubscriptionOf(stmt ast.Statement) (*ast.Subscribe, error) {
	switch s := stmt.(type) {
	case *ast.Subscribe:
		return s, nil
	case *ast.Select:
		return &ast.Subscribe{Pos: s.Pos, Query: s}, nil
	default:
		return nil, event.Errorf(event.CodeBadRequest, "only a query can be subscribed to").At(stmt.Position()).
			WithHint("as in SUBSCRIBE TO (SELECT ...)")
	}
}

func (b *binder) subscribe(s *ast.Subscribe) (Bound, error) {
	out := Subscribe{SQL: s.Query.String()}
	seen := map[string]bool{}
	for _, o := range s.Options {
		name := strings.ToLower(o.Name.Text)
		if seen[name] {
			return nil, event.Errorf(event.CodeBadRequest, "option %s is given twice", name).At(o.Name.Pos)
		}
		seen[name] = true
		if err := b.subscribeOption(name, o, &out); err != nil {
			return nil, err
		}
	}
	b.late, b.continuous = &lateness{pos: s.Pos}, true
	if s.Query.Late == nil { // what it needs to keep is bounded
		b.late.implied = &impliedLateness{bounded: true}
	}
	var err error
	out.Plan, err = b.selectPlan(s.Query, nil, nil)
	out.PlainViews = b.plain.met
	return out, err
}

func (b *binder) subscribeOption(name string, o ast.Option, to *Subscribe) error {
	a, err := b.constants("an option").argument(o.Value)
	if err != nil {
		return err
	}
	flag, isFlag := o.Value.(*ast.Bool)
	text, isText := literalText(a.expr)
	switch {
	case name == "snapshot" && isFlag:
		to.Snapshot = &flag.Value
	case name == "progress" && isFlag:
		to.Progress = flag.Value
	case name == "after" && isText:
		to.After = text
	case name == "snapshot", name == "progress":
		return event.Errorf(event.CodeBadRequest, "%s takes true or false", name).At(a.pos)
	case name == "after":
		return event.Errorf(event.CodeBadRequest, "after takes a token, as a string").At(a.pos)
	default:
		return event.Errorf(event.CodeBadRequest, "there is no option %q", o.Name.Text).At(o.Name.Pos).
			WithHint("the options of SUBSCRIBE are snapshot, progress and after")
	}
	return nil
}

// ViewOf is the view that keeps the answer of a subscription's query current.
func ViewOf(name string, s *ast.Subscribe, memory string) *ast.CreateView {
	option := ast.Option{Name: ast.Name{Text: "memory"}, Value: &ast.String{Value: memory}}
	return &ast.CreateView{Pos: s.Pos, Name: ast.Name{Text: name}, Options: []ast.Option{option}, Query: s.Query}
}
