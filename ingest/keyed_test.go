package ingest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/partition"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// numbered is a body of rows from one number to another.
func numbered(from, to int) string {
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, `{"k":"key%d","n":"row%d"}`+"\n", n%7, n)
	}
	return b.String()
}

// requireOnce holds the stream to have each of the rows once.
func (s *store) requireOnce(t *testing.T, stream string, from, to int) {
	t.Helper()
	found := []string{}
	for _, value := range s.contents(t, stream, "n") {
		found = append(found, value)
	}
	want := []string{}
	for n := from; n < to; n++ {
		want = append(want, fmt.Sprintf("row%d", n))
	}
	slices.Sort(found)
	slices.Sort(want)
	require.Equal(t, want, found)
}

// createSpread makes a stream of four partitions, by key or in turn.
func (s *store) createSpread(t testing.TB, by ...string) {
	t.Helper()
	schema := &event.Schema{Version: 1, NextID: 3, Columns: []event.Column{
		{ID: 1, Name: "k", Type: event.Type{Kind: event.Text}, Since: 1}, {ID: 2, Name: "n", Type: event.Type{Kind: event.Text}, Since: 1},
	}}
	_, err := s.Create(catalog.Stream{Name: "spread", Schema: schema, Partitions: 4, PartitionBy: by, SchemaMode: catalog.Strict})
	require.NoError(t, err)
}

// TestARepeatedRequestAnswersTheFirstOffsets also after a restart, and after sealing and trimming have taken the log away.
func TestARepeatedRequestAnswersTheFirstOffsets(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	small := func(o *Options) { o.LogFileBytes = 1 << 10 }
	s := openStore(t, fs, small)
	s.createSpread(t)
	body := numbered(0, 2*keyedRows+100)
	first, err := s.sendKeyed("spread", "k1", strings.NewReader(body))
	require.NoError(t, err)
	require.EqualValues(t, 2*keyedRows+100, first.Accepted)
	require.Zero(t, first.Duplicates)
	repeat := func(when string) {
		again, err := s.sendKeyed("spread", "k1", strings.NewReader(body))
		require.NoError(t, err, when)
		require.Equal(t, first.Offsets, again.Offsets, when)
		require.Zero(t, again.Accepted, when)
		require.EqualValues(t, first.Accepted, again.Duplicates, when)
	}
	repeat("at once")
	s.close(t)
	s = openStore(t, fs, small)
	repeat("after a restart")
	stream, err := s.Stream("spread")
	require.NoError(t, err)
	for range 20 { // enough for every partition's first file to be complete
		_, err = s.send("spread", numbered(0, 20))
		require.NoError(t, err)
	}
	_, err = stream.Seal(t.Context())
	require.NoError(t, err)
	require.Positive(t, stream.sealing.Logs[first.Offsets[0].Partition].First(), "the log no longer has the request")
	repeat("from the snapshot's state")
	s.close(t)
	s = openStore(t, fs, small)
	repeat("after the log is trimmed")
	other, err := s.sendKeyed("spread", "k2", strings.NewReader(body))
	require.NoError(t, err)
	require.Equal(t, first.Accepted, other.Accepted, "another key is another request")
	s.close(t)
}

func TestABrokenBodyGoesOnWhereItBroke(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	body := numbered(0, 3*keyedRows+50)
	half := io.MultiReader(strings.NewReader(body[:len(body)/2]), iotest.ErrReader(io.ErrUnexpectedEOF))
	first, err := s.sendKeyed("s", "k", half)
	require.NoError(t, err)
	require.EqualValues(t, keyedRows, first.Accepted, "whole chunks only")
	second, err := s.sendKeyed("s", "k", strings.NewReader(body))
	require.NoError(t, err)
	require.EqualValues(t, 2*keyedRows+50, second.Accepted)
	require.EqualValues(t, keyedRows, second.Duplicates)
	require.Equal(t, []partition.Span{{First: 0, Last: 3*keyedRows + 49}}, second.Offsets)
	s.requireOnce(t, "s", 0, 3*keyedRows+50)
}

func TestAnotherBodyUnderAKeyIsAConflict(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	_, err := s.sendKeyed("s", "k", strings.NewReader(numbered(0, 1500)))
	require.NoError(t, err)
	_, err = s.sendKeyed("whole", "k", strings.NewReader(numbered(0, keyedRows)))
	require.NoError(t, err)
	_, err = s.sendKeyed("whole", "k", strings.NewReader(numbered(0, keyedRows+1)))
	requireCode(t, event.CodeConflict, err)
	for name, body := range map[string]string{
		"other rows": numbered(5, 1505), "less": numbered(0, 1400), "more": numbered(0, 1501), "much more": numbered(0, 2500), "empty line": "\n" + numbered(0, 1500),
	} {
		summary, err := s.sendKeyed("s", "k", strings.NewReader(body))
		requireCode(t, event.CodeConflict, err)
		require.Zero(t, summary.Accepted, name)
	}
	s.requireOnce(t, "s", 0, 1500)
	_, err = s.sendKeyed("other", "k", strings.NewReader(numbered(7, 9)))
	require.NoError(t, err, "each stream has its own keys")
}

