package eventlog_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/eventlog"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

const dir = "log/orders/0"

// entry is the i-th of a fixed sequence: entries of one to three records with all of Meta in use.
func entry(i int) *eventlog.Entry {
	e := &eventlog.Entry{Meta: eventlog.Meta{
		SchemaVersion: int32(i + 1), DefinitionVersion: 2, Arrival: int64(i) * 1e6, MaxEventTime: int64(-i), HasMaxEventTime: i > 0,
		Watermark: int64(i) - 5, HasWatermark: i > 1, Bound: time.Second, IdleTimeout: time.Minute, FutureLimit: time.Hour,
	}}
	for n := range i%3 + 1 {
		e.Times = append(e.Times, int64(1000*i-n))
		e.Values = append(e.Values, fmt.Appendf(nil, `{"entry":%d,"record":%d}`, i, n))
	}
	return e
}

func entries(from, to int) []*eventlog.Entry {
	var out []*eventlog.Entry
	for i := from; i < to; i++ {
		out = append(out, entry(i))
	}
	return out
}

func records(entries []*eventlog.Entry) (n event.Offset) {
	for _, e := range entries {
		n += event.Offset(len(e.Values))
	}
	return n
}

func mustOpen(tb testing.TB, fsys vfs.FS, options eventlog.Options) *eventlog.Log {
	tb.Helper()
	l, err := eventlog.Open(fsys, dir, options)
	require.NoError(tb, err)
	return l
}

// read gives copies of the entries from an offset on.
func read(l *eventlog.Log, from event.Offset) (out []*eventlog.Entry, err error) {
	err = l.Read(from, func(e *eventlog.Entry) error {
		c := *e
		c.Values, c.Bytes = nil, 0 // as Append was given it
		for _, v := range e.Values {
			c.Values = append(c.Values, bytes.Clone(v))
		}
		out = append(out, &c)
		return nil
	})
	return out, err
}

// requireSequence holds got to be the sequence's entries from the given one on, dense from the offset on.
func requireSequence(tb testing.TB, first int, at event.Offset, got []*eventlog.Entry) {
	tb.Helper()
	for i, e := range got {
		want := entry(first + i)
		want.First = at
		require.Equal(tb, want, e)
		at += event.Offset(len(e.Values))
	}
}

func requireCode(tb testing.TB, code event.Code, err error) {
	tb.Helper()
	var e *event.Error
	require.ErrorAs(tb, err, &e)
	require.Equal(tb, code, e.Code)
}

func TestAppendAndRead(t *testing.T) {
	t.Parallel()
	for _, rotate := range []int64{0, 1, 700} {
		fsys := vfs.NewMem()
		l := mustOpen(t, fsys, eventlog.Options{RotateBytes: rotate})
		require.Zero(t, l.Next())
		all := entries(0, 12)
		require.NoError(t, l.Append(all[:5]))
		require.NoError(t, l.Sync())
		require.NoError(t, l.Append(all[5:]))
		require.Equal(t, records(all), l.Next())
		require.Equal(t, records(all[:11]), all[11].First)
		for round := range 3 {
			got, err := read(l, 0)
			require.NoError(t, err)
			require.Len(t, got, 12)
			requireSequence(t, 0, 0, got)
			require.Equal(t, records(all), l.Next(), "round %d", round)
			require.NoError(t, l.Close())
			require.NoError(t, l.Close())
			l = mustOpen(t, fsys, eventlog.Options{RotateBytes: rotate})
		}
		require.NoError(t, l.Close())
		require.ErrorIs(t, l.Append(entries(0, 1)), eventlog.ErrClosed)
		require.ErrorIs(t, l.Sync(), eventlog.ErrClosed)
	}
}

func TestReadFromAnyOffset(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, vfs.NewMem(), eventlog.Options{RotateBytes: 700})
	all := entries(0, 20)
	require.NoError(t, l.Append(all))
	for from := range l.Next() {
		got, err := read(l, from)
		require.NoError(t, err)
		require.LessOrEqual(t, got[0].First, from)
		require.Greater(t, got[0].First+event.Offset(len(got[0].Values)), from)
		requireSequence(t, 20-len(got), got[0].First, got)
	}
	got, err := read(l, l.Next())
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = read(l, l.Next()+1)
	requireCode(t, event.CodeCorrupt, err)
	stop := errors.New("stop")
	require.ErrorIs(t, l.Read(0, func(*eventlog.Entry) error { return stop }), stop)
	require.NoError(t, l.Close())
}

