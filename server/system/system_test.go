package system

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
)

func tableOf(fill func(rows *Rows) error) *Tables {
	tables := New()
	tables.Add(Table{
		Name:    "system.things",
		Columns: []Column{{Name: "name", Type: Text}, {Name: "n", Type: BigInt}, {Name: "at", Type: TimestampTZ}, {Name: "doc", Type: JSONB}},
		Fill:    func(_ context.Context, rows *Rows) error { return fill(rows) },
	})
	return tables
}

func TestRowsAreWrittenValueByValue(t *testing.T) {
	t.Parallel()
	tables := tableOf(func(rows *Rows) error {
		rows.Text("a")
		rows.BigInt(1)
		rows.Time(time.UnixMicro(5))
		rows.JSON(map[string]int{"x": 1})
		rows.OptionalText("")
		rows.Null()
		rows.Time(time.Time{})
		rows.Null()
		return nil
	})
	require.Equal(t, []string{"system.things"}, tables.Tables())
	schema, ok := tables.Table("system.things")
	require.True(t, ok)
	require.Equal(t, "n", schema.Columns[1].Name)
	content, err := tables.Read(t.Context(), "system.things")
	require.NoError(t, err)
	scan := content.Scan(query.ScanRequest{Columns: []event.FieldID{4, 2}})
	require.Len(t, scan.Morsels, 1)
	columns, bytes, err := scan.Morsels[0].Read(t.Context(), []bool{true, true}, nil)
	require.NoError(t, err)
	require.Positive(t, bytes)
	require.Equal(t, `{"x":1}`, columns[0].(*array.String).Value(0))
	require.EqualValues(t, 1, columns[1].(*array.Int64).Value(0))
	require.True(t, columns[1].IsNull(1))
	columns, _, err = scan.Morsels[0].Read(t.Context(), []bool{false, true}, nil)
	require.NoError(t, err)
	require.Nil(t, columns[0])
}

func TestFaultsOfTablesAreErrors(t *testing.T) {
	t.Parallel()
	_, err := tableOf(func(rows *Rows) error { rows.BigInt(1); return nil }).Read(t.Context(), "system.things")
	require.ErrorContains(t, err, `column "name" is TEXT`)
	_, err = tableOf(func(rows *Rows) error { rows.Text("a"); return nil }).Read(t.Context(), "system.things")
	require.ErrorContains(t, err, "1 values do not fill rows of 4")
	broken := errors.New("broken")
	_, err = tableOf(func(*Rows) error { return broken }).Read(t.Context(), "system.things")
	require.ErrorIs(t, err, broken)
	_, err = New().Read(t.Context(), "system.nothing")
	require.ErrorContains(t, err, "no table")
	content, err := tableOf(func(*Rows) error { return nil }).Read(t.Context(), "system.things")
	require.NoError(t, err)
	require.Empty(t, content.Scan(query.ScanRequest{}).Morsels)
}
