package parquet

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// readAll reads every column of every row group.
func readAll(file []byte) (columns [][]arrow.Array, err error) {
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(1<<20))
	if err != nil {
		return nil, err
	}
	var ids []event.FieldID
	for _, c := range r.Columns() {
		ids = append(ids, c.ID)
	}
	for group := range r.RowGroups() {
		read, _, err := r.Read(context.Background(), ids, group, 0, r.Rows(group), nil)
		if err != nil {
			return nil, err
		}
		columns = append(columns, read)
	}
	return columns, nil
}

func requireCorrupt(t testing.TB, err error) {
	t.Helper()
	var failure *event.Error
	require.ErrorAs(t, err, &failure)
	require.Equal(t, event.CodeCorrupt, failure.Code)
}

// The page CRC covers bodies; headers and footer are covered by the manifest's checksums only, so that here a flip in
// them may go unseen as long as nothing panics.
func TestFlippedBitsInPagesAreSeen(t *testing.T) {
	t.Parallel()
	for _, codec := range []Codec{Fresh, Archive} {
		flipInPages(t, codec)
	}
}

func flipInPages(t *testing.T, codec Codec) {
	t.Helper()
	_, _, file := writeNumbered(t, 500, Layout{PageRows: 200, RowGroupRows: 300, Codec: codec})
	r, err := Open(bytes.NewReader(file), int64(len(file)), "file", NewCaches(0))
	require.NoError(t, err)
	for group := range r.RowGroups() {
		for _, c := range r.groups[group].chunks {
			for _, p := range c.pages {
				damaged := bytes.Clone(file)
				damaged[p.offset+p.size-1] ^= 0x10
				_, err := readAll(damaged)
				requireCorrupt(t, err)
			}
		}
	}
}

func TestNoDamagePanics(t *testing.T) {
	t.Parallel()
	for _, codec := range []Codec{Fresh, Archive} {
		damageEverywhere(t, codec)
	}
}

func damageEverywhere(t *testing.T, codec Codec) {
	t.Helper()
	_, _, file := writeNumbered(t, 60, Layout{PageRows: 25, RowGroupRows: 50, Codec: codec})
	for at := range file {
		damaged := bytes.Clone(file)
		damaged[at] ^= []byte{0x01, 0x80, 0xFF}[at%3]
		checkDamaged(t, damaged)
	}
	for n := range file {
		_, err := readAll(file[:n])
		requireCorrupt(t, err)
	}
}

func checkDamaged(t testing.TB, file []byte) {
	t.Helper()
	if _, err := readAll(file); err != nil {
		var failure *event.Error
		if !errors.As(err, &failure) || failure.Code != event.CodeCorrupt {
			t.Fatalf("%v is not marked as corrupt", err)
		}
	}
}

func FuzzRead(f *testing.F) {
	_, _, file := writeNumbered(f, 40, Layout{PageRows: 15, RowGroupRows: 30})
	f.Add(file)
	_, _, file = writeNumbered(f, 1, Layout{})
	f.Add(file)
	_, _, file = writeNumbered(f, 60, Layout{PageRows: 25, RowGroupRows: 50, Codec: Archive})
	f.Add(file)
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	f.Fuzz(func(t *testing.T, file []byte) { checkDamaged(t, file) })
}

func FuzzHybrid(f *testing.F) {
	f.Add([]byte{0x03, 0xAA, 0x10, 0x05}, uint8(3), uint16(20))
	f.Fuzz(func(t *testing.T, src []byte, width uint8, rows uint16) {
		if width > 32 {
			return
		}
		dst := make([]int32, rows)
		highest, err := decodeHybrid(dst, src, uint(width))
		if err != nil {
			return
		}
		for _, code := range dst {
			require.LessOrEqual(t, uint32(code), highest)
		}
	})
}
