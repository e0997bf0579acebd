package app

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/require"
)

// checkedExchanges is how many exchanges of one route and status are held to the contract: the validator compiles its schemas anew for
// each, which would take most of the tests' time.
const checkedExchanges = 20

// contract is the API's description, as the first server of the tests serves it.
var contract struct {
	once   sync.Once
	router routers.Router
	err    error

	mu      sync.Mutex
	checked map[string]int
}

// isDue counts an exchange, and reports whether it is one of the first of its kind.
func isDue(kind string) bool {
	contract.mu.Lock()
	defer contract.mu.Unlock()
	if contract.checked == nil {
		contract.checked = map[string]int{}
	}
	contract.checked[kind]++
	return contract.checked[kind] <= checkedExchanges
}

func loadContract(i *instance) (routers.Router, error) {
	contract.once.Do(func() {
		contract.router, contract.err = readContract(i)
	})
	return contract.router, contract.err
}

func readContract(i *instance) (routers.Router, error) {
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodGet, i.URL()+"/v1/openapi.json", http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	document, err := openapi3.NewLoader().LoadFromIoReader(answer.Body)
	if err != nil {
		return nil, err
	}
	document.Servers = nil // requests of tests name other hosts
	openapi3filter.RegisterBodyDecoder("application/x-ndjson", openapi3filter.FileBodyDecoder)
	openapi3filter.RegisterBodyDecoder("text/csv", openapi3filter.FileBodyDecoder)
	return legacy.NewRouter(document)
}

// checkContract holds an exchange to the OpenAPI document: every answer of a described route, and every request that was answered
// well. Paths that the document does not have are answered by problems, and checked by the tests that ask for them.
func (i *instance) checkContract(method, path, body string, header http.Header, answer response) {
	i.t.Helper()
	router, err := loadContract(i)
	require.NoError(i.t, err)
	request, err := http.NewRequestWithContext(i.t.Context(), method, path, strings.NewReader(body))
	require.NoError(i.t, err)
	request.URL = &url.URL{Path: request.URL.Path, RawQuery: request.URL.RawQuery}
	request.Header = header
	route, parameters, err := router.FindRoute(request)
	if err != nil || !isDue(fmt.Sprint(method, route.Path, answer.status)) {
		return
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: parameters, Route: route,
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeRequestBody: !strings.HasPrefix(header.Get("Content-Type"), "application/json")},
	}
	if answer.status < http.StatusBadRequest {
		require.NoError(i.t, openapi3filter.ValidateRequest(i.t.Context(), input), "%s %s", method, path)
	}
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: answer.status, Header: answer.header,
		Body: io.NopCloser(bytes.NewReader(answer.body)), Options: input.Options,
	}
	require.NoError(i.t, openapi3filter.ValidateResponse(i.t.Context(), output), "%s %s\n%s", method, path, answer.body)
}

func TestEveryRouteKeepsItsContract(t *testing.T) {
	t.Parallel()
	s := start(t, t.TempDir())
	s.ingest("orders", orders)
	for _, path := range []string{"/v1/openapi.json", "/v1/streams", "/v1/streams/orders", "/livez", "/readyz", "/version"} {
		require.Equal(t, http.StatusOK, s.do(http.MethodGet, path, "").status, path)
	}
	for _, format := range []string{"json", "ndjson", "csv"} {
		path := "/v1/sql?max_rows=2&bigint=string&format=" + format
		require.Equal(t, http.StatusOK, s.do(http.MethodPost, path, "SELECT * FROM orders").status, format)
		require.Equal(t, http.StatusOK, s.do(http.MethodGet, path+"&q=SELECT+1", "").status, format)
	}
	answer := s.do(http.MethodPost, "/v1/sql", `{"sql":"SELECT $1, :name, :from","params":{"name":null},"from":"x","timeout":"5s","max_rows":3}`,
		"Content-Type", "application/json")
	require.Equal(t, http.StatusBadRequest, answer.status, "$1 has no value")
	answer = s.do(http.MethodPost, "/v1/sql", `{"sql":"SELECT $1 AS a","params":[1.5],"timezone":"UTC","wait":true}`, "Content-Type", "application/json")
	require.Equal(t, http.StatusOK, answer.status, string(answer.body))
	s.seal("orders")
}
