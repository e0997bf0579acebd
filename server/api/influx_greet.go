package api

import (
	"net/http"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// getPing answers clients that ask whether an InfluxDB is there.
func (s *Server) getPing(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// getInfluxHealth answers clients of InfluxDB 2 and 3 that ask whether it is well.
func (s *Server) getInfluxHealth(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	code, health, message := http.StatusOK, "pass", "ready for writes"
	if reasons := s.NotReady(); len(reasons) > 0 {
		code, health, message = http.StatusServiceUnavailable, "fail", strings.Join(reasons, "; ")
	}
	return writeJSON(w, code, map[string]any{"name": "influxdb", "message": message, "status": health, "checks": []string{}, "version": influxVersion})
}

// influxQL answers the statements with which clients of InfluxDB 1 begin: a database is always there. It answers no query.
func (s *Server) influxQL(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	statement := strings.Join(strings.Fields(strings.ToUpper(r.FormValue("q"))), " ")
	type series struct {
		Name    string     `json:"name"`
		Columns []string   `json:"columns"`
		Values  [][]string `json:"values"`
	}
	type result struct {
		ID     int      `json:"statement_id"`
		Series []series `json:"series,omitempty"`
	}
	answer := struct {
		Results []result `json:"results"`
	}{[]result{{}}}
	switch {
	case strings.HasPrefix(statement, "CREATE DATABASE "), strings.HasPrefix(statement, "CREATE RETENTION POLICY "):
	case strings.TrimSuffix(statement, ";") == "SHOW DATABASES":
		answer.Results[0].Series = []series{{"databases", []string{"name"}, [][]string{{"tidemark"}}}}
	default:
		fault := event.Errorf(event.CodeNotSupported, "InfluxQL is not answered: line protocol is taken, and queries are SQL").WithHint("send SQL to POST /v1/sql")
		return influxError(w, http.StatusBadRequest, fault.Code, fault.Error())
	}
	return writeJSON(w, http.StatusOK, answer)
}

// notOfInflux answers for the paths of InfluxDB that there are not.
func notOfInflux(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("X-Influxdb-Version", influxVersion)
	fault := event.Errorf(event.CodeNotFound, "there is nothing at %s", r.URL.Path).
		WithHint("line protocol goes to /api/v2/write or /api/v3/write_lp, SQL to /v1/sql")
	return influxError(w, http.StatusNotFound, fault.Code, fault.Error())
}
