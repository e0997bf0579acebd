package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/views"
	"github.com/tidemarkdb/tidemark/sql/bind"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

// feed adapts a subscription to the HTTP side.
type feed struct {
	*views.Subscription
	progress bool
}

// feed begins a subscription.
func (a *App) feed(_ context.Context, request api.FeedRequest) (api.Feed, error) {
	statements, err := parser.Parse(request.SQL)
	if err != nil {
		return nil, err
	}
	if len(statements) != 1 {
		return nil, event.Errorf(event.CodeBadRequest, "a subscription is one query").At(statements[1].Position())
	}
	statement, err := bind.SubscriptionOf(statements[0])
	if err != nil {
		return nil, err
	}
	subscription, err := a.views.Subscribe(views.SubscribeRequest{
		Statement: statement, Params: request.Params, After: request.After, Snapshot: request.Snapshot,
		AllowCorrupt: request.AllowCorrupt,
	})
	if err != nil {
		return nil, err
	}
	progress := subscription.WantsProgress()
	if request.Progress != nil {
		progress = *request.Progress
	}
	return &feed{Subscription: subscription, progress: progress}, nil
}

// Progress tells whether the client wants to hear of watermarks.
func (f *feed) Progress() bool { return f.progress }

var feedKinds = map[views.DeliveryKind]api.ChangeKind{
	views.Idle: api.FeedIdle, views.Batch: api.FeedBatch, views.Progress: api.FeedProgress, views.Reset: api.FeedReset,
}

// Start tells where the subscription begins.
func (f *feed) Start() api.Change {
	d := f.Subscription.Start()
	if d.Token == "" {
		return api.Change{}
	}
	return api.Change{Kind: api.FeedStart, Token: d.Token, Vector: offsets(d.Marks)}
}

// Next waits for a change.
func (f *feed) Next(ctx context.Context, idle time.Duration) (api.Change, error) {
	d, err := f.Subscription.Next(ctx, idle)
	if err != nil {
		return api.Change{}, err
	}
	out := api.Change{
		Kind: feedKinds[d.Kind], Values: d.Columns, More: d.More, Token: d.Token, Watermark: timeText(d.Closed), Reason: d.Reason,
		HasKey: f.Key() != nil, Vector: offsets(d.Marks),
	}
	for _, c := range f.Columns() {
		if !c.Hidden {
			out.Visible = len(out.Columns) + 1
		}
		out.Columns = append(out.Columns, plan.Column{Name: publicName(c, out.Columns), Type: c.Type})
	}
	for _, at := range f.Key() {
		out.Key = append(out.Key, out.Columns[at].Name)
	}
	for _, op := range d.Ops {
		out.Ops = append(out.Ops, op.String())
	}
	return out, nil
}

// publicName is the name of a column for those who follow it. One that only completes the key is called what it is in the query, with a
// number behind it where another column has that name.
func publicName(c continuous.Column, before []plan.Column) string {
	if !c.Hidden {
		return c.Name
	}
	base, _, _ := strings.Cut(c.Name, "#")
	name := base
	for n := 2; slices.ContainsFunc(before, func(o plan.Column) bool { return o.Name == name }); n++ {
		name = fmt.Sprintf("%s_%d", base, n)
	}
	return name
}
