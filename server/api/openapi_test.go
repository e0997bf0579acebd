package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

func loadOpenAPI(t *testing.T) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(openAPI)
	require.NoError(t, err)
	require.NoError(t, document.Validate(t.Context()))
	return document
}

func TestOpenAPINamesEveryRoute(t *testing.T) {
	t.Parallel()
	var described []string
	for path, item := range loadOpenAPI(t).Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	var served []string
	for _, r := range (&Server{}).routes() {
		served = append(served, r.method+" "+strings.TrimSuffix(r.path, "{$}"))
	}
	require.ElementsMatch(t, served, described, "openapi.json and the table of routes name the same routes")
}

func TestOpenAPINamesEveryParameter(t *testing.T) {
	t.Parallel()
	paths := loadOpenAPI(t).Paths
	for _, r := range (&Server{}).routes() {
		if r.parameters == nil {
			continue
		}
		described := []string{}
		for _, p := range paths.Value(r.path).GetOperation(r.method).Parameters {
			if p.Value.In == openapi3.ParameterInQuery {
				described = append(described, p.Value.Name)
			}
		}
		require.ElementsMatch(t, r.parameters, described, "%s %s", r.method, r.path)
	}
}

func TestOpenAPINamesEveryCode(t *testing.T) {
	t.Parallel()
	var described []event.Code
	for _, code := range loadOpenAPI(t).Components.Schemas["Code"].Value.Enum {
		described = append(described, event.Code(code.(string)))
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(statuses)), described)
}

// TestEveryCodeHasAStatus reads the list of codes from the source, where a new one would be added.
func TestEveryCodeHasAStatus(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../../event/error.go", nil, 0)
	require.NoError(t, err)
	known := map[event.Code]bool{codeMethod: true}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); !ok || name.Name != "Code" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		require.NoError(t, err)
		known[event.Code(text)] = true
		return true
	})
	require.Equal(t, slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(statuses)))
}

// TestErrorsPageListsEveryCode holds docs/sql/errors.md to the statuses.
func TestErrorsPageListsEveryCode(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/sql/errors.md")
	require.NoError(t, err)
	listed := map[event.Code]int{}
	for _, match := range regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| ([0-9]{3}) \\|").FindAllStringSubmatch(string(page), -1) {
		listed[event.Code(match[1])], err = strconv.Atoi(match[2])
		require.NoError(t, err)
	}
	require.Equal(t, statuses, listed, "docs/sql/errors.md has a row for each code: | `code` | status | what it means |")
}
