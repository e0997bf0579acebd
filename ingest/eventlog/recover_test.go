package eventlog_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestClosedLogCutShort cuts the last file with entries of a log that was closed in order: also where an entry ends and nothing looks torn.
func TestClosedLogCutShort(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{})
	require.NoError(t, l.Append(entries(0, 4)))
	end := l.Next()
	require.NoError(t, l.Close())
	name := dir + "/00000000000000000000.log"
	whole := contents(t, mem, name)
	for size := range whole[:len(whole)-28] {
		fsys := mem.Crash()
		f, err := fsys.OpenAppend(name)
		require.NoError(t, err)
		require.NoError(t, f.Truncate(int64(size)))
		l := mustOpen(t, fsys, eventlog.Options{Salvage: true})
		require.Equal(t, end, l.Next(), "no offset is given twice")
		_, err = read(l, 0)
		requireCode(t, event.CodeCorrupt, err)
		lost := event.Offset(0)
		require.NoError(t, l.ReadAround(0, func(*eventlog.Entry) error { return nil }, func(g eventlog.Gap) error {
			lost += g.To - g.From
			require.Equal(t, end, g.To)
			return nil
		}))
		require.Positive(t, lost, "cut to %d bytes", size)
		require.NoError(t, l.Close())
	}
}

// TestMissingFilesAreTold removes one file after the other: the entries of the others are read, and those of the file are told to be lost.
func TestMissingFilesAreTold(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{RotateBytes: 1}) // an entry a file
	all := entries(0, 6)
	require.NoError(t, l.Append(all))
	require.NoError(t, l.Close())
	for i, e := range all {
		fsys := mem.Crash()
		name := fmt.Sprintf("%s/%020d.log", dir, e.First)
		require.NoError(t, fsys.Remove(name))
		l := mustOpen(t, fsys, eventlog.Options{Salvage: true})
		require.Equal(t, records(all), l.Next())
		next := event.Offset(0)
		require.NoError(t, l.ReadAround(0, func(e *eventlog.Entry) error {
			require.Equal(t, next, e.First)
			next = e.End()
			return nil
		}, func(g eventlog.Gap) error {
			require.Equal(t, eventlog.Gap{From: e.First, To: e.End(), File: name, Reason: "the file is missing"}, g, "file %d", i)
			next = g.To
			return nil
		}))
		require.Equal(t, l.Next(), next)
		_, err := read(l, 0)
		requireCode(t, event.CodeCorrupt, err)
		require.NoError(t, l.Close())
	}
}

// TestRecoveryCopiesWhatOneSyncCovers restarts a log whose last file is long: what was known to be durable stays where it is.
func TestRecoveryCopiesWhatOneSyncCovers(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{})
	for i := range 50 {
		require.NoError(t, l.Append(entries(i, i+1)))
		require.NoError(t, l.Sync())
	}
	written := 0
	counting := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
		if op == vfs.OpWrite {
			written++
		}
		require.NotEqual(t, dir+"/00000000000000000000.log", name, "what another process wrote is not touched")
		return nil
	})
	for n := 50; n < 55; n++ { // each start finds the file of the one before
		again := mustOpen(t, counting, eventlog.Options{})
		require.Equal(t, records(entries(0, n)), again.Next())
		info, err := mem.Stat(fmt.Sprintf("%s/%020d.log", dir, records(entries(0, n-1))))
		require.NoError(t, err, "it begins with the entry that no later one shows to be durable")
		require.Less(t, info.Size(), int64(500))
		got, err := read(again, 0)
		require.NoError(t, err)
		require.Len(t, got, n)
		requireSequence(t, 0, 0, got)
		require.NoError(t, again.Append(entries(n, n+1)))
		require.NoError(t, again.Sync())
	}
	require.Positive(t, written)
}

// TestWhatIsMisreadOnceIsNotLost turns over one bit of one read after the other while a log that was not closed is opened and read.
func TestWhatIsMisreadOnceIsNotLost(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{RotateBytes: 1500})
	for i := range 12 {
		require.NoError(t, l.Append(entries(i, i+1)))
		require.NoError(t, l.Sync())
	}
	all := entries(0, 12)
	for number := 1; ; number++ {
		for seed := range uint64(20) {
			disk := mem.Crash()
			script := vfs.NewScript(vfs.FaultFlip, number, false, seed)
			l, err := eventlog.Open(vfs.NewFaultyAll(disk, script.Inject), dir, eventlog.Options{Salvage: true})
			if err == nil {
				require.Equal(t, records(all), l.Next(), script)
				got := 0
				require.NoError(t, l.ReadAround(0, func(*eventlog.Entry) error {
					got++
					return nil
				}, func(g eventlog.Gap) error { return fmt.Errorf("offset %d is lost", g.From) }), script)
				require.Len(t, all, got, script)
			}
			script.End()
			whole, err := read(mustOpen(t, disk, eventlog.Options{}), 0)
			require.NoError(t, err, script)
			require.Len(t, whole, 12, script)
			if script.Count() < number {
				require.Greater(t, number, 5)
				return
			}
		}
	}
}
