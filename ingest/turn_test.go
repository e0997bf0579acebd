package ingest

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestBodiesThatWaitForOneAnother has each of two requests wait for a key that the other has reserved for rows which neither waits for yet: the rows are stored
// all the same, and so both go on.
func TestBodiesThatWaitForOneAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem())
		defer s.close(t)
		s.createDedup(t)
		rows, done := []string{at("1", 0), at("2", 0)}, make(chan Summary, 2)
		var fed sync.WaitGroup
		fed.Add(len(rows))
		for i := range rows {
			go func() {
				in, err := s.Begin("s", BodyOptions{})
				if err == nil {
					err = in.Feed(t.Context(), []byte(rows[i]))
				}
				fed.Done()
				fed.Wait()
				if err == nil {
					err = in.Feed(t.Context(), []byte(rows[1-i]))
				}
				summary, failure := in.Finish(t.Context())
				if err != nil || failure != nil {
					t.Errorf("%v, %v", err, failure)
				}
				done <- summary
			}()
		}
		for range rows {
			summary := <-done
			require.EqualValues(t, 1, summary.Accepted)
			require.EqualValues(t, 1, summary.Duplicates)
		}
	})
}

// TestRowsOfABodyThatGoesOn feeds a body whose client then is silent: its rows can be read.
func TestRowsOfABodyThatGoesOn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem())
		defer s.close(t)
		in, err := s.Begin("s", BodyOptions{})
		require.NoError(t, err)
		for n := range int64(3) {
			require.NoError(t, in.Feed(t.Context(), []byte("{\"n\":1}\n")))
			stream, err := s.Stream("s")
			require.NoError(t, err)
			published, began := stream.Published(), time.Now()
			if n == 1 {
				in.GoOn()
			}
			<-published
			require.Less(t, time.Since(began), 10*time.Millisecond)
			_, next := stream.Bounds(0)
			require.EqualValues(t, n+1, next)
		}
		summary, err := in.Finish(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 3, summary.Accepted)
	})
}
