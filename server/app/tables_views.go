package app

import (
	"context"

	"github.com/tidemarkdb/tidemark/server/system"
)

func (a *App) viewsTable() system.Table {
	return system.Table{
		Name: "system.views", Help: "Views, materialized ones with how far they are.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The view."},
			{Name: "state", Type: system.Text, Help: "building, running, paused for want of memory, or failed; query for one that is not materialized."},
			{Name: "rows", Type: system.BigInt, Help: "Rows that queries see."},
			{Name: "lag_rows", Type: system.BigInt, Help: "Events of its streams that it has not taken yet."},
			{Name: "complete_until", Type: system.TimestampTZ, Help: "The time up to which it is complete; NULL where there is none."},
			{Name: "late_rows", Type: system.BigInt, Help: "Events left out of a window since the view was made, as they came too late."},
			{Name: "state_bytes", Type: system.BigInt, Help: "Memory of what the query has to remember."},
			{Name: "memory_bytes", Type: system.BigInt, Help: "Memory of the whole view."},
			{Name: "memory_limit", Type: system.BigInt, Help: "What it may hold in memory now; NULL for no bound."},
			{Name: "disk_bytes", Type: system.BigInt, Help: "What it keeps in temporary files for want of memory."},
			{Name: "held_bytes", Type: system.BigInt, Help: "Changes of the views it reads, on disk, that it has still to read or would read again after a restart."},
			{Name: "detail", Type: system.Text, Help: "How far the building is, or why the view failed or is paused."},
			{Name: "definition", Type: system.Text, Help: "The statement that made it."},
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
				rows.BigInt(s.Memory)
				if s.Limit > 0 {
					rows.BigInt(s.Limit)
				} else {
					rows.Null()
				}
				rows.BigInt(s.Disk)
				rows.BigInt(s.HeldBytes)
				rows.OptionalText(s.Detail)
				rows.Text(v.Definition().SQL)
			}
			for _, v := range a.catalog.PlainViews() {
				rows.Text(v.Name)
				rows.Text(plainState)
				for range 10 {
					rows.Null()
				}
				rows.Text(plainDefinition(v))
			}
			return nil
		},
	}
}
