package segments

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestMorselsKnowTheirValues holds what morsels say of their values without reading rows to the rows.
func TestMorselsKnowTheirValues(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 100_000, PageRows: 30_000}), clicks()
	f.add(stream, event.Vector{150_000}, batchOf(stream.Schema, disordered(rand.New(rand.NewPCG(3, 3)), 0, 0, 150_000)))
	view := f.store.View("clicks")
	request := ScanRequest{Schema: stream.Schema, Columns: []event.FieldID{1, 2, 3}}
	morsels, _, err := view.Scan(context.Background(), request)
	require.NoError(t, err)
	for _, m := range morsels {
		columns, _, err := m.Read(context.Background(), nil, nil)
		require.NoError(t, err)
		for column, values := range []int{1: 49, 2: 9} {
			if values == 0 {
				continue
			}
			got, null, _, err := m.Values(column, values)
			require.NoError(t, err)
			require.Equal(t, values, got.Len())
			require.Equal(t, columns[column].NullN() > 0, null)
			requireHolds(t, got, columns[column])
			got, _, _, err = m.Values(column, values-1)
			require.NoError(t, err)
			require.Nil(t, got, "more than most")
		}
		got, _, _, err := m.Values(0, 1<<30)
		require.NoError(t, err)
		require.Nil(t, got, "times are not asked for")
	}
	request.Schema = widened()
	request.Columns = []event.FieldID{1, 4, 6}
	wider, _, err := view.Scan(context.Background(), request)
	require.NoError(t, err)
	for column := range 3 {
		got, _, _, err := wider[0].Values(column, 1<<30)
		require.NoError(t, err)
		require.Nil(t, got, "nothing is known of a column of another type or of none")
	}
	require.NoError(t, view.Close())
	_, _, _, err = morsels[0].Values(1, 100)
	requireCode(t, event.CodeClosed, err)
}

// requireHolds fails unless every value of rows is one of values.
func requireHolds(t *testing.T, values, rows arrow.Array) {
	t.Helper()
	met := map[string]bool{}
	for i := range values.Len() {
		require.False(t, met[values.ValueStr(i)], "it stands there once")
		met[values.ValueStr(i)] = true
	}
	text := rows.ValueStr
	if d, ok := rows.(*array.Dictionary); ok {
		text = func(i int) string { return d.Dictionary().ValueStr(d.GetValueIndex(i)) }
	}
	for i := range rows.Len() {
		require.True(t, rows.IsNull(i) || met[text(i)], "row %d", i)
	}
}