func TestRefusedEntriesLeaveNothing(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, vfs.NewMem(), eventlog.Options{RotateBytes: 1})
	huge := &eventlog.Entry{Times: []int64{1}, Values: [][]byte{make([]byte, 64<<20)}}
	requireCode(t, event.CodeTooLarge, l.Append([]*eventlog.Entry{entry(0), entry(1), huge}))
	require.Error(t, l.Append([]*eventlog.Entry{{}}))
	require.Error(t, l.Append([]*eventlog.Entry{{Times: []int64{1}}}))
	require.Zero(t, l.Next())
	require.NoError(t, l.Append(entries(0, 2)))
	got, err := read(l, 0)
	require.NoError(t, err)
	requireSequence(t, 0, 0, got)
	require.NoError(t, l.Close())
}

// TestCrashAnywhere cuts the power before every operation of a run with rotations and syncs.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	type crash struct {
		disk          *vfs.Mem
		synced, given int // entries
	}
	mem := vfs.NewMem()
	var crashes []crash
	synced, given, seed := 0, 0, uint64(0)
	fsys := vfs.NewFaulty(mem, func(vfs.Op, string) error {
		crashes = append(crashes, crash{mem.Crash(), synced, given})
		for range 4 {
			crashes = append(crashes, crash{mem.CrashTorn(rand.New(rand.NewPCG(seed, 2))), synced, given})
			seed++
		}
		return nil
	})
	options := eventlog.Options{RotateBytes: 900}
	l := mustOpen(t, fsys, options)
	for given < 24 {
		given += 2
		require.NoError(t, l.Append(entries(given-2, given)))
		if given%6 != 2 {
			require.NoError(t, l.Sync())
			synced = given
		}
	}
	require.NoError(t, l.Close())
	for i, c := range crashes {
		l, err := eventlog.Open(c.disk, dir, options)
		require.NoError(t, err, "crash %d", i)
		got, err := read(l, 0)
		require.NoError(t, err, "crash %d", i)
		require.GreaterOrEqual(t, len(got), c.synced, "crash %d", i)
		require.LessOrEqual(t, len(got), c.given, "crash %d", i)
		requireSequence(t, 0, 0, got)

		// What recovery has shown is durable, and the log goes on behind it.
		again := mustOpen(t, c.disk.Crash(), options)
		require.Equal(t, l.Next(), again.Next(), "crash %d", i)
		n := len(got)
		require.NoError(t, again.Append(entries(n, n+3)))
		require.NoError(t, again.Sync())
		got, err = read(again, 0)
		require.NoError(t, err)
		require.Len(t, got, n+3)
		requireSequence(t, 0, 0, got)
	}
}

// TestAFileIsWholeBeforeTheNextCanBeSeen: a backup that finds two files copies the first with its mark.
func TestAFileIsWholeBeforeTheNextCanBeSeen(t *testing.T) {
	t.Parallel()
	mem, seen := vfs.NewMem(), 0
	var l *eventlog.Log
	fsys := vfs.NewFaulty(mem, func(op vfs.Op, name string) error {
		if op == vfs.OpCreate && l != nil {
			before, end := l.Writing()
			require.NotEqual(t, name, before)
			require.Len(t, contents(t, mem, before), int(end))
			seen++
		}
		return nil
	})
	l = mustOpen(t, fsys, eventlog.Options{RotateBytes: 900})
	for i := range 20 {
		require.NoError(t, l.Append(entries(i, i+1)))
		require.NoError(t, l.Sync())
	}
	require.NoError(t, l.Close())
	require.Greater(t, seen, 3)
}

