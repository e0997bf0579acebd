package segments

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/segments/manifest"
)

// posts is a stream of documents.
func posts() *catalog.Stream {
	return &catalog.Stream{Name: "posts", Partitions: 1, Schema: &event.Schema{Version: 1, TimeColumn: 1, NextID: 3,
		Columns: []event.Column{
			{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, NotNull: true, Since: 1},
			{ID: 2, Name: "doc", Type: event.Type{Kind: event.JSONB}, Since: 1},
		}}}
}

// postsFrom are rows from an offset on.
func postsFrom(schema *event.Schema, first event.Offset, n int) *event.Batch {
	times, offsets := make([]int64, n), make([]int64, n)
	ends, data := make([]int32, 1, n+1), []byte{}
	for i := range n {
		times[i], offsets[i] = int64(first)+int64(i), int64(first)+int64(i)
		data = fmt.Appendf(data, `{"kind":"k%d","rest":"%s"}`, (int(first)+i)%3, strings.Repeat("-", 150))
		ends = append(ends, int32(len(data)))
	}
	columns := []arrow.Array{
		event.NewTimestamps(times, nil), event.NewStrings(ends, data, nil), event.NewInt64s(make([]int64, n), nil),
		event.NewInt64s(offsets, nil), event.NewTimestamps(times, nil), event.NewNulls(event.Type{Kind: event.TimestampTZ}, n),
	}
	return &event.Batch{
		Schema: schema, Record: array.NewRecordBatch(schema.Arrow(), columns, int64(n)), First: first, Last: first + event.Offset(n) - 1,
	}
}

// kinds reads a member of every row; has tells of how many rows it was there by itself.
func kinds(t *testing.T, f *fixture, schema *event.Schema) (values []string, has int) {
	t.Helper()
	view := f.store.View("posts")
	defer func() { require.NoError(t, view.Close()) }()
	morsels, _, err := view.Scan(context.Background(), ScanRequest{Schema: schema, Columns: []event.FieldID{1, 2}})
	require.NoError(t, err)
	for _, m := range morsels {
		require.False(t, m.HasMember(0, []string{"kind"}), "no document")
		require.False(t, m.HasMember(1, []string{"none"}))
		if !m.HasMember(1, []string{"kind"}) {
			_, _, err := m.ReadMember(context.Background(), 1, []string{"kind"}, nil)
			require.Error(t, err)
			continue
		}
		has += m.Rows()
		read, _, err := m.ReadMember(context.Background(), 1, []string{"kind"}, nil)
		require.NoError(t, err)
		for i := range read.Len() {
			values = append(values, event.StringAt(event.PlainText(read), i))
		}
	}
	return values, has
}

func TestMergesGiveMembersColumns(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{RowGroupRows: 40, PageRows: 8}), posts()
	var sealed []*manifest.Segment
	for i := range 3 {
		first := event.Offset(i * 30)
		sealed = append(sealed, f.add(stream, event.Vector{first + 30}, postsFrom(stream.Schema, first, 30)))
	}
	_, has := kinds(t, f, stream.Schema)
	require.Zero(t, has, "a seal does not take the time")

	merged := f.merge("posts", Merge{Inputs: sealed[:2]})
	require.Len(t, merged[0].Columns, len(stream.Schema.All()), "the list of segments knows the stream's columns only")
	values, has := kinds(t, f, stream.Schema)
	require.Equal(t, 60, has)
	for i, value := range values {
		require.Equal(t, fmt.Sprintf(`"k%d"`, i%3), value)
	}
	f.merge("posts", Merge{Inputs: []*manifest.Segment{merged[0], sealed[2]}, Archive: true})
	_, has = kinds(t, f, stream.Schema)
	require.Equal(t, 90, has)

	// What the manifest is made anew from is the files, members and all.
	rebuilt, err := Rebuild(context.Background(), f.fs)
	require.NoError(t, err)
	require.Empty(t, rebuilt[0].Damaged)
	require.Equal(t, f.store.View("posts").Segments(), rebuilt[0].Edit.Add)
}

func TestDamagedMembersAreFound(t *testing.T) {
	t.Parallel()
	f, stream := newFixture(t, Options{PageRows: 20, RowGroupRows: 60}), posts()
	a := f.add(stream, event.Vector{40}, postsFrom(stream.Schema, 0, 40))
	b := f.add(stream, event.Vector{80}, postsFrom(stream.Schema, 40, 40))
	merged := f.merge("posts", Merge{Inputs: []*manifest.Segment{a, b}})[0]
	for at := int64(0); at < merged.Bytes; at += 11 {
		restore := f.flip(merged.File, at)
		rebuilt, err := Rebuild(context.Background(), f.fs)
		require.NoError(t, err)
		require.Len(t, rebuilt[0].Damaged, 1, "byte %d", at)
		restore()
	}
}
