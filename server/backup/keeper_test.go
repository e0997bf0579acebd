package backup

import (
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

func keeperOn(t *testing.T, fs vfs.FS) *Keeper {
	t.Helper()
	k, err := NewKeeper(Source{
		FS: fs, Hold: func(do func() error) error { return do() }, Segments: func() []*manifest.Segment { return nil },
		Views: func() []string { return nil }, Now: time.Now,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, k.Close()) })
	return k
}

func diskWith(t *testing.T, name, text string) *vfs.Mem {
	t.Helper()
	fs := vfs.NewMem()
	require.NoError(t, fs.MkdirAll("log/s/0"))
	file, err := fs.Create(name)
	require.NoError(t, err)
	_, err = file.Write([]byte(text))
	require.NoError(t, err)
	return fs
}

func requireCode(t *testing.T, code event.Code, err error) {
	t.Helper()
	var fault *event.Error
	require.ErrorAs(t, err, &fault)
	require.Equal(t, code, fault.Code)
}

func requireNothingKept(t *testing.T, fs vfs.FS) {
	t.Helper()
	names, err := fs.ReadDir(Dir)
	if err == nil {
		require.Empty(t, names)
	}
}

// TestPinnedFilesStayAsTheyWere although they grow and are removed.
func TestPinnedFilesStayAsTheyWere(t *testing.T) {
	t.Parallel()
	const name = "log/s/0/00000000000000000000.log"
	fs := diskWith(t, name, "before")
	k := keeperOn(t, fs)
	pinned, err := k.Begin(t.Context())
	require.NoError(t, err)
	file, err := fs.OpenAppend(name)
	require.NoError(t, err)
	_, err = file.Write([]byte(" and after"))
	require.NoError(t, err)
	require.NoError(t, fs.Remove(name))
	kept, err := k.Open(pinned.ID, name)
	require.NoError(t, err)
	text, err := io.ReadAll(kept)
	require.NoError(t, err)
	require.Equal(t, "before", string(text))
	require.NoError(t, kept.Close())
	require.NoError(t, k.End(pinned.ID))
	require.NoError(t, k.End(pinned.ID))
	_, err = k.Open(pinned.ID, name)
	requireCode(t, event.CodeNotFound, err)
	requireNothingKept(t, fs)
}

// TestPinnedLogsEndWhereTheirWriterSays and not with the space that is there for more, which may be cut off at any time.
func TestPinnedLogsEndWhereTheirWriterSays(t *testing.T) {
	t.Parallel()
	const name = "log/s/0/00000000000000000000.log"
	for _, cut := range []bool{false, true} {
		fs := diskWith(t, name, "text\x00\x00\x00")
		k := keeperOn(t, fs)
		k.source.Writing = func() map[string]int64 {
			if !cut {
				return map[string]int64{name: 4}
			}
			file, err := fs.OpenAppend(name) // it is completed
			require.NoError(t, err)
			require.NoError(t, file.Truncate(4))
			return nil
		}
		pinned, err := k.Begin(t.Context())
		require.NoError(t, err)
		require.Equal(t, []PinnedFile{{Name: name, Bytes: 4}}, pinned.Files)
	}
}

// TestPinsEnd by themselves, when the server stops, and after it was killed; and there are few at a time.
func TestPinsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const name = "log/s/0/00000000000000000000.log"
		fs := diskWith(t, name, "text")
		k := keeperOn(t, fs)
		first, err := k.Begin(t.Context())
		require.NoError(t, err)
		for range maxPins - 1 {
			_, err := k.Begin(t.Context())
			require.NoError(t, err)
		}
		_, err = k.Begin(t.Context())
		requireCode(t, event.CodeTooBusy, err)
		<-time.After(idleTime / 2) // of the test's own clock
		file, err := k.Open(first.ID, name)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		<-time.After(idleTime/2 + time.Second) // of the test's own clock
		synctest.Wait()
		names, err := fs.ReadDir(Dir)
		require.NoError(t, err)
		require.Equal(t, []string{first.ID}, names, "only the one that was used")
		keeperOn(t, fs) // another process
		requireNothingKept(t, fs)
		require.NoError(t, k.Close())
		_, err = k.Begin(t.Context())
		requireCode(t, event.CodeClosed, err)
	})
}
