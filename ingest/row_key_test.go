package ingest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// createDedup makes a stream of four partitions in which rows of one n are one if they are within an hour.
func (s *store) createDedup(t testing.TB, by ...string) {
	t.Helper()
	schema := &event.Schema{Version: 1, NextID: 4, TimeColumn: 3, Columns: []event.Column{
		{ID: 1, Name: "k", Type: event.Type{Kind: event.Text}, Since: 1},
		{ID: 2, Name: "n", Type: event.Type{Kind: event.BigInt}, Since: 1},
		{ID: 3, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, Since: 1},
	}}
	_, err := s.Create(catalog.Stream{
		Name: "s", Schema: schema, Partitions: 4, PartitionBy: by, SchemaMode: catalog.Evolve,
		DedupKey: []string{"n"}, DedupWithin: time.Hour, Bound: time.Minute, FutureLimit: 24 * time.Hour,
	})
	require.NoError(t, err)
}

// at is a row of a value at a minute.
func at(n string, minute int) string {
	moment := time.Date(2026, 3, 1, 0, minute, 0, 0, time.UTC)
	return fmt.Sprintf(`{"k":"key%d","n":%s,"ts":%q}`+"\n", minute%5, n, moment.Format(time.RFC3339))
}

func (s *store) requireTaken(t *testing.T, accepted, duplicates int64, rows ...string) {
	t.Helper()
	summary, err := s.send("s", strings.Join(rows, ""))
	require.NoError(t, err)
	require.Equal(t, []int64{accepted, duplicates, 0}, []int64{summary.Accepted, summary.Duplicates, summary.Rejected})
}

func TestDedupKeyKeepsTheFirst(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	small := func(o *Options) { o.LogFileBytes = 500 }
	s := openStore(t, fs, small)
	s.createDedup(t, "k")
	s.requireTaken(t, 2, 2, at("1", 0), at("1", 1), at("2", 3), at("2", 3))
	s.requireTaken(t, 1, 2, at("1", 59), at("3", 0), at("2", 4))
	s.requireTaken(t, 2, 0, at("null", 0), at("null", 0))
	known := func(when string) {
		summary, err := s.send("s", at("1", 7)+at("2", 8)+at("3", 9))
		require.NoError(t, err, when)
		require.Zero(t, summary.Accepted, when)
		require.EqualValues(t, 3, summary.Duplicates, when)
	}
	known("at once")
	s.close(t)
	s = openStore(t, fs, small)
	known("from the log")
	stream, err := s.Stream("s")
	require.NoError(t, err)
	for n := range 20 {
		s.requireTaken(t, 1, 0, at(fmt.Sprint(100+n), 10+n%5))
	}
	_, err = stream.Seal(t.Context())
	require.NoError(t, err)
	trimmed := event.Offset(0)
	for _, log := range stream.sealing.Logs {
		trimmed += log.First()
	}
	require.Positive(t, trimmed)
	s.close(t)
	s = openStore(t, fs, small)
	known("from a snapshot")
	s.requireTaken(t, 3, 1, at("1.5", 10), at(`"x"`, 10), at("1.0", 10), at(`"y"`, 10))
	known("after the column has widened")
	s.requireTaken(t, 1, 0, at("1", 120))
	s.close(t)
}

// TestDedupKeyAmongManyClients: each value is stored once, whoever sends it, and however requests overlap.
func TestDedupKeyAmongManyClients(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer s.close(t)
	s.createDedup(t, "k")
	const clients, values = 8, 3000
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			for range 10 {
				var body strings.Builder
				for range values / 10 {
					body.WriteString(at(fmt.Sprint(random.IntN(values)), random.IntN(60)))
				}
				if summary, err := s.send("s", body.String()); err != nil || summary.Accepted+summary.Duplicates != values/10 {
					panic(fmt.Sprint(summary, err))
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, n := range s.contents(t, "s", "n") {
		require.False(t, seen[n], n)
		seen[n] = true
	}
	require.Greater(t, len(seen), values/2)
}

// TestDedupKeyAfterACrashAnywhere cuts the power before every operation on the disk, then sends all rows again.
func TestDedupKeyAfterACrashAnywhere(t *testing.T) {
	t.Parallel()
	small := func(o *Options) { o.LogFileBytes = 1 << 10 }
	disk := vfs.NewMem()
	var mu sync.Mutex
	var images []*vfs.Mem
	s := openStore(t, vfs.NewFaulty(disk, func(vfs.Op, string) error {
		mu.Lock()
		defer mu.Unlock()
		images = append(images, disk.Crash())
		return nil
	}), small)
	s.createDedup(t, "k")
	const values = 40
	sendAll := func(s *store) {
		for n := range values {
			_, err := s.send("s", at(fmt.Sprint(n), n%50)+at(fmt.Sprint(n/2), n%50))
			require.NoError(t, err)
			if n%10 == 9 {
				stream, err := s.Stream("s")
				require.NoError(t, err)
				_, err = stream.Seal(context.Background())
				require.NoError(t, err)
			}
		}
	}
	mu.Lock()
	images = nil
	mu.Unlock()
	sendAll(s)
	s.close(t)
	for i := 0; i < len(images); i += 3 { // some hundreds
		s := openStore(t, images[i], small)
		sendAll(s)
		seen := map[string]bool{}
		for _, n := range s.contents(t, "s", "n") {
			require.False(t, seen[n], n)
			seen[n] = true
		}
		require.Len(t, seen, values)
		s.close(t)
	}
}
