package app

import (
	"context"
	"errors"
	"io"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/server/activity"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

func (r *runner) killQuery(b bind.KillQuery) (api.Rows, error) {
	if !r.app.activity.Kill(b.ID) {
		return nil, event.Errorf(event.CodeNotFound, "no query %q is running", b.ID).WithHint("SHOW QUERIES lists those that are")
	}
	return message("query " + b.ID + " killed"), nil
}

// killed is err, or that the query was killed where this is why it failed.
func killed(ctx context.Context, err error) error {
	if err != nil && !errors.Is(err, io.EOF) && errors.Is(context.Cause(ctx), activity.ErrKilled) {
		return activity.ErrKilled
	}
	return err
}

// watchedRows is an answer whose query is in the list of queries until it is closed.
type watchedRows struct {
	api.Rows
	ctx    context.Context //nolint:containedctx // that of the request, which made these rows and reads them
	query  *activity.Query
	err    error
	closed bool
}

// Next counts the rows handed out.
func (r *watchedRows) Next() (*exec.Batch, error) {
	batch, err := r.Rows.Next()
	if err != nil {
		r.err = killed(r.ctx, err)
		return nil, r.err
	}
	r.query.Gave(batch.Rows)
	return batch, nil
}

// Close takes the query off the list. A client that went away before the end has cancelled it.
func (r *watchedRows) Close() error {
	err := r.Rows.Close()
	if r.closed {
		return err
	}
	r.closed = true
	if r.err == nil && r.ctx.Err() != nil {
		r.err = event.Errorf(event.CodeCancelled, "the query was cancelled")
	}
	r.query.End(endOfRows(r.err))
	return err
}

// failed remembers a request that was refused or failed.
func (a *App) failed(route, queryID string, status int, fault *event.Error) {
	a.activity.Failed(activity.Fault{
		At: a.now(), Route: route, QueryID: queryID, Status: status, Code: fault.Code, Detail: fault.Detail,
	})
}
