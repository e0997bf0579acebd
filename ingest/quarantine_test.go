package ingest

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// spoil flips a byte of a durable file.
func spoil(t *testing.T, fs vfs.FS, name string, find string) {
	t.Helper()
	f, err := fs.OpenAppend(name)
	require.NoError(t, err)
	size, err := f.Size()
	require.NoError(t, err)
	b := make([]byte, size)
	_, err = f.ReadAt(b, 0)
	require.NoError(t, err)
	at := bytes.Index(b, []byte(find))
	require.Positive(t, at)
	b[at] ^= 0x20
	require.NoError(t, f.Truncate(0))
	_, err = f.Write(b)
	require.NoError(t, err)
	require.NoError(t, f.Sync())
	require.NoError(t, f.Close())
}

func TestADamagedLogIsQuarantined(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	for n := range 5 {
		_, err := s.send("s", numbered(2*n, 2*n+2))
		require.NoError(t, err)
	}
	s.close(t)
	spoil(t, fs, "log/s/0/00000000000000000000.log", "row4")
	for range 2 {
		s = openStore(t, fs)
		stream, err := s.Stream("s")
		require.NoError(t, err)
		lost := stream.Definition().Quarantined
		require.Len(t, lost, 1, "noted once")
		require.EqualValues(t, 4, lost[0].From)
		require.EqualValues(t, 6, lost[0].To)
		require.Len(t, s.contents(t, "s", "n"), 8)
		require.Len(t, s.Failures(), 1)
		require.Contains(t, s.Failures()[0], "offsets 4 to 5 of partition 0 are lost")
		_, err = stream.Consume(t.Context(), 0, 0, 100, func(Record) error { return nil })
		requireCode(t, event.CodeCorrupt, err)
		s.close(t)
	}
	s = openStore(t, fs)
	summary, err := s.send("s", numbered(10, 11))
	require.NoError(t, err)
	next := summary.Offsets[0].First
	require.EqualValues(t, 10, next)
	stream, err := s.Stream("s")
	require.NoError(t, err)
	rows, err := stream.Seal(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 9, rows)
	s.close(t)
	s = openStore(t, fs)
	stream, err = s.Stream("s")
	require.NoError(t, err)
	require.Len(t, stream.Definition().Quarantined, 1, "also when the rows around it are sealed")
	var got []event.Offset
	_, err = stream.Consume(t.Context(), 0, 0, 100, func(r Record) error {
		got = append(got, r.Offset)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []event.Offset{0, 1, 2, 3, 6, 7, 8, 9, next}, got, "segments have what the log cannot give")
	s.close(t)
}

// TestRowsThatCanBeReadAgainComeBack: where a disk gives the right bytes at a later start, the rows are there again, accepted as lost or not, unless a
// segment has passed them over.
func TestRowsThatCanBeReadAgainComeBack(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"", "accepted", "sealed"} {
		fs := vfs.NewMem()
		s := openStore(t, fs)
		for n := range 5 {
			_, err := s.send("s", numbered(2*n, 2*n+2))
			require.NoError(t, err)
		}
		s.close(t)
		const name = "log/s/0/00000000000000000000.log"
		spoil(t, fs, name, "row4")
		s = openStore(t, fs)
		require.Len(t, s.Failures(), 1)
		switch how {
		case "accepted":
			_, err := s.catalog.AcceptLoss("s")
			require.NoError(t, err)
		case "sealed":
			stream, err := s.Stream("s")
			require.NoError(t, err)
			_, err = stream.Seal(t.Context())
			require.NoError(t, err)
		}
		s.close(t)
		spoil(t, fs, name, "Row4") // the same bit again
		want := 10
		if how == "sealed" {
			want = 8
		}
		for range 2 {
			s = openStore(t, fs)
			require.Len(t, s.contents(t, "s", "n"), want, how)
			stream, err := s.Stream("s")
			require.NoError(t, err)
			require.Len(t, stream.Definition().Quarantined, (10-want)/2, how)
			s.close(t)
		}
	}
}

// TestAMissingLogFileIsQuarantined removes each file of a log but the last: the server starts, says what is lost, and goes on.
func TestAMissingLogFileIsQuarantined(t *testing.T) {
	t.Parallel()
	disk := vfs.NewMem()
	small := func(o *Options) { o.LogFileBytes = 1 }
	s := openStore(t, disk, small)
	for n := range 4 {
		_, err := s.send("s", numbered(2*n, 2*n+2))
		require.NoError(t, err)
	}
	s.close(t)
	for n := range 4 {
		fs := disk.Crash()
		require.NoError(t, fs.Remove(fmt.Sprintf("log/s/0/%020d.log", 2*n)))
		s := openStore(t, fs, small)
		require.Len(t, s.Failures(), 1)
		require.Contains(t, s.Failures()[0], fmt.Sprintf("offsets %d to %d of partition 0 are lost", 2*n, 2*n+1))
		require.Len(t, s.contents(t, "s", "n"), 6)
		summary, err := s.send("s", numbered(8, 9))
		require.NoError(t, err)
		require.EqualValues(t, 8, summary.Offsets[0].First)
		s.close(t)
	}
}

// TestDamageToALogInUseTakesNothing damages a log while its rows are in memory: a consumer gets all of them, and so does who comes after a
// restart.
func TestDamageToALogInUseTakesNothing(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := openStore(t, fs)
	for n := range 5 {
		_, err := s.send("s", numbered(2*n, 2*n+2))
		require.NoError(t, err)
	}
	stream, err := s.Stream("s")
	require.NoError(t, err)
	spoil(t, fs, "log/s/0/00000000000000000000.log", "row4")
	consumed := func() (got []event.Offset) {
		for next := event.Offset(0); next < stream.sealing.Tail.Next(0); {
			next, err = stream.Consume(t.Context(), 0, next, 3, func(r Record) error {
				got = append(got, r.Offset)
				return nil
			})
			require.NoError(t, err)
		}
		return got
	}
	all := []event.Offset{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	require.Equal(t, all, consumed())
	rows, _, _ := stream.sealing.Tail.Size()
	require.Zero(t, rows, "what the log cannot give is sealed")
	require.Len(t, s.contents(t, "s", "n"), 10)
	s.close(t)
	s = openStore(t, fs)
	stream, err = s.Stream("s")
	require.NoError(t, err)
	require.Empty(t, stream.Definition().Quarantined)
	require.Equal(t, all, consumed())
	require.Len(t, s.contents(t, "s", "n"), 10)
	s.close(t)
}
