package app

import (
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

func (r *runner) alterStream(b bind.AlterStream) (api.Rows, error) {
	if err := r.app.ingest.Alter(b.Name, b.Change); err != nil {
		return nil, err
	}
	return message("stream " + b.Name + " altered"), nil
}
