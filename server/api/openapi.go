package api

import (
	_ "embed"
	"net/http"
)

// openAPI describes every public route. Tests hold it equal to the table of routes and check the running server against it.
//
//go:embed openapi.json
var openAPI []byte

// getOpenAPI answers with the description of the API.
func (s *Server) getOpenAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(openAPI)
	return err
}
