package views

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/sql/ast"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

const (
	// hiddenPrefix begins the names of views that subscriptions made.
	hiddenPrefix = "subscription_"
	// hiddenMemory bounds the state of such a view.
	hiddenMemory = "256MiB"
	// hiddenTime is how long one stays after its last subscriber.
	hiddenTime = 10 * time.Minute
)

// hiddenUse counts the subscribers of a hidden view.
type hiddenUse struct {
	subscribers int
	// unused drops the view once it has had no subscriber for a while; nil while it has one.
	unused *time.Timer
}

// planSubscription binds the query of a subscription and compiles it.
func (s *Set) planSubscription(statement *ast.Subscribe, params bind.Params) (bind.Subscribe, *continuous.Program, error) {
	bound, err := bind.Bind(statement, names{s.options.Catalog}, params)
	if err != nil {
		return bind.Subscribe{}, nil, err
	}
	b, ok := bound.(bind.Subscribe)
	if !ok {
		return b, nil, event.Errorf(event.CodeInternal, "bind %T: not a subscription", statement)
	}
	view := bind.CreateView{Plan: b.Plan}
	view.Options.Memory = 1 // whether the query needs state is asked next; nothing is kept here
	program, err := s.compile(view)
	return b, program, err
}

// acquire finds or makes the view that keeps the answer of a query, for one more subscriber.
func (s *Set) acquire(b bind.Subscribe, request SubscribeRequest) (string, error) {
	if len(request.Params.Positional) > 0 || len(request.Params.Named) > 0 {
		return "", event.Errorf(event.CodeNotSupported, "parameters in a subscription that needs state").WithHint("write the values into the query")
	}
	s.making.Lock() // two who come at once share one view
	defer s.making.Unlock()
	sum := sha256.Sum256([]byte(b.SQL + meanings(b.PlainViews)))
	name := hiddenPrefix + hex.EncodeToString(sum[:8])
	s.mu.Lock()
	use := s.mu.hidden[name]
	if use == nil {
		use = &hiddenUse{}
		s.mu.hidden[name] = use
	}
	use.subscribers++
	if use.unused != nil {
		use.unused.Stop()
		use.unused = nil
	}
	_, exists := s.mu.views[name]
	s.mu.Unlock()
	if exists {
		return name, nil
	}
	if err := s.createHidden(name, request.Statement); err != nil {
		s.release(name)
		return "", err
	}
	return name, nil
}

// meanings tells what the views mean that are not materialized and that a query names: it is another query once they are. Empty where it names none.
func meanings(plain map[string]string) string {
	out := ""
	for _, name := range slices.Sorted(maps.Keys(plain)) {
		out += "\n" + name + " AS " + plain[name]
	}
	return out
}

func (s *Set) createHidden(name string, statement *ast.Subscribe) error {
	text := bind.ViewOf(name, statement, hiddenMemory).String()
	statements, err := parser.Parse(text)
	if err != nil {
		return err
	}
	bound, err := bind.Bind(statements[0], names{s.options.Catalog}, bind.Params{})
	if err != nil {
		return err
	}
	b, ok := bound.(bind.CreateView)
	if !ok {
		return event.Errorf(event.CodeInternal, "bind %q: not a view", text)
	}
	program, err := s.compile(b)
	if err != nil {
		return err
	}
	definition := s.define(b, program)
	definition.Hidden = true
	_, err = s.create(definition, false, nil)
	return err
}

// release gives a hidden view up. The last one to do so starts the time after which it goes.
func (s *Set) release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	use := s.mu.hidden[name]
	if use == nil {
		return
	}
	if use.subscribers--; use.subscribers <= 0 && !s.mu.done {
		use.unused = time.AfterFunc(hiddenTime, func() { s.dropUnused(name) })
	}
}

// dropUnused drops a hidden view, unless someone has come for it meanwhile.
func (s *Set) dropUnused(name string) {
	s.making.Lock() // who comes for it now waits, and makes another
	defer s.making.Unlock()
	s.mu.Lock()
	use := s.mu.hidden[name]
	if use == nil || use.subscribers > 0 || s.mu.done {
		s.mu.Unlock()
		return
	}
	delete(s.mu.hidden, name)
	s.mu.Unlock()
	if err := s.Drop(name); err != nil {
		s.options.Logger.Error("the view of a subscription could not be dropped", "view", name, "error", err)
	}
}

// adoptHidden starts the time of the hidden views that were there before the start.
func (s *Set) adoptHidden() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, v := range s.mu.views {
		if v.Definition().Hidden {
			s.mu.hidden[name] = &hiddenUse{unused: time.AfterFunc(hiddenTime, func() { s.dropUnused(name) })}
		}
	}
}

// readingAll is the program that passes on all columns of a view.
func (s *Set) readingAll(name string) (*continuous.Program, error) {
	statement := &ast.Subscribe{Query: &ast.Select{
		Items: []ast.Item{{Expr: &ast.Star{}}}, From: &ast.StreamTable{Name: ast.Name{Text: name}},
	}}
	_, program, err := s.planSubscription(statement, bind.Params{})
	return program, err
}

// input makes the input of a program.
func (s *Set) input(want continuous.Input) input {
	if _, ok := s.options.Catalog.Stream(want.Name); ok {
		return &streamInput{engine: s.options.Ingest, store: s.options.Segments, want: want, reads: s.reads}
	}
	return &viewInput{set: s, want: want}
}

// DropUnused drops the hidden views that read a stream or view and have no subscriber: they do not stand in the way of its end.
func (s *Set) DropUnused(input string) {
	s.mu.Lock()
	var names []string
	for name, use := range s.mu.hidden {
		if v := s.mu.views[name]; use.subscribers == 0 && v != nil && slices.Contains(v.Definition().Inputs, input) {
			names = append(names, name)
		}
	}
	s.mu.Unlock()
	for _, name := range names {
		s.dropUnused(name)
	}
}
