package app

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/system"
)

// addTables registers what the server knows of itself. A part of the program that keeps something worth seeing adds a table here.
func (a *App) addTables() {
	a.tables.Add(
		a.streamsTable(), a.viewsTable(), a.columnsTable(), a.partitionsTable(), a.segmentsTable(), a.viewsTable(),
		a.queriesTable(), a.queryLogTable(), a.errorsTable(),
		a.settingsTable(), a.metricsTable(), functionsTable(), a.tablesTable(),
		a.schemaTables(), a.schemaColumns(), a.schemaSchemata(), a.schemaViews(),
	)
	a.tables.Add(schemaConstraints()...)
}

func (a *App) settingsTable() system.Table {
	return system.Table{
		Name: "system.settings", Help: "Options of the server, with what they amount to.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The option, as in the configuration file."},
			{Name: "value", Type: system.Text, Help: "What it is."},
			{Name: "default_value", Type: system.Text, Help: "What it is where nothing sets it."},
			{Name: "changed", Type: system.Boolean, Help: "Whether the two differ."},
			{Name: "description", Type: system.Text, Help: "What it does."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			defaults := config.Default()
			for _, key := range config.Keys() {
				value, _ := a.config.Value(key)
				usual, _ := defaults.Value(key)
				rows.Text(key)
				rows.Text(value)
				rows.Text(usual)
				rows.Boolean(value != usual)
				rows.Text(config.Help(key))
			}
			return nil
		},
	}
}

func (a *App) metricsTable() system.Table {
	return system.Table{
		Name: "system.metrics", Help: "The metrics of the admin listener. A histogram has a row for its count, its sum and each bucket.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The metric."},
			{Name: "labels", Type: system.JSONB, Help: "Its labels."},
			{Name: "value", Type: system.Double, Help: "Its value now."},
			{Name: "kind", Type: system.Text, Help: "counter, gauge or histogram."},
			{Name: "description", Type: system.Text, Help: "What it counts."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			samples, err := a.metrics.Samples()
			for _, s := range samples {
				rows.Text(s.Name)
				rows.JSON(s.Labels)
				rows.Double(s.Value)
				rows.Text(s.Kind)
				rows.Text(s.Help)
			}
			return err
		},
	}
}

func functionsTable() system.Table {
	return system.Table{
		Name: "system.functions", Help: "Functions, aggregates and window functions, an overload a row.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The function."},
			{Name: "kind", Type: system.Text, Help: "scalar, aggregate or window."},
			{Name: "arguments", Type: system.Text, Help: "Types of its arguments; ... where the last may come several times."},
			{Name: "result", Type: system.Text, Help: "Type of its result."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, name := range slices.Sorted(maps.Keys(plan.Functions)) {
				for _, f := range plan.Functions[name] {
					if f.Symbol {
						continue
					}
					rows.Text(name)
					rows.Text(functionKind(f))
					rows.Text(strings.TrimSuffix(strings.TrimPrefix(f.Signature(), name+"("), ")"))
					rows.Text(f.Result.String())
				}
			}
			return nil
		},
	}
}

func functionKind(f *plan.Function) string {
	switch {
	case f.Aggregate:
		return "aggregate"
	case f.Window:
		return "window"
	default:
		return "scalar"
	}
}

func (a *App) tablesTable() system.Table {
	return system.Table{
		Name: "system.tables", Help: "The tables of this list.",
		Columns: []system.Column{
			{Name: "name", Type: system.Text, Help: "The table, with its schema."},
			{Name: "columns", Type: system.BigInt, Help: "How many columns it has."},
			{Name: "description", Type: system.Text, Help: "What it lists."},
		},
		Fill: func(_ context.Context, rows *system.Rows) error {
			for _, t := range a.tables.All() {
				rows.Text(t.Name)
				rows.BigInt(int64(len(t.Columns)))
				rows.Text(t.Help)
			}
			return nil
		},
	}
}

// Tables lists the tables of the server's own.
func (a *App) Tables() []system.Table { return a.tables.All() }
