package docs_test

import (
	"strings"
	"testing"
)

// TestEverySystemTableIsListed holds the tables of the page equal to the columns of the system tables. It is not parallel: with -rewrite
// it must be done with the page before its examples are run.
func TestEverySystemTableIsListed(t *testing.T) {
	for _, table := range startServer(t).Tables() {
		want := []string{"| `" + table.Name + "` | Type | Meaning |", "|---|---|---|"}
		for _, c := range table.Columns {
			want = append(want, "| `"+c.Name+"` | "+c.Type.String()+" | "+strings.ReplaceAll(c.Help, "|", `\|`)+" |")
		}
		readPage(t, "sql/system.md").generated(t, want)
	}
}
