package plan

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func TestWidthCountsTheColumns(t *testing.T) {
	t.Parallel()
	schema := &event.Schema{Version: 1, Columns: []event.Column{{ID: 1, Name: "a", Type: bigint}, {ID: 2, Name: "b", Type: text}}}
	scan := &Scan{Stream: "s", Schema: schema, Fields: []event.FieldID{2, 1, event.FieldOffset}}
	one := &Project{Input: scan, Exprs: []Expr{&ColumnRef{Typ: text}}, Names: []string{"b"}}
	for _, n := range []Node{
		scan, one, &Filter{Input: scan}, &Sort{Input: scan}, &Limit{Input: one}, &Values{Cols: []Column{{Name: "x"}}},
		&Join{Left: scan, Right: one, Kind: InnerJoin}, &Join{Left: scan, Right: one, Kind: MarkJoin, Mark: "m"},
		&Join{Left: &Join{Left: one, Right: one}, Right: scan, Kind: LeftJoin}, &Aggregate{Input: scan},
		&Aggregate{Input: scan, Groups: one.Exprs, Aggregates: []Aggregation{{Fn: GroupingFunction}}, Names: []string{"b", "g"}},
		&Window{Input: scan, Calls: []WindowCall{{Fn: GroupingFunction}}, Names: []string{"w"}}, &FirstRows{Input: one},
		&Apply{Left: scan, Right: one, Kind: MarkJoin, Mark: "m"}, &Apply{Left: scan, Right: one, Kind: LeftJoin},
	} {
		require.Len(t, n.Columns(), Width(n), "%T", n)
	}
}
