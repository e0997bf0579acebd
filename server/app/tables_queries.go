package app

import (
	"context"
	"errors"
	"slices"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/activity"
	"github.com/tidemarkdb/tidemark/server/system"
)

// queryColumns are common to queries that run and that have ended.
var queryColumns = []system.Column{
	{Name: "query_id", Type: system.Text, Help: "What X-Query-Id said; KILL QUERY takes it."},
	{Name: "sql", Type: system.Text, Help: "The text, without secrets and cut to 4 KiB."},
	{Name: "started_at", Type: system.TimestampTZ, Help: "When it began."},
	{Name: "elapsed_ms", Type: system.Double, Help: "How long it has taken."},
	{Name: "rows", Type: system.BigInt, Help: "Rows that it has given."},
	{Name: "rows_scanned", Type: system.BigInt, Help: "Rows that it has read."},
	{Name: "bytes_scanned", Type: system.BigInt, Help: "Bytes that had to be decoded for them."},
	{Name: "segments_scanned", Type: system.BigInt, Help: "Files that were read."},
	{Name: "segments_pruned", Type: system.BigInt, Help: "Files that were left out by their statistics."},
	{Name: "peak_memory_bytes", Type: system.BigInt, Help: "The most memory that it has held for grouping, sorting and the like."},
}

func writeQuery(rows *system.Rows, q activity.Running) {
	rows.Text(q.ID)
	rows.Text(q.SQL)
	rows.Time(q.Started)
	rows.Double(inMilliseconds(q.Elapsed))
	rows.BigInt(q.Rows)
	rows.BigInt(q.Stats.RowsScanned)
	rows.BigInt(q.Stats.BytesScanned)
	rows.BigInt(int64(q.Stats.SegmentsScanned))
	rows.BigInt(int64(q.Stats.SegmentsPruned))
	rows.BigInt(q.Stats.PeakMemoryBytes)
}

func (a *App) queriesTable() system.Table {
	return system.Table{
		Name: "system.queries", Help: "Queries that run now, the one that asks included.",
		Columns: queryColumns,
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, q := range a.activity.Running() {
				writeQuery(rows, q)
			}
			return nil
		},
	}
}

func (a *App) queryLogTable() system.Table {
	return system.Table{
		Name: "system.query_log", Help: "Queries that have ended since the server began, the last query_log of them.",
		Columns: append(slices.Clone(queryColumns),
			system.Column{Name: "outcome", Type: system.Text, Help: "ok, or the code of the error."},
			system.Column{Name: "error", Type: system.Text, Help: "What was wrong; NULL where nothing was."},
		),
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, q := range a.activity.Ended() {
				writeQuery(rows, q.Running)
				writeOutcome(rows, q.Err)
			}
			return nil
		},
	}
}

func writeOutcome(rows *system.Rows, err error) {
	var fault *event.Error
	switch {
	case err == nil:
		rows.Text("ok")
		rows.Null()
	case errors.As(err, &fault):
		rows.Text(string(fault.Code))
		rows.Text(fault.Detail)
	default:
		rows.Text(string(event.CodeInternal))
		rows.Text(err.Error())
	}
}

func (a *App) errorsTable() system.Table {
	return system.Table{
		Name: "system.errors", Help: "Requests that were refused or failed since the server began, the last 1,000 of them.",
		Columns: []system.Column{
			{Name: "at", Type: system.TimestampTZ, Help: "When it failed."},
			{Name: "route", Type: system.Text, Help: "The route asked for."},
			{Name: "status", Type: system.BigInt, Help: "The HTTP status of the answer."},
			{Name: "code", Type: system.Text, Help: "The code of the error."},
			{Name: "detail", Type: system.Text, Help: "What was wrong."},
			{Name: "query_id", Type: system.Text, Help: "The query that failed; NULL where the request was none for SQL."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, f := range a.activity.Faults() {
				rows.Time(f.At)
				rows.Text(f.Route)
				rows.BigInt(int64(f.Status))
				rows.Text(string(f.Code))
				rows.Text(f.Detail)
				rows.OptionalText(f.QueryID)
			}
			return nil
		},
	}
}
