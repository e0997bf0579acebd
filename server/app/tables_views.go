package app

import (
	"context"

	"github.com/tidemarkdb/tidemark/server/system"
)

func (a *App) viewsTable() system.Table {
	return system.Table{
		Name: "system.views", Help: "Materialized views, and how far they have come.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The view."},
			{Name: "state", Type: system.Text, Help: "Whether it is being built, follows its inputs, or has stopped."},
			{Name: "rows", Type: system.BigInt, Help: "Rows that it has."},
			{Name: "lag_rows", Type: system.BigInt, Help: "Rows of its streams that it has not taken in yet."},
			{Name: "complete_until", Type: system.TimestampTZ, Help: "The time up to which its content is final; NULL where there is none."},
			{Name: "late_rows", Type: system.BigInt, Help: "Rows that came too late for it."},
			{Name: "state_bytes", Type: system.BigInt, Help: "Memory that it takes to be kept current."},
			{Name: "detail", Type: system.Text, Help: "What is wrong; NULL where nothing is."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, v := range a.views.List() {
				s := v.Status()
				rows.Text(s.Name)
				rows.Text(string(s.State))
				rows.BigInt(s.Rows)
				rows.BigInt(s.Lag)
				if isTime(s.Closed) {
					rows.Micros(s.Closed)
				} else {
					rows.Null()
				}
				rows.BigInt(s.Late)
				rows.BigInt(s.StateBytes)
				rows.OptionalText(s.Detail)
			}
			return nil
		},
	}
}
