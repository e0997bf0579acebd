package app

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestJoinOfManyTables joins 64 tables that a chain of equalities connects, listed in no order: joined as they are listed, the
// products of those that do not connect would have no end.
func TestJoinOfManyTables(t *testing.T) {
	t.Parallel()
	const tables, rows = 64, 10
	rng := rand.New(rand.NewPCG(1, 2))
	i := start(t, t.TempDir())
	for n := range tables {
		var values []string
		for _, a := range rng.Perm(rows) {
			values = append(values, fmt.Sprintf("(%d, %d, 'table %d row %d')", a, (a+1)%rows, n, a))
		}
		i.query(fmt.Sprintf("CREATE STREAM t%d (a%d BIGINT, b%d BIGINT, x%d TEXT)", n, n, n, n))
		i.query(fmt.Sprintf("INSERT INTO t%d VALUES %s", n, strings.Join(values, ", ")))
	}
	var from, selected []string
	conditions := []string{"a0 = 3"}
	for _, n := range rng.Perm(tables) {
		from, selected = append(from, fmt.Sprintf("t%d", n)), append(selected, fmt.Sprintf("x%d", n))
		if n > 0 {
			conditions = append(conditions, fmt.Sprintf("b%d = a%d", n-1, n))
		}
	}
	got := i.query("SELECT " + strings.Join(selected, ", ") + " FROM " + strings.Join(from, ", ") +
		" WHERE " + strings.Join(conditions, " AND "))
	require.Len(t, got.Rows, 1)
	for c, name := range selected {
		n := name[1:]
		require.Regexp(t, "^table "+n+" row [0-9]$", got.Rows[0][c])
	}
}
