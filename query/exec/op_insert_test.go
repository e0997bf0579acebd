package exec_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
)

func TestInsertStoresItsInput(t *testing.T) {
	t.Parallel()
	values := &plan.Values{
		Cols: []plan.Column{{Name: "a", Type: bigint}, {Name: "b", Type: text}},
		Rows: [][]plan.Expr{
			{lit(1), lit("x")},
			{call("+", lit(1), lit(1)), &plan.Literal{Value: event.NewNulls(text, 1), Typ: text}},
			{lit(3), lit("")},
		},
	}
	store := &sink{}
	root := &plan.Insert{Input: values, Stream: "s", Names: []string{"a", "b"}}
	got, _, err := answer(exec.New(&source{}, store, exec.Options{BatchRows: 2}), root)
	require.NoError(t, err)
	require.Equal(t, []string{"|3"}, got)
	require.Equal(t, []string{"s", "a", "b"}, store.names)
	require.Equal(t, []string{`|1|"x"`, `|2|NULL`, `|3|""`}, store.rows)
}

func TestInsertOfNothing(t *testing.T) {
	t.Parallel()
	root := &plan.Insert{Input: &plan.Values{Cols: []plan.Column{{Name: "a", Type: bigint}}}, Stream: "s", Names: []string{"a"}}
	got, _, err := answer(exec.New(&source{}, &sink{}, exec.Options{}), root)
	require.NoError(t, err)
	require.Equal(t, []string{"|0"}, got)
}

func TestInsertFailure(t *testing.T) {
	t.Parallel()
	full := event.Errorf(event.CodeDiskFull, "the disk is full")
	values := &plan.Values{Cols: []plan.Column{{Name: "a", Type: bigint}}, Rows: [][]plan.Expr{{lit(1)}}}
	root := &plan.Insert{Input: values, Stream: "s", Names: []string{"a"}}
	_, _, err := answer(exec.New(&source{}, &sink{fail: full}, exec.Options{}), root)
	require.ErrorIs(t, err, full)
	require.ErrorContains(t, err, "insert into s")
	_, _, err = answer(exec.New(&source{}, nil, exec.Options{}), root)
	requireCode(t, err, event.CodeReadOnly)
}
