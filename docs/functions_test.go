package docs_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// TestEveryFunctionIsDocumented holds the tables of forms in sql/ equal to plan.Functions, by name.
func TestEveryFunctionIsDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string][]string{}
	for _, path := range []string{"sql/functions.md", "sql/aggregates.md", "sql/windows.md"} {
		for _, found := range readPage(t, path).tables() {
			if found.header[0] != "Form" {
				continue
			}
			for _, r := range found.rows {
				for _, form := range code(r.cells[0]) {
					documented[path] = append(documented[path], strings.ToLower(form))
				}
			}
		}
	}
	missing := map[string][]string{}
	for _, form := range plan.ArrayForms {
		f := form.Of(event.Type{Kind: event.BigInt}, len(form.Args))
		switch name, quantifier, _ := strings.Cut(f.Name, " "); {
		case quantifier == "any" || quantifier == "all": // shown for = alone
			f.Name = name
		case f.Name == "array" || f.Name == "subscript" || f.Name == "array_series": // reached by symbols and by generate_series
			continue
		}
		if !slices.ContainsFunc(documented["sql/functions.md"], func(form string) bool { return shows(form, f) }) {
			missing["sql/functions.md"] = append(missing["sql/functions.md"], usage(f))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(plan.Functions)) {
		f := plan.Functions[name][0]
		path := "sql/functions.md"
		switch {
		case f.Aggregate:
			path = "sql/aggregates.md"
		case f.Window:
			path = "sql/windows.md"
		}
		if !slices.ContainsFunc(documented[path], func(form string) bool { return shows(form, f) }) {
			missing[path] = append(missing[path], "| `"+strings.ReplaceAll(usage(f), "|", `\|`)+"` | its meaning in one line | `an example` | `` |")
		}
	}
	for path, rows := range missing {
		t.Errorf("docs/%s lacks functions. Put these rows into the tables where they belong, with the meaning and an expression for an example,\n"+
			"and let `go test ./docs -rewrite` fill in the answers:\n%s", path, strings.Join(rows, "\n"))
	}
}

// usage is the form of a function as a table would show it.
func usage(f *plan.Function) string {
	names := []string{"a", "b", "c", "d", "e", "f"}[:min(len(f.Args), 6)]
	if f.Symbol {
		if len(names) == 2 {
			return names[0] + " " + strings.ToUpper(f.Name) + " " + names[1]
		}
		return strings.ToUpper(f.Name) + " " + strings.Join(names, " ")
	}
	return f.Name + "(" + strings.Join(names, ", ") + ")"
}

// shows reports whether a form in lower case, such as "a + b" or "round(a, digits)", is one of the function's.
func shows(form string, f *plan.Function) bool {
	if !f.Symbol {
		return strings.HasPrefix(form, f.Name+"(")
	}
	return strings.Contains(form, " "+f.Name+" ") || strings.HasPrefix(form, f.Name+" ")
}

// TestOtherNamesAreDocumented holds the table of aliases equal to bind.Aliases. It is not parallel: with -rewrite it must be done with
// the page before the examples are run.
func TestOtherNamesAreDocumented(t *testing.T) {
	want := []string{"| Other name | Stands for |", "|---|---|"}
	for _, alias := range slices.Sorted(maps.Keys(bind.Aliases)) {
		want = append(want, "| `"+alias+"` | `"+bind.Aliases[alias]+"` |")
	}
	readPage(t, "sql/functions.md").generated(t, want)
}
