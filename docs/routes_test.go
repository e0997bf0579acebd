package docs_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryRouteIsListed holds the table of http-api.md to the OpenAPI document, which is held to the table of routes.
func TestEveryRouteIsListed(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../server/api/openapi.json")
	require.NoError(t, err)
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	require.NoError(t, json.Unmarshal(content, &document))
	var described, listed []string
	for path, methods := range document.Paths {
		for method := range methods {
			described = append(described, strings.ToUpper(method)+" "+path)
		}
	}
	for _, found := range readPage(t, "http-api.md").tables() {
		if found.header[0] != "Route" {
			continue
		}
		for _, r := range found.rows {
			listed = append(listed, code(r.cells[0])...)
		}
	}
	require.ElementsMatch(t, described, listed, "the table of routes in docs/http-api.md, and server/api/openapi.json")
}
