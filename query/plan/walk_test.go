package plan

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWalkReachesEveryPart(t *testing.T) {
	t.Parallel()
	a, b := &ColumnRef{Index: 0, Name: "a", Typ: boolean}, &ColumnRef{Index: 1, Name: "b", Typ: bigint}
	c := &ColumnRef{Index: 3, Name: "c", Typ: bigint}
	e := &Case{
		Whens: []When{{Condition: a, Then: &Cast{Input: b, To: double}}},
		Else:  &Cast{Input: &Call{Fn: Functions["abs"][0], Args: []Expr{c}}, To: double},
		Typ:   double,
	}
	var visited []string
	Walk(e, func(e Expr) {
		if ref, ok := e.(*ColumnRef); ok {
			visited = append(visited, ref.Name)
		}
	})
	require.Equal(t, "a b c", strings.Join(visited, " "))
	used := make([]bool, 5)
	MarkColumns(used, e, a)
	require.Equal(t, []bool{true, true, false, true, false}, used)
}

func TestConjunctsSplitOnlyAnd(t *testing.T) {
	t.Parallel()
	a, b := &ColumnRef{Name: "a", Typ: boolean}, &ColumnRef{Name: "b", Typ: boolean}
	and := func(l, r Expr) Expr { return &Call{Fn: Functions["and"][0], Args: []Expr{l, r}} }
	or := &Call{Fn: Functions["or"][0], Args: []Expr{a, and(a, b)}}
	require.Equal(t, []Expr{a, b, or, a}, Conjuncts(and(and(a, b), and(or, a))))
	require.Equal(t, []Expr{a}, Conjuncts(a))
}
