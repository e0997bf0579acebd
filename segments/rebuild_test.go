package segments

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// requireRebuilt holds what files alone say against the manifest.
func requireRebuilt(t require.TestingT, fs vfs.FS, want *manifest.View) {
	found, err := Rebuild(context.Background(), fs)
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Empty(t, found[0].Damaged)
	got := Restore(found).View("clicks")
	require.Equal(t, want.Segments, got.Segments)
	if len(want.Segments) > 0 {
		require.True(t, want.Sealed.Next.Covers(got.Sealed.Next))
	}
}

func TestManifestIsRebuiltFromFiles(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		f, stream := newFixture(t, Options{RowGroupRows: 40, PageRows: 8}), clicks()
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		next := event.Offset(0)
		pinned := f.store.View("clicks") // nothing leaves the trash
		defer pinned.Close()
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			listed := f.store.View("clicks").Segments()
			switch rapid.SampledFrom([]string{"seal", "seal", "merge", "expire"}).Draw(rt, "step") {
			case "seal":
				rows := disordered(rng, 0, next, rapid.IntRange(1, 100).Draw(rt, "rows"))
				next += event.Offset(len(rows))
				sealed := manifest.Sealed{Next: event.Vector{next}, MaxEventTime: []int64{int64(next) * 100}, Watermark: []int64{int64(next)*100 - 5}}
				_, err := f.store.Add(context.Background(), stream, []*event.Batch{batchOf(stream.Schema, rows)}, sealed)
				require.NoError(rt, err)
			case "merge":
				m := Merge{Archive: rapid.Bool().Draw(rt, "archive"), Cuts: []int64{rapid.Int64Range(0, 20_000).Draw(rt, "cut")}}
				for _, s := range listed {
					if rapid.Bool().Draw(rt, "input") {
						m.Inputs = append(m.Inputs, s)
					}
				}
				if len(m.Inputs) > 0 {
					f.merge("clicks", m)
				}
			case "expire":
				_, err := f.store.Expire(context.Background(), "clicks", rapid.Int64Range(1, 15_000).Draw(rt, "before"), nil)
				require.NoError(rt, err)
			}
			view := f.store.View("clicks")
			if len(view.Segments()) == 0 {
				continue
			}
			requireRebuilt(rt, f.fs, view.manifest)
			found, err := Rebuild(context.Background(), f.fs)
			require.NoError(rt, err)
			require.Equal(rt, stream.Schema, found[0].Schema)
			if sealed := view.Sealed(); sealed.Next.At(0) == found[0].Edit.Sealed.Next.At(0) {
				require.Equal(rt, sealed, found[0].Edit.Sealed)
			}
		}
	})
}

// TestRebuildAfterAPowerCut cuts the power at every operation of seals, merges and expiries, loses the journal as well, and reads what
// the files say: the rows of the manifest as it was before or after the operation, each once.
func TestRebuildAfterAPowerCut(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	acknowledged, cuts, busy := 0, 0, false
	fs := vfs.NewFaulty(mem, func(vfs.Op, string) error {
		if busy {
			return nil
		}
		busy = true
		defer func() { busy = false }()
		cuts++
		left := mem.Crash()
		if info, err := left.Stat("segments/clicks"); err != nil || !info.IsDir() {
			return nil
		}
		found, err := Rebuild(context.Background(), left)
		require.NoError(t, err)
		require.Empty(t, found[0].Damaged)
		rows := int64(0)
		for _, s := range found[0].Edit.Add {
			rows += s.Rows
		}
		require.EqualValues(t, found[0].Edit.Sealed.Next.At(0), rows, "every row once")
		require.Contains(t, []int64{int64(acknowledged) * 100, int64(acknowledged)*100 + 100}, rows)
		return nil
	})
	s, err := openStack(fs)
	require.NoError(t, err)
	require.NoError(t, sealAndMerge(s, func(n int) { acknowledged = n }))
	require.NoError(t, s.close())
	require.Greater(t, cuts, 50)
}

func TestRebuildReportsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	whole := f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{ts: 1}}))
	short := f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 2, offset: 1}}))
	file, err := f.fs.OpenAppend(short.File)
	require.NoError(t, err)
	require.NoError(t, file.Truncate(short.Bytes-1))
	require.NoError(t, file.Close())
	found, err := Rebuild(context.Background(), f.fs)
	require.NoError(t, err)
	require.Len(t, found[0].Damaged, 1)
	requireCode(t, event.CodeCorrupt, found[0].Damaged[short.File])
	require.Equal(t, []*manifest.Segment{whole}, found[0].Edit.Add)
}

// TestExpiryGoesByTheNewestEvent drops a segment only when all of it is old.
func TestExpiryGoesByTheNewestEvent(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	mixed := f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 1000}, {ts: 5000, offset: 1}}))
	for _, before := range []int64{1001, 5000} {
		dropped, err := f.store.Expire(context.Background(), "clicks", before, nil)
		require.NoError(t, err)
		require.Empty(t, dropped, "before %d", before)
	}
	dropped, err := f.store.Expire(context.Background(), "clicks", 5001, nil)
	require.NoError(t, err)
	require.Equal(t, []*manifest.Segment{mixed}, dropped)
}

func TestExpiredSegmentsStayAwayWithoutAManifest(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	old := f.add(stream, event.Vector{1}, batchOf(stream.Schema, []row{{ts: 1000}}))
	kept, err := f.fs.Open(old.File)
	require.NoError(t, err)
	data := make([]byte, old.Bytes)
	_, err = kept.ReadAt(data, 0)
	require.NoError(t, err)
	require.NoError(t, kept.Close())
	f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 5000, offset: 1}}))
	dropped, err := f.store.Expire(context.Background(), "clicks", 2000, nil)
	require.NoError(t, err)
	require.Equal(t, []*manifest.Segment{old}, dropped)
	f.add(stream, event.Vector{3}, batchOf(stream.Schema, []row{{ts: 6000, offset: 2}}))

	file, err := f.fs.Create(old.File) // as if the move had been lost
	require.NoError(t, err)
	_, err = file.Write(data)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	found, err := Rebuild(context.Background(), f.fs)
	require.NoError(t, err)
	require.Equal(t, []string{old.File}, found[0].Superseded)
	require.Len(t, found[0].Edit.Add, 2)
}

// TestRebuildTakesNoDamagedFile flips each byte of a file: new checksums must not make it good.
func TestRebuildTakesNoDamagedFile(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{}), clicks()
	segment := f.add(stream, event.Vector{2}, batchOf(stream.Schema, []row{{ts: 1}, {ts: 2, offset: 1}}))
	file, err := f.fs.Open(segment.File)
	require.NoError(t, err)
	good := make([]byte, segment.Bytes)
	_, err = file.ReadAt(good, 0)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	for at := range good {
		fs := vfs.NewMem()
		require.NoError(t, fs.MkdirAll("segments/clicks"))
		bad := bytes.Clone(good)
		bad[at] ^= 1 << (at % 8)
		damaged, err := fs.Create(segment.File)
		require.NoError(t, err)
		_, err = damaged.Write(bad)
		require.NoError(t, err)
		require.NoError(t, damaged.Close())
		found, err := Rebuild(context.Background(), fs)
		require.NoError(t, err)
		requireCode(t, event.CodeCorrupt, found[0].Damaged[segment.File])
		require.Empty(t, found[0].Edit.Add, "byte %d", at)
	}
}