// TestTheSameKeyInFlightWaits sends one request many times at once.
func TestTheSameKeyInFlightWaits(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	var mu sync.Mutex
	accepted, duplicates := int64(0), int64(0)
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			summary, err := s.sendKeyed("s", "k", strings.NewReader(numbered(0, 3000)))
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				panic(err)
			}
			accepted += summary.Accepted
			duplicates += summary.Duplicates
		})
	}
	senders.Wait()
	require.EqualValues(t, 3000, accepted)
	require.EqualValues(t, 7*3000, duplicates)
	s.requireOnce(t, "s", 0, 3000)
}

func TestAWaitForAKeyEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem())
		holder, err := s.Begin("s", BodyOptions{Key: "k"})
		require.NoError(t, err)
		require.NoError(t, holder.Feed(t.Context(), []byte("{\"n\":\"row0\"}\n")))
		start := time.Now()
		_, err = s.sendKeyed("s", "k", strings.NewReader(numbered(0, 1)))
		requireCode(t, event.CodeTooBusy, err)
		require.Equal(t, claimWait, time.Since(start))
		_, err = holder.Finish(t.Context())
		require.NoError(t, err)
		require.Empty(t, s.claims.held)
		s.close(t)
	})
}

func TestRejectedRowsOfARepeatedRequestAreKeptOnce(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	body := numbered(0, 1100) + "not json\n" + numbered(1100, 1102) + "[]\n"
	first, err := s.sendKeyed("s", "k", strings.NewReader(body))
	require.NoError(t, err)
	require.EqualValues(t, 2, first.Rejected)
	s.close(t)
	s = openStore(t, fs)
	again, err := s.sendKeyed("s", "k", strings.NewReader(body))
	require.NoError(t, err)
	require.EqualValues(t, 2, again.Rejected)
	require.Equal(t, first.Errors, again.Errors)
	require.Equal(t, first.Offsets, again.Offsets)
	require.Len(t, s.contents(t, "s_rejected", "reason"), 2)
	s.close(t)
}

// TestAKeyedRequestIsStoredOnceWhateverBreaks cuts the power before every operation on the disk while keyed requests go to several
// partitions, then repeats all of them: each row is there once, also where a cut came between the partitions of a chunk.
func TestAKeyedRequestIsStoredOnceWhateverBreaks(t *testing.T) {
	t.Parallel()
	for name, by := range map[string][]string{"hash": {"k"}, "turn": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const requests, rows = 6, 30
			small := func(o *Options) { o.LogFileBytes = 2 << 10 }
			disk := vfs.NewMem()
			var mu sync.Mutex
			var images []*vfs.Mem
			s := openStore(t, vfs.NewFaulty(disk, func(vfs.Op, string) error {
				mu.Lock()
				defer mu.Unlock()
				images = append(images, disk.Crash())
				return nil
			}), small)
			s.createSpread(t, by...)
			sendAll := func(s *store) {
				for i := range requests {
					body := numbered(i*rows, (i+1)*rows)
					summary, err := s.sendKeyed("spread", strconv.Itoa(i), strings.NewReader(body))
					require.NoError(t, err)
					require.EqualValues(t, rows, summary.Accepted+summary.Duplicates)
					if i%2 == 1 {
						stream, err := s.Stream("spread")
						require.NoError(t, err)
						_, err = stream.Seal(context.Background())
						require.NoError(t, err)
					}
				}
			}
			mu.Lock()
			images = nil // what comes before the stream exists is of no interest
			mu.Unlock()
			sendAll(s)
			s.close(t)
			require.Greater(t, len(images), 60)
			for _, image := range images {
				s := openStore(t, image, small)
				sendAll(s)
				s.requireOnce(t, "spread", 0, requests*rows)
				s.close(t)
			}
		})
	}
}

func TestADroppedStreamForgetsItsRequests(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	_, err := s.sendKeyed("s", "k", strings.NewReader(numbered(0, 10)))
	require.NoError(t, err)
	stream, err := s.Stream("s")
	require.NoError(t, err)
	_, err = stream.Seal(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.Drop("s"))
	again, err := s.sendKeyed("s", "k", strings.NewReader(numbered(0, 10)))
	require.NoError(t, err)
	require.EqualValues(t, 10, again.Accepted)
	s.close(t)
}

