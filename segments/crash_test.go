package segments

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"math/rand/v2"
	"path"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// stack is a store over a real journal.
type stack struct {
	journal *journal.Journal
	store   *Store
}

func openStack(fs vfs.FS) (*stack, error) {
	if err := fs.MkdirAll("journal"); err != nil {
		return nil, err
	}
	m := manifest.New()
	j, err := journal.Open(fs, "journal", map[journal.Kind]journal.State{journal.KindSegment: m})
	if err != nil {
		return nil, err
	}
	store, err := Open(fs, j, m, Options{PageRows: 50})
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return &stack{journal: j, store: store}, nil
}

func (s *stack) close() error { return errors.Join(s.store.Close(), s.journal.Close()) }

// sealAndMerge adds segments, merges what is there after each but the first, and empties the trash. A view stays open on the way.
func sealAndMerge(s *stack, acknowledged func(int)) error {
	stream, rng := clicks(), rand.New(rand.NewPCG(15, 16))
	pinned := s.store.View("clicks")
	defer func() { _ = pinned.Close() }()
	for i := range 3 {
		first := event.Offset(i * 100)
		batch := batchOf(stream.Schema, disordered(rng, 0, first, 100))
		sealed := manifest.Sealed{Next: event.Vector{first + 100}}
		if _, err := s.store.Add(context.Background(), stream, []*event.Batch{batch}, sealed); err != nil {
			return err
		}
		acknowledged(i + 1)
		view := s.store.View("clicks")
		_, err := s.store.Merge(context.Background(), view, Merge{Inputs: view.Segments(), Cuts: []int64{5000 * int64(i)}})
		if err = errors.Join(err, view.Close(), pinned.Close(), s.store.EmptyTrash()); err != nil {
			return err
		}
		pinned = s.store.View("clicks")
	}
	return nil
}

// sealThree adds three segments of 100 rows and returns how many were acknowledged before an error.
func sealThree(s *stack, acknowledged func(int)) error {
	stream, rng := clicks(), rand.New(rand.NewPCG(11, 12))
	for i := range 3 {
		first := event.Offset(i * 100)
		batch := batchOf(stream.Schema, disordered(rng, 0, first, 100))
		sealed := manifest.Sealed{Next: event.Vector{first + 100}}
		if _, err := s.store.Add(context.Background(), stream, []*event.Batch{batch}, sealed); err != nil {
			return err
		}
		acknowledged(i + 1)
	}
	return nil
}

// checkStack opens what is left on a disk: everything acknowledged is there, whole, and at most one seal more.
func checkStack(t *testing.T, fs vfs.FS, acknowledged int) {
	t.Helper()
	s, err := openStack(fs)
	require.NoError(t, err)
	defer func() { require.NoError(t, s.close()) }()
	view := s.store.View("clicks")
	sealed := int(view.Sealed().Next.At(0))
	require.Contains(t, []int{acknowledged * 100, acknowledged*100 + 100}, sealed)
	morsels, _, err := view.Scan(context.Background(), ScanRequest{Schema: clicks().Schema, Columns: []event.FieldID{1, 2, 3}})
	require.NoError(t, err)
	rows := 0
	for _, m := range morsels {
		_, _, err := m.Read(context.Background(), nil, nil)
		require.NoError(t, err)
		rows += m.Rows()
	}
	require.Equal(t, sealed, rows)
	require.Empty(t, s.store.Damage())
	requireNoStrays(t, fs, view)
}

// requireNoStrays makes sure that the directories hold the listed files and nothing else.
func requireNoStrays(t *testing.T, fs vfs.FS, view *View) {
	t.Helper()
	listed := []string{}
	for _, segment := range view.Segments() {
		listed = append(listed, path.Base(segment.File))
	}
	names, err := fs.ReadDir("segments/clicks")
	if err != nil {
		require.ErrorIs(t, err, iofs.ErrNotExist)
	}
	require.ElementsMatch(t, listed, names)
	for _, dir := range []string{tmpDir, DroppedDir} {
		names, err := fs.ReadDir(dir)
		if err != nil {
			require.ErrorIs(t, err, iofs.ErrNotExist)
		}
		require.Empty(t, names, dir)
	}
}

func TestPowerCutAnywhere(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(*stack, func(int)) error{"seal": sealThree, "merge": sealAndMerge} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mem, acknowledged, cuts := vfs.NewMem(), 0, 0
			rng := rand.New(rand.NewPCG(13, 14))
			fs := vfs.NewFaulty(mem, func(vfs.Op, string) error {
				cuts++
				checkStack(t, mem.Crash(), acknowledged)
				checkStack(t, mem.CrashTorn(rng), acknowledged)
				return nil
			})
			s, err := openStack(fs)
			require.NoError(t, err)
			require.NoError(t, work(s, func(n int) { acknowledged = n }))
			require.NoError(t, s.close())
			checkStack(t, mem.Crash(), 3)
			require.Greater(t, cuts, 20)
		})
	}
}

func TestEveryFailureLeavesTheStoreWhole(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(*stack, func(int)) error{"seal": sealThree, "merge": sealAndMerge} {
		for _, sticky := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, sticky %t", name, sticky), func(t *testing.T) {
				t.Parallel()
				for n := 1; failAt(t, n, sticky, work); n++ {
				}
			})
		}
	}
}

// failAt lets the nth operation fail, or all from the nth on, and holds what is left on the disk against what was acknowledged. It
// reports whether there was an nth operation.
func failAt(t *testing.T, n int, sticky bool, work func(*stack, func(int)) error) bool {
	broken := errors.New("input/output error")
	mem, acknowledged, calls := vfs.NewMem(), 0, 0
	fs := vfs.NewFaulty(mem, func(vfs.Op, string) error {
		if calls++; calls == n || (sticky && calls > n) {
			return broken
		}
		return nil
	})
	s, err := openStack(fs)
	if err == nil {
		err = work(s, func(n int) { acknowledged = n })
		closing := s.close() // a journal that failed says so again
		require.True(t, err != nil || closing == nil || errors.Is(closing, broken), "%v", closing)
	}
	checkStack(t, mem, acknowledged)
	if err != nil {
		require.ErrorIs(t, err, broken)
	}
	return calls >= n
}
