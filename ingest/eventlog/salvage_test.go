package eventlog_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestSalvageAccountsForEveryOffset damages closed logs in every way: whatever is read is what was appended, each offset is either read or
// told to be lost, once and in order, and no offset is given twice.
func TestSalvageAccountsForEveryOffset(t *testing.T) {
	t.Parallel()
	options := eventlog.Options{RotateBytes: 1200, Salvage: true}
	mem := vfs.NewMem()
	l, err := eventlog.Open(mem, "log", options)
	require.NoError(t, err)
	for i := range 40 {
		require.NoError(t, l.Append([]*eventlog.Entry{entry(i)}))
		require.NoError(t, l.Sync())
	}
	end := l.Next()
	require.NoError(t, l.Close())
	values := map[event.Offset]string{}
	entries, err := read(l, 0)
	require.NoError(t, err)
	for _, e := range entries {
		for i, v := range e.Values {
			values[e.First+event.Offset(i)] = string(v)
		}
	}
	names, err := mem.ReadDir("log")
	require.NoError(t, err)
	require.Greater(t, len(names), 3)
	random := rand.New(rand.NewPCG(7, 7))
	for round := range 600 {
		fs := mem.Crash()
		name := "log/" + names[random.IntN(len(names))]
		how := spoil(t, fs, name, random)
		l, err := eventlog.Open(fs, "log", options)
		require.NoError(t, err, "round %d: %s %s", round, how, name)
		lost := requireAll(t, l, values, fmt.Sprintf("round %d: %s %s", round, how, name))
		require.GreaterOrEqual(t, l.Next(), end-lost, "round %d: %s %s", round, how, name)
		next := l.Next()
		require.NoError(t, l.Append([]*eventlog.Entry{entry(99)}))
		require.NoError(t, l.Close())
		l, err = eventlog.Open(fs, "log", options)
		require.NoError(t, err, "a second time")
		values := map[event.Offset]string{next: string(entry(99).Values[0])}
		require.NoError(t, l.Read(next, func(e *eventlog.Entry) error {
			require.Equal(t, values[e.First], string(e.Values[0]))
			return nil
		}))
		require.NoError(t, l.Close())
	}
}

// TestSpaceAheadIsNotTakenForLost where a log that was not closed is damaged.
func TestSpaceAheadIsNotTakenForLost(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{})
	for i := range 40 {
		require.NoError(t, l.Append([]*eventlog.Entry{entry(i)}))
		require.NoError(t, l.Sync())
	}
	name, end := l.Writing()
	whole := contents(t, mem, name)
	require.Greater(t, int64(len(whole)), 2*end, "there is space")
	for at := int64(20); at < end; at += 7 {
		b := bytes.Clone(whole)
		b[at] ^= 4
		again := mustOpen(t, disk(t, name, b), eventlog.Options{Salvage: true})
		require.GreaterOrEqual(t, again.Next()+3, l.Next(), "damage at %d", at)
		require.Less(t, again.Next(), l.Next()+40, "damage at %d", at)
	}
	require.NoError(t, l.Close())
}

// requireAll reads around the damage and gives how many offsets of a torn tail are gone without a word.
func requireAll(t *testing.T, l *eventlog.Log, values map[event.Offset]string, when string) (torn event.Offset) {
	t.Helper()
	at := event.Offset(0)
	require.NoError(t, l.ReadAround(0, func(e *eventlog.Entry) error {
		require.Equal(t, at, e.First, when)
		for i, v := range e.Values {
			require.Equal(t, values[e.First+event.Offset(i)], string(v), when)
		}
		at = e.End()
		return nil
	}, func(g eventlog.Gap) error {
		require.Equal(t, at, g.From, when)
		require.Greater(t, g.To, g.From, when)
		require.NotEmpty(t, g.Reason, when)
		require.NotEmpty(t, g.File, when)
		at = g.To
		return nil
	}), when)
	require.Equal(t, l.Next(), at, when)
	return max(0, event.Offset(len(values))-at)
}

// spoil damages a file: flips bits, zeroes a page or cuts it short.
func spoil(t *testing.T, fs vfs.FS, name string, random *rand.Rand) string {
	t.Helper()
	f, err := fs.OpenAppend(name)
	require.NoError(t, err)
	size, err := f.Size()
	require.NoError(t, err)
	b := make([]byte, size)
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	var how string
	switch at := random.IntN(len(b)); random.IntN(4) {
	case 0:
		b = b[:at]
		how = fmt.Sprintf("cut at %d", at)
	case 1:
		clear(b[at:min(at+512, len(b))])
		how = fmt.Sprintf("zeroes at %d", at)
	default:
		for range 1 + random.IntN(3) {
			b[random.IntN(len(b))] ^= 1 << random.IntN(8)
		}
		how = "bits"
	}
	require.NoError(t, f.Truncate(0))
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
	return how
}