// TestFailAnywhere lets every operation fail once: nothing confirmed is lost, and nothing is written after a failure.
func TestFailAnywhere(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	options := eventlog.Options{RotateBytes: 900}
	for at := 0; ; at++ {
		mem := vfs.NewMem()
		left := at
		fsys := vfs.NewFaulty(mem, func(vfs.Op, string) error {
			if left--; left == -1 {
				return broken
			}
			return nil
		})
		synced := 0
		if l, err := eventlog.Open(fsys, dir, options); err == nil {
			for i := 0; i < 24; i += 2 {
				if err = errors.Join(l.Append(entries(i, i+2)), l.Sync()); err != nil {
					require.ErrorIs(t, err, broken)
					require.ErrorIs(t, l.Append(entries(i, i+2)), eventlog.ErrFailed)
					require.ErrorIs(t, l.Sync(), eventlog.ErrFailed)
					break
				}
				synced = i + 2
			}
			_ = l.Close() // may be what fails
		}
		for _, disk := range []*vfs.Mem{mem, mem.Crash()} {
			got, err := read(mustOpen(t, disk, options), 0)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(got), synced, "operation %d", at)
			requireSequence(t, 0, 0, got)
		}
		if left >= 0 {
			return // the run had fewer operations
		}
	}
}

// small is a log of one file that was closed in order or not, and its bytes.
func small(tb testing.TB, closed bool) (name string, b []byte) {
	tb.Helper()
	fsys := vfs.NewMem()
	l := mustOpen(tb, fsys, eventlog.Options{})
	for i := range 4 {
		require.NoError(tb, l.Append(entries(i, i+1)))
		require.NoError(tb, l.Sync())
	}
	if closed {
		require.NoError(tb, l.Close())
	}
	name = dir + "/00000000000000000000.log"
	return name, contents(tb, fsys, name)
}

// places are all bytes of a file up to the end of its frames, and some of the zeroes behind that.
func places(whole []byte) (at []int) {
	end := len(bytes.TrimRight(whole, "\x00"))
	for i := 0; i < len(whole); i++ {
		if at = append(at, i); i > end+40 {
			i += 1500
		}
	}
	return at
}

func contents(tb testing.TB, fsys vfs.FS, name string) []byte {
	tb.Helper()
	f, err := fsys.Open(name)
	require.NoError(tb, err)
	size, err := f.Size()
	require.NoError(tb, err)
	b := make([]byte, size)
	_, err = f.ReadAt(b, 0)
	require.NoError(tb, err)
	require.NoError(tb, f.Close())
	return b
}

func disk(tb testing.TB, name string, b []byte) *vfs.Mem {
	tb.Helper()
	fsys := vfs.NewMem()
	require.NoError(tb, vfs.MkdirAllSync(fsys, dir))
	f, err := fsys.Create(name)
	require.NoError(tb, err)
	_, err = f.Write(b)
	require.NoError(tb, err)
	require.NoError(tb, f.Sync())
	require.NoError(tb, fsys.SyncDir(dir))
	require.NoError(tb, f.Close())
	return fsys
}

func TestTruncationAtEveryByte(t *testing.T) {
	t.Parallel()
	name, whole := small(t, false)
	counts := map[int]bool{}
	for _, n := range append(places(whole), len(whole)) {
		fsys := disk(t, name, whole[:n])
		l := mustOpen(t, fsys, eventlog.Options{})
		got, err := read(l, 0)
		require.NoError(t, err)
		requireSequence(t, 0, 0, got)
		require.Equal(t, records(entries(0, len(got))), l.Next())
		counts[len(got)] = true
	}
	require.Len(t, counts, 5)
}

// TestBitFlips changes every byte. A log that was closed in order gives all its entries or an error that names the place and
// changes nothing; one that was cut off may lose its last entry only, since nothing tells that this one was durable.
func TestBitFlips(t *testing.T) {
	t.Parallel()
	for _, closed := range []bool{true, false} {
		name, whole := small(t, closed)
		for _, at := range places(whole) {
			for _, mask := range []byte{0x01, 0x80, 0xff} {
				b := bytes.Clone(whole)
				b[at] ^= mask
				fsys := disk(t, name, b)
				l, err := eventlog.Open(fsys, dir, eventlog.Options{})
				if err != nil {
					requireCode(t, event.CodeCorrupt, err)
					require.ErrorContains(t, err, name)
					require.ErrorContains(t, err, "byte")
					require.Equal(t, b, contents(t, fsys, name), "nothing is changed")
					continue
				}
				got, err := read(l, 0)
				require.NoError(t, err)
				requireSequence(t, 0, 0, got)
				least := 3
				if closed {
					least = 4
				}
				require.GreaterOrEqual(t, len(got), least, "byte %d", at)
			}
		}
	}
}

