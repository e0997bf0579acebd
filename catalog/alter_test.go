package catalog_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// TestAlter: a change is made as a whole or not at all, keeps what it does not name, and survives a crash.
func TestAlter(t *testing.T) {
	t.Parallel()
	fsys := vfs.NewMem()
	c := open(t, fsys)
	_, err := c.Create(orders())
	require.NoError(t, err)
	text := event.Type{Kind: event.Text}
	retention, mode, sort := 48*time.Hour, catalog.Strict, []string{"Customer", "note"}
	require.NoError(t, c.Alter("orders", catalog.Change{
		Add:       []catalog.AddColumn{{Name: "note", Type: text}, {Name: "Customer", Type: text, IfNotExists: true}},
		Retention: &retention, SchemaMode: &mode, SortBy: &sort,
	}))

	want := orders()
	want.Schema.Version, want.Schema.NextID = 2, 5
	want.Schema.Columns = append(want.Schema.Columns, event.Column{ID: 4, Name: "note", Type: text, Since: 2})
	want.Retention, want.SchemaMode, want.SortBy = retention, mode, sort
	altered, _ := c.Stream("orders")
	require.Equal(t, &want, altered)

	shorter := time.Hour
	for _, bad := range []struct {
		code   event.Code
		change catalog.Change
	}{
		{event.CodeAlreadyExists, catalog.Change{Add: []catalog.AddColumn{{Name: "note", Type: text}}}},
		{event.CodeAlreadyExists, catalog.Change{Add: []catalog.AddColumn{{Name: "x", Type: text}, {Name: "x", Type: text}}}},
		{event.CodeAlreadyExists, catalog.Change{Add: []catalog.AddColumn{{Name: "amount", Type: text, IfNotExists: true}}}},
		{event.CodeBadRequest, catalog.Change{Add: []catalog.AddColumn{{Name: "_offset", Type: text}}}},
		{event.CodeBadRequest, catalog.Change{SortBy: &[]string{"nothing"}}},
	} {
		bad.change.Retention = &shorter
		requireCode(t, bad.code, c.Alter("orders", bad.change))
	}
	requireCode(t, event.CodeNotFound, c.Alter("nothing", catalog.Change{Retention: &shorter}))
	require.NoError(t, c.Alter("orders", catalog.Change{Add: []catalog.AddColumn{{Name: "note", Type: text, IfNotExists: true}}}))

	recovered, _ := open(t, fsys.Crash()).Stream("orders")
	require.Equal(t, &want, recovered)
}
