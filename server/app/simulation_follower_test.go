package app

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"time"

	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/server/views"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// simFollower is a subscriber who puts together what it is told.
type simFollower struct {
	query, answers string
	subscription   *views.Subscription
	token          string
	// keyed has the rows by their keys; of an answer whose rows may repeat, bag has how often there is each.
	keyed map[string]string
	bag   map[string]int
	// part are changes of which more is to come: they count once all of it has.
	part []simChange
	// resets counts how often the subscriber was told to begin anew.
	resets int
}

// simChange is a change of one row.
type simChange struct {
	op       views.Op
	hasKey   bool
	key, row string
}

// follow carries out the lines about subscribers.
func (w *simWorld) follow(s simStep) error {
	f := w.follower[s.name]
	if s.verb == "follow" {
		if f != nil {
			return fmt.Errorf("%w: there is a subscriber %s", errScript, s.name)
		}
		f = &simFollower{query: s.text, answers: s.text, keyed: map[string]string{}, bag: map[string]int{}}
		w.follower[s.name] = f
		return f.resume(w)
	}
	if f == nil {
		return fmt.Errorf("%w: there is no subscriber %s", errScript, s.name)
	}
	switch s.verb {
	case "answers":
		f.answers = s.text
		return nil
	case "resume":
		return f.resume(w)
	default:
		var err error
		if bad := number(s.text, func(n int) { err = f.read(w, n) }); bad != nil {
			return bad
		}
		return err
	}
}

// resume connects, from the token on if there is one.
func (f *simFollower) resume(w *simWorld) error {
	if f.close(); f.token != "" {
		w.seen.resumed++
	}
	statements, err := parser.Parse(f.query)
	if err != nil {
		return fmt.Errorf("%w: %w", errScript, err)
	}
	statement, err := bind.SubscriptionOf(statements[0])
	if err != nil {
		return fmt.Errorf("%w: %w", errScript, err)
	}
	whole := true
	f.subscription, err = w.server.views.Subscribe(views.SubscribeRequest{Statement: statement, After: f.token, Snapshot: &whole})
	if err != nil {
		return fmt.Errorf("subscribe to %s: %w", f.query, cutOut(err))
	}
	return nil
}

func (f *simFollower) close() {
	if f.subscription != nil {
		f.subscription.Close()
		f.subscription = nil
	}
	f.part = nil
}

// read takes deliveries, as many as there are and some at most.
func (f *simFollower) read(w *simWorld, most int) error {
	if f.subscription == nil {
		return nil
	}
	for range most {
		d, err := f.subscription.Next(w.ctx, time.Microsecond)
		if w.waits(f, err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("next delivery: %w", err)
		}
		switch d.Kind {
		case views.Idle:
			return nil
		case views.Reset:
			f.keyed, f.bag, f.part, f.token = map[string]string{}, map[string]int{}, nil, ""
			f.resets++
		case views.Batch, views.Progress:
			w.seen.deliveries++
			if err := f.take(d); err != nil {
				return err
			}
		}
		f.token = cmp.Or(d.Token, f.token)
	}
	return nil
}

// take applies a delivery once all that belongs to it has come.
func (f *simFollower) take(d views.Delivery) error {
	columns, key := f.subscription.Columns(), f.subscription.Key()
	visible := slices.IndexFunc(columns, func(c continuous.Column) bool { return c.Hidden })
	if visible < 0 {
		visible = len(columns)
	}
	for i, op := range d.Ops {
		f.part = append(f.part, simChange{
			op: op, hasKey: key != nil, key: printRow(pickColumns(d.Columns, key), i), row: printRow(d.Columns[:visible:visible], i),
		})
	}
	if d.More {
		return nil
	}
	for _, c := range f.part {
		if err := f.apply(c); err != nil {
			return err
		}
	}
	f.part = nil
	return nil
}

// apply makes a change, which must fit what is there.
func (f *simFollower) apply(c simChange) error {
	if !c.hasKey {
		switch c.op {
		case views.Insert:
			f.bag[c.row]++
		default:
			if f.bag[c.row]--; f.bag[c.row] < 0 {
				return fmt.Errorf("%s goes and was not there", c.row)
			}
		}
		return nil
	}
	was, there := f.keyed[c.key]
	switch {
	case there && c.op == views.Insert:
		return fmt.Errorf("%s comes where %s is", c.row, was)
	case !there && c.op != views.Insert:
		return fmt.Errorf("%s of %s, which was not there", c.op, c.row)
	case c.op == views.Delete:
		delete(f.keyed, c.key)
	default:
		f.keyed[c.key] = c.row
	}
	return nil
}

// rows is what the subscriber has, sorted.
func (f *simFollower) rows() []string {
	out := []string{}
	for row, n := range f.bag {
		for range n {
			out = append(out, row)
		}
	}
	for _, row := range f.keyed {
		out = append(out, row)
	}
	sort.Strings(out)
	return out
}