// TestDamageInEarlierFiles shows that Read finds what Open, which checks the last file only, does not look at.
func TestDamageInEarlierFiles(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{RotateBytes: 1})
	require.NoError(t, l.Append(entries(0, 4)))
	require.NoError(t, l.Close())
	name := dir + "/00000000000000000001.log" // entry 1
	whole := contents(t, mem, name)
	damage := func(b []byte) *vfs.Mem {
		fsys := mem.Crash()
		require.NoError(t, fsys.Remove(name))
		if b == nil {
			return fsys
		}
		f, err := fsys.Create(name)
		require.NoError(t, err)
		_, err = f.Write(b)
		require.NoError(t, err)
		return fsys
	}
	var disks []*vfs.Mem
	for n := range whole {
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x10
		disks = append(disks, damage(flipped), damage(whole[:n]))
	}
	markAt := 2 * (len(whole) - 28) // of the disks; a mark only says that all before it is there, and so does the next file
	for i, fsys := range append(disks, damage(nil)) {
		l := mustOpen(t, fsys, eventlog.Options{})
		got, err := read(l, 0)
		requireSequence(t, 0, 0, got)
		if i >= markAt && i < len(disks) {
			require.NoError(t, err)
			require.Len(t, got, 4)
			continue
		}
		requireCode(t, event.CodeCorrupt, err)
		got, err = read(l, 3)
		require.NoError(t, err, "the files after it can be read")
		require.Len(t, got, 2)
		require.NoError(t, l.Close())
	}
}

func TestTrim(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{RotateBytes: 1}) // an entry a file
	require.NoError(t, l.Append(entries(0, 6)))
	arrival := func(i int) time.Time { return time.UnixMicro(entry(i).Meta.Arrival) }
	files := func(fsys vfs.FS) []string {
		names, err := fsys.ReadDir(dir)
		require.NoError(t, err)
		return names
	}
	first := func(i int) event.Offset { return records(entries(0, i)) }
	require.Len(t, files(mem), 6)

	require.NoError(t, l.Trim(0, arrival(100), 0))
	require.NoError(t, l.Trim(first(6), arrival(1), 0), "entry 1, which dates file 0, is not old enough")
	require.Len(t, files(mem), 6)
	require.NoError(t, l.Trim(first(2)-1, arrival(100), 0))
	require.Len(t, files(mem), 5, "the file that holds the offset stays")
	require.NoError(t, l.Trim(first(6), arrival(3), 0))
	require.Len(t, files(mem), 4)
	require.Equal(t, files(mem), files(mem.Crash()), "a removal is durable")

	_, err := read(l, first(2)-1)
	requireCode(t, event.CodeCorrupt, err)
	got, err := read(l, first(2))
	require.NoError(t, err)
	require.Len(t, got, 4)
	requireSequence(t, 2, first(2), got)
	require.NoError(t, l.Trim(first(6), arrival(100), 0))
	require.Len(t, files(mem), 1, "the last file always stays")
	require.NoError(t, l.Close())
	require.Equal(t, first(6), mustOpen(t, mem, eventlog.Options{}).Next(), "and with it the next offset")
}

// TestTrimGoesOnWhereItFailed: a file that could not be removed is removed first the next time, as a log without it would have a hole.
func TestTrimGoesOnWhereItFailed(t *testing.T) {
	t.Parallel()
	for _, failing := range []vfs.Op{vfs.OpRemove, vfs.OpSyncDir} {
		t.Run(string(failing), func(t *testing.T) {
			t.Parallel()
			mem, broken := vfs.NewMem(), false
			fsys := vfs.NewFaulty(mem, func(op vfs.Op, _ string) error {
				if broken && op == failing {
					broken = false
					return errors.New("broken")
				}
				return nil
			})
			l := mustOpen(t, fsys, eventlog.Options{RotateBytes: 1})
			require.NoError(t, l.Append(entries(0, 6)))
			require.NoError(t, l.Sync())
			broken = true
			end, old := records(entries(0, 3)), time.UnixMicro(1<<60)
			require.Error(t, l.Trim(end, old, 0))
			for range 2 {
				requireDense(t, mem.Crash())
				requireDense(t, mem.Killed())
				require.NoError(t, l.Trim(end, old, 0))
			}
			require.Equal(t, end, l.First())
			require.NoError(t, l.Close())
		})
	}
}

