package catalog_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

func open(t *testing.T, fsys vfs.FS) *catalog.Catalog {
	t.Helper()
	c := catalog.New()
	j, err := journal.Open(fsys, "journal", map[journal.Kind]journal.State{journal.KindStream: c})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, j.Close()) })
	c.Use(j)
	return c
}

func orders() catalog.Stream {
	return catalog.Stream{
		Name: "orders",
		Schema: &event.Schema{Version: 1, NextID: 4, TimeColumn: 1, Columns: []event.Column{
			{ID: 1, Name: "ts", Type: event.Type{Kind: event.TimestampTZ}, Since: 1},
			{ID: 2, Name: "Customer", Type: event.Type{Kind: event.Text}, NotNull: true, Since: 1},
			{ID: 3, Name: "amount", Type: event.Type{Kind: event.Numeric, Precision: 12, Scale: 2}, Since: 1},
		}},
		Partitions: 4, PartitionBy: []string{"Customer"}, Bound: 5 * time.Second, IdleTimeout: 30 * time.Second,
		FutureLimit: time.Minute, LogRetention: catalog.DefaultLogRetention, SchemaMode: catalog.Evolve,
	}
}

// next is the schema with one more column.
func next(s *event.Schema) *event.Schema {
	out := *s
	out.Version++
	out.NextID++
	added := event.Column{ID: s.NextID, Name: fmt.Sprintf("c%d", s.NextID), Type: event.Type{Kind: event.BigInt}, Since: out.Version}
	out.Columns = append(append([]event.Column(nil), s.Columns...), added)
	return &out
}

func requireCode(t *testing.T, code event.Code, err error) {
	t.Helper()
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code)
}

func TestDefinitionsSurviveACrash(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	c := open(t, fsys)
	made, err := c.Create(orders())
	require.NoError(t, err)
	want := orders()
	require.Equal(t, &want, made)
	_, err = c.Create(orders())
	requireCode(t, event.CodeAlreadyExists, err)

	other := orders()
	other.Name = "a_first"
	_, err = c.Create(other)
	require.NoError(t, err)
	require.NoError(t, c.Evolve("orders", made.Schema, next(made.Schema)))
	require.Equal(t, &want, made, "what was given out does not change")

	again := open(t, fsys.Crash())
	require.Equal(t, []string{"a_first", "orders"}, again.Names())
	require.Equal(t, c.Streams(), again.Streams())
	got, ok := again.Stream("orders")
	require.True(t, ok)
	require.Equal(t, next(want.Schema), got.Schema)
	_, ok = again.Stream("nothing")
	require.False(t, ok)
}

func TestDropSurvivesACrash(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	c := open(t, fsys)
	requireCode(t, event.CodeNotFound, c.Drop("orders"))
	_, err := c.Create(orders())
	require.NoError(t, err)
	require.NoError(t, c.Drop("orders"))
	require.Empty(t, c.Names())
	require.Empty(t, open(t, fsys.Crash()).Names())
	_, err = c.Create(orders())
	require.NoError(t, err, "the name is free")
	require.Equal(t, []string{"orders"}, open(t, fsys.Crash()).Names())
}

func TestSnapshotRebuilds(t *testing.T) {
	t.Parallel()
	c := open(t, vfs.NewMem())
	for _, name := range []string{"b", "a"} {
		s := orders()
		s.Name = name
		_, err := c.Create(s)
		require.NoError(t, err)
	}
	records, err := c.Snapshot()
	require.NoError(t, err)
	again := catalog.New()
	for _, r := range records {
		require.NoError(t, again.Apply(r))
	}
	require.Equal(t, c.Streams(), again.Streams())
}

func TestEvolve(t *testing.T) {
	t.Parallel()
	c := open(t, vfs.NewMem())
	v1 := orders().Schema
	requireCode(t, event.CodeNotFound, c.Evolve("orders", v1, next(v1)))
	_, err := c.Create(orders())
	require.NoError(t, err)
	require.NoError(t, c.Evolve("orders", v1, next(v1)))
	require.ErrorIs(t, c.Evolve("orders", v1, next(v1)), catalog.ErrConflict)
	require.ErrorContains(t, c.Evolve("orders", next(v1), next(next(next(v1)))), "cannot follow")
	bad := next(next(v1))
	bad.Columns[0].Name = "amount"
	requireCode(t, event.CodeBadRequest, c.Evolve("orders", next(v1), bad))
	present, _ := c.Stream("orders")
	require.Equal(t, next(v1), present.Schema)
}

func TestRacingEvolutionsTakeTurns(t *testing.T) {
	t.Parallel()
	c := open(t, vfs.NewMem())
	_, err := c.Create(orders())
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				s, _ := c.Stream("orders")
				err := c.Evolve("orders", s.Schema, next(s.Schema))
				if err == nil {
					return
				}
				if !errors.Is(err, catalog.ErrConflict) {
					panic(err)
				}
			}
		})
	}
	wg.Wait()
	s, _ := c.Stream("orders")
	require.Equal(t, 9, s.Schema.Version)
	require.Len(t, s.Schema.Columns, 3+8)
}

func TestRecordsOfALaterVersionAreRefused(t *testing.T) {
	t.Parallel()
	for body, code := range map[string]event.Code{
		`{"v":5,"stream":{"name":"a","schema":{}}}`: event.CodeNotSupported,
		`{"v":1}`:                 event.CodeCorrupt,
		`{"v":1,"stream":{"name"`: event.CodeCorrupt,
	} {
		requireCode(t, code, catalog.New().Apply(journal.Record{Kind: journal.KindStream, Body: []byte(body)}))
	}
}

func TestValidateName(t *testing.T) {
	t.Parallel()
	long := "a23456789_123456789_123456789_123456789_123456789_123456789_123"
	for _, good := range []string{"a", "orders", "a_1", long} {
		require.NoError(t, catalog.ValidateName(good), good)
	}
	for _, bad := range []string{"", "A", "1a", "_a", "a-b", "a.b", "a/b", "..", "é", "a\n", long + "4"} {
		requireCode(t, event.CodeBadRequest, catalog.ValidateName(bad))
	}
}

func TestValidateNamesEveryFault(t *testing.T) {
	t.Parallel()
	good := orders()
	require.NoError(t, good.Validate())
	s := catalog.Stream{
		Name: "Orders", Partitions: 0, Bound: -1, SchemaMode: "loose", PartitionBy: []string{"nothing"},
		Schema: &event.Schema{NextID: 3, TimeColumn: 1, Columns: []event.Column{
			{ID: 1, Name: "a", Type: event.Type{Kind: event.Text}},
			{ID: 1, Name: "a", Type: event.Type{Kind: event.Text}},
			{ID: 3, Name: "_OFFSET"},
			{ID: 2, Name: "", Type: event.Type{Kind: event.Text}},
		}},
	}
	err := s.Validate()
	requireCode(t, event.CodeBadRequest, err)
	for _, fault := range []string{
		"cannot name a stream", "number of partitions is 0", "watermark bound is negative", `"loose" is none`, `"nothing" does not exist`,
		"schema version is 0", `two columns "a"`, "has the id 1 of another", `"_OFFSET" is taken`, "id 3, which is not from 1 to 2",
		`"_OFFSET" has no type`, "1 to 255 bytes", `"a" is TEXT, and must be TIMESTAMPTZ`,
	} {
		require.ErrorContains(t, err, fault)
	}
	requireCode(t, event.CodeBadRequest, (&catalog.Stream{Name: "a"}).Validate())
}
