package app

import (
	"errors"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

func (r *runner) dropStream(b bind.DropStream) (api.Rows, error) {
	r.app.views.DropUnused(b.Name)
	err := r.app.catalog.Unread(b.Name)
	if err == nil {
		err = r.app.ingest.Drop(b.Name)
	}
	var fault *event.Error
	if b.IfExists && errors.As(err, &fault) && fault.Code == event.CodeNotFound {
		return message("there is no stream " + b.Name), nil
	}
	if err != nil {
		return nil, err
	}
	return message("stream " + b.Name + " dropped"), nil
}
