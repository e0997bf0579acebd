package scrub

import (
	"errors"
	"hash/crc32"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/tidemarkdb/tidemark/internal/record"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a data directory of one log and one segment.
type world struct {
	t       *testing.T
	fs      *vfs.Mem
	log     *record.Writer
	segment *manifest.Segment
	listed  atomic.Bool
	told    atomic.Int64
	known   atomic.Bool
}

const (
	logFile     = "log/s/0/00000000000000000000.log"
	segmentFile = "segments/s/000000000001.parquet"
	segmentSize = 3*manifest.BlockBytes + 100
	rate        = 1 << 20
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, fs: vfs.NewMem()}
	for _, dir := range []string{"journal", "log/s/0", "segments/s"} {
		require.NoError(t, w.fs.MkdirAll(dir))
	}
	var err error
	w.log, err = record.Create(w.fs, logFile, record.EventLog, record.NewSalt())
	require.NoError(t, err)
	w.append()
	w.append()
	body := make([]byte, segmentSize)
	w.segment = &manifest.Segment{ID: 1, Stream: "s", File: segmentFile, Bytes: segmentSize}
	for at := 0; at < segmentSize; at += manifest.BlockBytes {
		w.segment.Blocks = append(w.segment.Blocks, crc32.Checksum(body[at:min(at+manifest.BlockBytes, segmentSize)], crc32.MakeTable(crc32.Castagnoli)))
	}
	file, err := w.fs.Create(segmentFile)
	require.NoError(t, err)
	_, err = file.Write(body)
	require.NoError(t, err)
	w.listed.Store(true)
	return w
}

func (w *world) append() {
	w.t.Helper()
	require.NoError(w.t, w.log.Add(1, func(dst []byte) []byte { return append(dst, make([]byte, 1000)...) }))
	require.NoError(w.t, w.log.Flush())
	require.NoError(w.t, w.log.Sync())
}

// flip changes a byte of a file.
func (w *world) flip(name string, at int64) {
	w.t.Helper()
	file, err := w.fs.OpenAppend(name)
	require.NoError(w.t, err)
	size, err := file.Size()
	require.NoError(w.t, err)
	rest := make([]byte, size-at)
	_, err = file.ReadAt(rest, at)
	require.NoError(w.t, err)
	rest[0] ^= 1
	require.NoError(w.t, file.Truncate(at))
	_, err = file.Write(rest)
	require.NoError(w.t, err)
}

func (w *world) scrubber() *Scrubber {
	return New(Options{
		FS: w.fs, Rate: rate, Logger: slog.New(slog.DiscardHandler),
		Segments: func() []*manifest.Segment {
			if !w.listed.Load() {
				return nil
			}
			return []*manifest.Segment{w.segment}
		},
		Segment: func(*manifest.Segment, error) { w.told.Add(1) },
		Known:   func(Damage) bool { return w.known.Load() },
	})
}

func TestDamageIsFoundAtTheNextPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.scrubber()
		began := time.Now()
		for s.Passes() < 1 {
			<-time.After(10 * time.Millisecond)
			synctest.Wait()
		}
		require.Empty(t, s.Found())
		require.Greater(t, s.Bytes(), int64(segmentSize+2000))
		least := time.Duration(float64(s.Bytes())/rate*float64(time.Second)) - leastRest
		require.GreaterOrEqual(t, time.Since(began), least, "it is read at its rate")
		require.Less(t, time.Since(began), 2*least)

		w.append() // the file grows
		w.flip(logFile, 60)
		w.flip(segmentFile, manifest.BlockBytes+5)
		<-time.After(passEvery)
		for s.Passes() < 2 {
			<-time.After(10 * time.Millisecond)
			synctest.Wait()
		}
		found := s.Found()
		require.Len(t, found, 2)
		require.Equal(t, logFile, found[0].File)
		require.Equal(t, int64(20), found[0].From, "the frame that the byte is in")
		require.Equal(t, segmentFile, found[1].File)
		require.Equal(t, int64(manifest.BlockBytes), found[1].From)
		require.Equal(t, int64(1), w.told.Load())
		require.Contains(t, found[1].String(), "file "+segmentFile+" is damaged at byte 65536")

		w.listed.Store(false) // it was merged away
		w.known.Store(true)   // somebody has accepted the loss
		<-time.After(passEvery)
		for s.Passes() < 3 {
			<-time.After(10 * time.Millisecond)
			synctest.Wait()
		}
		require.NoError(t, s.Close())
		require.Empty(t, s.Found())
	})
}

