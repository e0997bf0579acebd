package bind

import (
	"slices"
	"strconv"

	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// numberedNames are the names of a view's columns where two would be the same, as of count(*) and count(x), or of the columns of a join's
// tables under *: the later ones have a number behind them, as tables made of a query have in DuckDB. It is nil where all differ, and where
// one of two was given by AS, which is a mistake.
func numberedNames(query *ast.Select, columns []plan.Column) []ast.Name {
	taken, given := map[string]bool{}, givenNames(query)
	for _, c := range columns {
		if taken[c.Name] && slices.Contains(given, c.Name) {
			return nil
		}
		taken[c.Name] = true
	}
	if len(taken) == len(columns) {
		return nil
	}
	out, met := make([]ast.Name, len(columns)), map[string]bool{}
	for i, c := range columns {
		name := c.Name
		for n := 1; met[c.Name] && taken[name]; n++ {
			name = c.Name + "_" + strconv.Itoa(n)
		}
		met[c.Name], taken[name] = true, true
		out[i] = ast.Name{Text: name, Quoted: true, Pos: query.Pos}
	}
	return out
}

// givenNames are those that AS gives to columns of a query. Those of UNION and its like come from the first.
func givenNames(query *ast.Select) []string {
	for query.Set != nil {
		query = query.Set.Left
	}
	var out []string
	for _, item := range query.Items {
		if item.Alias != nil {
			out = append(out, item.Alias.Text)
		}
	}
	return out
}
