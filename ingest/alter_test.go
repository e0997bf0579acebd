package ingest

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestAlterUnderLoad: while clients send rows with fields of their own, columns are added and the mode goes back and forth. What was answered
// with "accepted" is there, under its column where the stream had one when the row came, and a strict stream gains no column by rows.
func TestAlterUnderLoad(t *testing.T) {
	t.Parallel()
	const clients, requests = 4, 12
	fs := vfs.NewMem()
	s := openStore(t, fs)
	_, err := s.send("s", `{"n":0}`)
	require.NoError(t, err)

	var accepted [clients]int
	var sending sync.WaitGroup
	for c := range clients {
		sending.Go(func() {
			for i := range requests {
				summary, err := s.send("s", fmt.Sprintf("{\"n\":%d}\n{\"n\":%d,\"c%d_%d\":1,\"added%d\":\"x\"}", i, i, c, i, i))
				if err != nil {
					t.Errorf("send: %v", err)
					return
				}
				accepted[c] += int(summary.Accepted)
			}
		})
	}
	strict, evolve := catalog.Strict, catalog.Evolve
	for i := range requests {
		require.NoError(t, s.Alter("s", catalog.Change{SchemaMode: &strict}))
		before, _ := s.catalog.Stream("s")
		err := s.Alter("s", catalog.Change{Add: []catalog.AddColumn{{Name: fmt.Sprintf("altered%d", i), Type: event.Type{Kind: event.Date}}}})
		require.NoError(t, err)
		after, _ := s.catalog.Stream("s")
		require.Equal(t, before.Schema.Version+1, after.Schema.Version, "a strict stream has gained a column by rows")
		require.NoError(t, s.Alter("s", catalog.Change{SchemaMode: &evolve}))
	}
	sending.Wait()

	total := 1
	for _, n := range accepted {
		total += n
	}
	definition, _ := s.catalog.Stream("s")
	all := map[string]map[[2]int64]string{}
	for _, c := range definition.Schema.Columns {
		all[c.Name] = s.contents(t, "s", c.Name)
		require.Len(t, all[c.Name], total)
	}
	s.close(t)
	s = openStore(t, fs.Crash())
	for name, rows := range all {
		require.Equal(t, rows, s.contents(t, "s", name), name)
	}
	s.close(t)
}

// TestAlterRejected: the retention of rejected rows can be set, and their columns are given.
func TestAlterRejected(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	_, err := s.send("s", "{\"n\":0}\nnonsense")
	require.NoError(t, err)
	retention := catalog.DefaultLogRetention
	require.NoError(t, s.Alter("s_rejected", catalog.Change{Retention: &retention}))
	err = s.Alter("s_rejected", catalog.Change{Add: []catalog.AddColumn{{Name: "n", Type: event.Type{Kind: event.Text}}}})
	require.ErrorContains(t, err, "the columns of")
}
