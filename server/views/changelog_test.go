package views

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestTrimmedChangelogHasNoHole lets the removal of a file fail: those behind it stay, and who reads on from a frame that is gone is told so.
func TestTrimmedChangelogHasNoHole(t *testing.T) {
	t.Parallel()
	mem, broken := vfs.NewMem(), true
	fsys := vfs.NewFaulty(mem, func(op vfs.Op, _ string) error {
		if op == vfs.OpRemove && broken {
			broken = false
			return errors.New("broken")
		}
		return nil
	})
	log, err := openChangelog(fsys, "views/v.1", &event.Schema{}, 1, func(*Frame) error { return nil })
	require.NoError(t, err)
	for range 6 {
		require.NoError(t, log.append(&Frame{}))
		require.NoError(t, log.rotate())
	}
	require.Error(t, log.trim(4, 0))
	requireFrames := func(log *changelog, from, first uint64) {
		t.Helper()
		next := from
		err := log.read(t.Context(), from, func(f *Frame) error {
			require.Equal(t, next, f.Number)
			next++
			return nil
		})
		if from < first {
			require.ErrorIs(t, err, errTrimmed)
			return
		}
		require.NoError(t, err)
		require.Equal(t, uint64(7), next)
	}
	reopened := func() *changelog {
		log, err := openChangelog(mem.Killed(), "views/v.1", &event.Schema{}, 4, func(*Frame) error { return nil })
		require.NoError(t, err)
		log.mu.recent = nil // as for who is far behind
		return log
	}
	for from := uint64(1); from < 7; from++ {
		requireFrames(reopened(), from, 1)
	}
	require.NoError(t, log.trim(4, 0))
	for from := uint64(1); from < 7; from++ {
		requireFrames(reopened(), from, 4)
	}
	require.NoError(t, log.close())
}