// requireDense holds a log to be readable from its first offset to its last.
func requireDense(t *testing.T, fsys vfs.FS) {
	t.Helper()
	l := mustOpen(t, fsys, eventlog.Options{})
	_, err := read(l, l.First())
	require.NoError(t, err)
	require.NoError(t, l.Close())
}

func TestReadersAndTrimBesideTheWriter(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, vfs.NewMem(), eventlog.Options{RotateBytes: 600})
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			next := l.Next()
			if err := l.Trim(next/4, time.UnixMicro(1<<60), 0); err != nil {
				panic(err)
			}
			if _, err := read(l, next/2); err != nil {
				panic(err)
			}
		}
	})
	for i := range 200 {
		require.NoError(t, l.Append(entries(i, i+1)))
		require.NoError(t, l.Sync())
	}
	close(done)
	wg.Wait()
	require.NoError(t, l.Close())
}

func TestHeaderOfTheNewestFileTorn(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	l := mustOpen(t, mem, eventlog.Options{RotateBytes: 1})
	require.NoError(t, l.Append(entries(0, 2)))
	require.NoError(t, l.Close())
	f, err := mem.OpenAppend(dir + "/00000000000000000003.log")
	require.NoError(t, err)
	require.NoError(t, f.Truncate(0))
	_, err = f.Write([]byte("TDM"))
	require.NoError(t, err)
	l = mustOpen(t, mem, eventlog.Options{})
	require.Equal(t, event.Offset(3), l.Next())
	got, err := read(l, 0)
	require.NoError(t, err)
	require.Len(t, got, 2)
	require.NoError(t, l.Close())
}

// TestAppendKeepsNoEntries finds an entry that was written collected: the log of a stream that gets no more would else keep its rows for good.
func TestAppendKeepsNoEntries(t *testing.T) {
	t.Parallel()
	l := mustOpen(t, vfs.NewMem(), eventlog.Options{})
	written := func() weak.Pointer[eventlog.Entry] {
		e := &eventlog.Entry{Times: []int64{1}, Values: [][]byte{[]byte(`{"a":1}`)}}
		require.NoError(t, l.Append([]*eventlog.Entry{e}))
		return weak.Make(e)
	}()
	runtime.GC()
	require.Nil(t, written.Value())
	require.NoError(t, l.Close())
}

func BenchmarkAppend(b *testing.B) {
	value := []byte(`{"ts":"2026-01-01T00:00:00Z","customer":"` + strings.Repeat("c", 40) + `","amount":12.5,"status":"paid"}`)
	e := &eventlog.Entry{}
	for i := range 5000 {
		e.Times = append(e.Times, int64(1767225600000+i))
		e.Values = append(e.Values, value)
	}
	fsys, err := vfs.NewReal(b.TempDir())
	require.NoError(b, err)
	l, err := eventlog.Open(fsys, "log", eventlog.Options{RotateBytes: 1 << 60})
	require.NoError(b, err)
	b.SetBytes(int64(len(value) * len(e.Values)))
	b.ReportAllocs()
	for b.Loop() {
		if l.Next() > 5000*100 { // so that the disk does not fill
			b.StopTimer()
			require.NoError(b, l.Close())
			require.NoError(b, fsys.Remove("log/00000000000000000000.log"))
			l, err = eventlog.Open(fsys, "log", eventlog.Options{RotateBytes: 1 << 60})
			require.NoError(b, err)
			b.StartTimer()
		}
		if err := l.Append([]*eventlog.Entry{e}); err != nil {
			b.Fatal(err)
		}
	}
	require.NoError(b, l.Close())
	require.NoError(b, fsys.Close())
}