// TestRejectedRowsFromBeforeTheStreamAreKeptOnce sends chunks of garbage under a key to a name that has no stream until a later chunk makes it:
// a repetition, which finds the stream from its first chunk on, keeps none of them again.
func TestRejectedRowsFromBeforeTheStreamAreKeptOnce(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	body := strings.Repeat("garbage\n", 2*keyedRows+5) + numbered(0, 3) + "not json\n"
	for range 3 {
		summary, err := s.sendKeyed("s", "k", strings.NewReader(body))
		require.NoError(t, err)
		require.EqualValues(t, 2*keyedRows+6, summary.Rejected)
		require.EqualValues(t, 3, summary.Accepted+summary.Duplicates)
		require.Len(t, s.contents(t, "s_rejected", "reason"), 2*keyedRows+6)
		s.close(t)
		s = openStore(t, fs)
	}
	s.close(t)
}

// TestOneKeyForSeveralStreams lets requests with one key name their streams in opposite orders: one waits for the other from the start, so that
// none holds what another needs.
func TestOneKeyForSeveralStreams(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := openStore(t, vfs.NewMem())
		start := time.Now()
		var wait sync.WaitGroup
		for _, order := range [][]string{{"a", "b"}, {"b", "a"}, {"a", "b"}, {"b", "a"}} {
			wait.Go(func() {
				release, err := s.ClaimKey(t.Context(), "k")
				if err != nil {
					panic(err)
				}
				defer release()
				var bodies []*Body
				for _, stream := range order {
					body, err := s.Begin(stream, BodyOptions{Key: "k"})
					if err == nil {
						err = body.FeedLast(t.Context(), &decode.Chunk{Lines: []byte(numbered(0, 5))})
					}
					if err != nil {
						panic(err)
					}
					bodies = append(bodies, body)
					<-time.After(time.Second) // of virtual time, in which the others come as far as they can
				}
				for _, body := range bodies {
					if _, err := body.Finish(t.Context()); err != nil {
						panic(err)
					}
				}
			})
		}
		wait.Wait()
		require.Less(t, time.Since(start), claimWait)
		s.requireOnce(t, "a", 0, 5)
		s.requireOnce(t, "b", 0, 5)
		require.Empty(t, s.claims.held)
		s.close(t)
	})
}

// TestARepeatedRequestIsAnsweredAsItWasThoughTheStreamHasChanged: a row that was rejected is not told to be stored because it could be now, nor
// one that is stored to be rejected.
func TestARepeatedRequestIsAnsweredAsItWasThoughTheStreamHasChanged(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	schema := &event.Schema{Version: 1, NextID: 2, Columns: []event.Column{{ID: 1, Name: "n", Type: event.Type{Kind: event.Text}, Since: 1}}}
	_, err := s.Create(catalog.Stream{Name: "strict", Schema: schema, SchemaMode: catalog.Strict, Partitions: 1})
	require.NoError(t, err)
	body := `{"n":"stored"}` + "\n" + `{"n":"no","more":1}` + "\n" + `not json` + "\n"
	first, err := s.sendKeyed("strict", "k", strings.NewReader(body))
	require.NoError(t, err)
	require.EqualValues(t, 1, first.Accepted)
	require.EqualValues(t, 2, first.Rejected)
	wider := *schema
	wider.Version, wider.NextID = 2, 3
	wider.Columns = append(slices.Clone(schema.Columns), event.Column{ID: 2, Name: "more", Type: event.Type{Kind: event.BigInt}, Since: 2})
	require.NoError(t, s.catalog.Evolve("strict", schema, &wider))
	for range 2 {
		again, err := s.sendKeyed("strict", "k", strings.NewReader(body))
		require.NoError(t, err)
		require.Zero(t, again.Accepted)
		require.EqualValues(t, 1, again.Duplicates)
		require.EqualValues(t, 2, again.Rejected)
		require.Equal(t, first.Offsets, again.Offsets)
		require.Len(t, again.Errors, 2)
		require.EqualValues(t, 1, again.Errors[0].Row)
		require.Contains(t, again.Errors[0].Reason, "when the request came first")
		require.Equal(t, first.Errors[1], again.Errors[1])
		require.Len(t, s.contents(t, "strict", "n"), 1)
		require.Len(t, s.contents(t, "strict_rejected", "reason"), 2)
		s.close(t)
		s = openStore(t, fs)
	}
	s.close(t)
}
