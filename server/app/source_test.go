package app

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
)

// TestRowsSealedWhileAQueryBegins seals between the two looks that a query takes at a stream: its rows are in one of them, once.
func TestRowsSealedWhileAQueryBegins(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.ingest("clicks", `{"n":1}`+"\n"+`{"n":2}`+"\n"+`{"n":3}`)
	s := &source{app: i.App, between: func() { i.seal("clicks") }}
	snapshot, err := s.Open(t.Context(), []string{"clicks"})
	require.NoError(t, err)
	stream, ok := i.catalog.Stream("clicks")
	require.True(t, ok)
	scan, err := snapshot.Scan(t.Context(), query.ScanRequest{Stream: "clicks", Schema: stream.Schema, Columns: []event.FieldID{event.FieldOffset}})
	require.NoError(t, err)
	rows := 0
	for _, m := range scan.Morsels {
		rows += m.Rows()
	}
	require.Equal(t, 3, rows)
	require.NoError(t, snapshot.Close())
}
