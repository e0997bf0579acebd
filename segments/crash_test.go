package segments

import (
	"context"
	"errors"
	"math/rand/v2"
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
}

func TestPowerCutAnywhere(t *testing.T) {
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
	require.NoError(t, sealThree(s, func(n int) { acknowledged = n }))
	require.NoError(t, s.close())
	checkStack(t, mem.Crash(), 3)
	require.Greater(t, cuts, 20)
}

func TestEveryFailureLeavesTheStoreWhole(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	for n := 1; ; n++ {
		mem, acknowledged, calls := vfs.NewMem(), 0, 0
		fs := vfs.NewFaulty(mem, func(vfs.Op, string) error {
			if calls++; calls == n {
				return broken
			}
			return nil
		})
		s, err := openStack(fs)
		if err == nil {
			err = sealThree(s, func(n int) { acknowledged = n })
			closing := s.close() // a journal that failed says so again
			require.True(t, err != nil || closing == nil || errors.Is(closing, broken), "%v", closing)
		}
		checkStack(t, mem, acknowledged)
		if err == nil && calls < n {
			return
		}
		if err != nil {
			require.ErrorIs(t, err, broken)
		}
	}
}
