package app

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/views"
)

// TestViewsMadeAndDroppedAtOnce has many make, replace and drop one view. What is there afterwards is what the catalog says, and runs.
func TestViewsMadeAndDroppedAtOnce(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
	for round := range 30 {
		var group sync.WaitGroup
		for i := range 6 {
			group.Go(func() {
				if i == 5 && round%2 == 1 {
					_, _ = d.run("DROP MATERIALIZED VIEW v", false) // there may be none yet
					return
				}
				_, _ = d.run(fmt.Sprintf("CREATE OR REPLACE MATERIALIZED VIEW v WITH (memory = '1MB') AS SELECT count(*) AS n FROM clicks WHERE n < %d", 100+i), false)
			})
		}
		group.Wait()
		view, shown := d.views.View("v")
		definition, defined := d.catalog.View("v")
		require.Equal(t, defined, shown, "round %d", round)
		if !defined {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := d.views.Await(ctx, []string{"v"})
		cancel()
		require.NoError(t, err, "round %d: generation %d shows, %d is defined", round, view.Definition().Generation, definition.Generation)
		require.Equal(t, 1, d.number("SELECT n FROM v", true), "round %d", round)
	}
	require.NoError(t, d.closeStore())
	d.requireQuiet("at the end")
}

// TestViewThatWasNeverReadyIsBuiltAnew has the input of a view change that stopped before it could be read.
func TestViewThatWasNeverReadyIsBuiltAnew(t *testing.T) {
	t.Parallel()
	i := start(t, t.TempDir())
	i.ingest("loose", `{"ts":"2026-01-01T00:00:00Z","a":1,"t":"x"}`)
	require.Contains(t, i.problem("CREATE MATERIALIZED VIEW v AS SELECT a, t::BIGINT AS t FROM loose"), "it stopped at partition 0, offset 0")
	first, _ := i.catalog.View("v")
	i.ingest("loose", `{"ts":"2026-01-01T00:00:01Z","a":2.5}`)
	i.query("ALTER MATERIALIZED VIEW v RESUME")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		v, ok := i.views.View("v")
		require.True(t, ok)
		changed := v.Changed()
		if status := v.Status(); status.State == views.Failed && v.Definition().Generation > first.Generation {
			break
		}
		select {
		case <-changed:
		case <-v.Gone():
		case <-ctx.Done():
			require.Fail(t, "the view was not built anew", "%+v", v.Status())
		}
	}
	i.query("DROP MATERIALIZED VIEW v")
}

// TestSubscriberOfAViewThatIsAboutToGo comes for the view of a subscription while it is dropped for want of subscribers: it gets it, or another.
func TestSubscriberOfAViewThatIsAboutToGo(t *testing.T) {
	t.Parallel()
	d := onDisk(t, vfs.NewMem())
	d.must("CREATE STREAM clicks (ts TIMESTAMPTZ NOT NULL, n BIGINT)")
	d.must("INSERT INTO clicks VALUES ('2026-01-01', 1)")
	done := make(chan struct{})
	var dropping sync.WaitGroup
	dropping.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				d.views.DropUnused("clicks")
			}
		}
	})
	for i := range 150 {
		feed, err := d.feed(t.Context(), api.FeedRequest{SQL: "SELECT n, count(*) FROM clicks GROUP BY n"})
		require.NoError(t, err, "subscriber %d", i)
		feed.Close()
	}
	close(done)
	dropping.Wait()
	require.NoError(t, d.closeStore())
}
