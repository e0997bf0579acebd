package app

import (
	"context"
	"time"

	"github.com/tidemarkdb/tidemark/event"
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
	columns := f.Columns()
	for _, c := range columns {
		if out.Columns = append(out.Columns, plan.Column{Name: c.Name, Type: c.Type}); !c.Hidden {
			out.Visible = len(out.Columns)
		}
	}
	for _, at := range f.Key() {
		out.Key = append(out.Key, columns[at].Name)
	}
	for _, op := range d.Ops {
		out.Ops = append(out.Ops, op.String())
	}
	return out, nil
}