// TestATailBeingWrittenIsNoDamage: of the last write only half may be there when the file is read.
func TestATailBeingWrittenIsNoDamage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		require.NoError(t, w.log.Add(1, func(dst []byte) []byte { return append(dst, make([]byte, 1000)...) }))
		require.NoError(t, w.log.Flush())
		file, err := w.fs.OpenAppend(logFile)
		require.NoError(t, err)
		size, err := file.Size()
		require.NoError(t, err)
		require.NoError(t, file.Truncate(size-500))
		s := w.scrubber()
		for s.Passes() < 1 {
			<-time.After(10 * time.Millisecond)
			synctest.Wait()
		}
		require.Empty(t, s.Found())
		require.NoError(t, s.Close())
		require.NoError(t, s.Close())
	})
}

// TestCloseInTheMiddle ends a pass at once, and finds nothing for want of what it could not read.
func TestCloseInTheMiddle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := w.scrubber()
		<-time.After(50 * time.Millisecond)
		require.NoError(t, s.Close())
		require.Zero(t, s.Passes())
		require.Empty(t, s.Found())
	})
}

// TestUnreadableFilesAreDamage: a device that cannot read a sector says so by an error.
func TestUnreadableFilesAreDamage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		s := New(Options{
			FS: deadSectors{w.fs}, Rate: rate, Logger: slog.New(slog.DiscardHandler),
			Segments: func() []*manifest.Segment { return []*manifest.Segment{w.segment} },
			Segment:  func(*manifest.Segment, error) { w.told.Add(1) },
			Known:    func(Damage) bool { return false },
		})
		for s.Passes() < 1 {
			<-time.After(10 * time.Millisecond)
			synctest.Wait()
		}
		require.Len(t, s.Found(), 2)
		require.Equal(t, int64(1), w.told.Load())
		require.NoError(t, s.Close())
	})
}

// TestAFileThatCannotBeOpenedKeepsNoOtherFromBeingRead: what is damaged behind it is found.
func TestAFileThatCannotBeOpenedKeepsNoOtherFromBeingRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.append()
		w.flip(logFile, 60)
		tried := 0
		s := New(Options{
			FS: vfs.NewFaultyAll(w.fs, func(op vfs.Op, name string) error {
				if op == vfs.OpOpen && name == segmentFile {
					tried++
					return errors.New("input/output error")
				}
				return nil
			}),
			Rate: rate, Logger: slog.New(slog.DiscardHandler),
			Segments: func() []*manifest.Segment { return []*manifest.Segment{w.segment} },
			Segment:  func(*manifest.Segment, error) {},
			Known:    func(Damage) bool { return false },
		})
		<-time.After(passEvery / 2)
		synctest.Wait()
		require.NoError(t, s.Close())
		require.Equal(t, 1, tried)
		require.Zero(t, s.Passes(), "not every file was read")
		require.Len(t, s.Found(), 1)
		require.Equal(t, logFile, s.Found()[0].File)
	})
}

type deadSectors struct{ *vfs.Mem }

func (d deadSectors) Open(name string) (vfs.File, error) {
	file, err := d.Mem.Open(name)
	return deadFile{file}, err
}

type deadFile struct{ vfs.File }

func (deadFile) ReadAt([]byte, int64) (int, error) { return 0, errors.New("input/output error") }
