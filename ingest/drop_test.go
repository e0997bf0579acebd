package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments"
)

func requireCode(t *testing.T, code event.Code, err error) {
	t.Helper()
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, code, fault.Code, err)
}

// fill puts rows into segments and the tail, all with one value.
func fill(t *testing.T, s *store, value string) {
	t.Helper()
	for range 2 {
		_, err := s.send("s", strings.Repeat(fmt.Sprintf(`{"n":%q}`+"\n", value), 3))
		require.NoError(t, err)
		stream, err := s.Stream("s")
		require.NoError(t, err)
		_, err = stream.Seal(context.Background())
		require.NoError(t, err)
	}
	_, err := s.send("s", fmt.Sprintf(`{"n":%q}`, value))
	require.NoError(t, err)
}

func values(found map[[2]int64]string) []string {
	return slices.Compact(slices.Sorted(maps.Values(found)))
}

func TestDroppedNameIsFreeAndEmpty(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	s := openStore(t, disk)
	requireCode(t, event.CodeNotFound, s.Drop("s"))
	fill(t, s, "old")
	pinned := s.segments.View("s")
	old, err := s.Stream("s")
	require.NoError(t, err)
	definition := old.Definition()
	require.NoError(t, s.Drop("s"))
	requireCode(t, event.CodeNotFound, s.Drop("s"))
	_, err = s.Stream("s")
	requireCode(t, event.CodeNotFound, err)
	sealed, err := old.Seal(context.Background())
	require.NoError(t, err)
	require.Zero(t, sealed, "who still holds the stream brings nothing back")
	require.Equal(t, definition, old.Definition())

	fill(t, s, "new")
	require.Equal(t, []string{"new"}, values(s.contents(t, "s", "n")))
	require.Len(t, s.contents(t, "s", "n"), 7)

	morsels, _, err := pinned.Scan(context.Background(), segments.ScanRequest{Schema: definition.Schema, Columns: []event.FieldID{event.FieldOffset}})
	require.NoError(t, err)
	rows := 0
	for _, m := range morsels {
		_, _, err := m.Read(context.Background(), nil, nil)
		require.NoError(t, err)
		rows += m.Rows()
	}
	require.Equal(t, 6, rows, "a query that had pinned the segments reads them to its end")

	require.NoError(t, s.Drop("s"))
	logs, err := disk.ReadDir(logDir)
	require.NoError(t, err)
	require.NotContains(t, logs, "s", "the space of the log is free at once")
	fill(t, s, "newest")
	s.close(t)
	s = openStore(t, disk)
	left, err := disk.ReadDir(segments.DroppedDir)
	require.NoError(t, err)
	require.Empty(t, left, "the next start removes the files")
	require.Equal(t, []string{"newest"}, values(s.contents(t, "s", "n")))
	s.close(t)
}

// TestDropWakesConsumers: who waits for a row would wait in vain.
func TestDropWakesConsumers(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	defer func() { require.NoError(t, s.Close()) }()
	fill(t, s, "a")
	stream, err := s.Stream("s")
	require.NoError(t, err)
	published := stream.Published()
	require.NoError(t, s.Drop("s"))
	select {
	case <-published:
	default:
		require.Fail(t, "it still waits")
	}
}

// TestDropIsAllOrNothingAfterACrash cuts the power before every operation of a drop and of the making of a stream of the same
// name: the rows found are those of the one or of the other, whole, and never of both.
func TestDropIsAllOrNothingAfterACrash(t *testing.T) {
	t.Parallel()
	type image struct {
		disk         *vfs.Mem
		dropped, all bool
		op           string
	}
	var mu sync.Mutex
	var images []image
	var watching, dropped, all bool
	disk := vfs.NewMem()
	s := openStore(t, vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		mu.Lock()
		defer mu.Unlock()
		if watching {
			images = append(images, image{disk.Crash(), dropped, all, fmt.Sprintf("%s %s", op, name)})
		}
		return nil
	}))
	set := func(flag *bool) {
		mu.Lock()
		defer mu.Unlock()
		*flag = true
	}
	fill(t, s, "old")
	set(&watching)
	require.NoError(t, s.Drop("s"))
	set(&dropped)
	fill(t, s, "new")
	set(&all)
	s.close(t)
	require.Greater(t, len(images), 30)
	for i, cut := range images {
		note := fmt.Sprintf("cut before operation %d: %s", i, cut.op)
		restarted, err := tryOpenStore(cut.disk)
		require.NoError(t, err, note)
		found := map[[2]int64]string{}
		if _, ok := restarted.catalog.Stream("s"); ok {
			found = restarted.contents(t, "s", "n")
		}
		switch kinds := values(found); {
		case cut.all:
			require.Equal(t, []string{"new"}, kinds, note)
			require.Len(t, found, 7, note)
		case slices.Contains(kinds, "old"):
			require.False(t, cut.dropped, note)
			require.Equal(t, []string{"old"}, kinds, note)
			require.Len(t, found, 7, note)
		default:
			require.NotContains(t, kinds, "old", note)
		}
		fill(t, restarted, "later") // the name can be used
		restarted.close(t)
	}
}

// TestFailedDropLeavesTheStream makes the journal fail: the stream is still there after a restart.
func TestFailedDropLeavesTheStream(t *testing.T) {
	t.Parallel()
	disk, broken := vfs.NewMem(), false
	s := openStore(t, vfs.NewFaulty(disk, func(op vfs.Op, name string) error {
		if broken && op == vfs.OpSync && strings.HasPrefix(name, "journal/") {
			return errors.New("input/output error")
		}
		return nil
	}))
	fill(t, s, "kept")
	broken = true
	require.ErrorContains(t, s.Drop("s"), "input/output error")
	require.Len(t, s.contents(t, "s", "n"), 7, "the stream is opened again")
	require.NoError(t, s.Close())
	require.NoError(t, s.segments.Close())
	_ = s.journal.Close()
	s = openStore(t, disk.Crash())
	require.Equal(t, []string{"kept"}, values(s.contents(t, "s", "n")))
	s.close(t)
}

func TestDropWhileRowsComeIn(t *testing.T) {
	t.Parallel()
	s := openStore(t, vfs.NewMem())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 30 {
				if _, err := s.send("s", fmt.Sprintf(`{"n":"%d"}`, i)); err != nil {
					var fault *event.Error
					if !errors.As(err, &fault) || !slices.Contains([]event.Code{event.CodeClosed, event.CodeTooBusy, event.CodeNotFound}, fault.Code) {
						t.Errorf("%v", err)
					}
				}
			}
		})
	}
	for range 10 {
		err := s.Drop("s")
		var fault *event.Error
		if err != nil && (!errors.As(err, &fault) || fault.Code != event.CodeNotFound) {
			t.Errorf("%v", err)
		}
	}
	wg.Wait()
	s.close(t)
}
