package api

import (
	"net/http"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest/decode"
)

// ofElastic reports whether a request for a path that there is not is one for Elasticsearch: a part of the path is one of its names, which begin with an
// underscore, or the client says that it is one of Elastic's.
func ofElastic(r *http.Request) bool {
	if r.Header.Get("X-Elastic-Client-Meta") != "" || strings.Contains(r.Header.Get("Accept"), "vnd.elasticsearch") {
		return true
	}
	return !strings.HasPrefix(r.URL.Path, "/v1/") && elasticName(r.URL.Path) != ""
}

// elasticName is the first part of a path that begins with an underscore, such as _search.
func elasticName(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "_") {
			return part
		}
	}
	return ""
}

// elasticReasons say why what is asked for is refused, by the name in the path; "" is for any other.
var elasticReasons = map[string]string{
	"":        "of the API of Elasticsearch there are bulk requests, single documents and what clients ask first",
	"_search": "queries are SQL: send them to POST /v1/sql",
	"_create": "a row goes to PUT or POST, with its id behind _create",
	"_doc":    "a row goes to POST /{index}/_doc; rows are read by SQL, at POST /v1/sql, and neither updated nor deleted",
	"_update": "rows are only added: they are neither updated nor deleted",
	"_bulk":   "a bulk request goes to POST",
	"_index_template": "streams are made by their first rows and need no templates: switch the client's off (Filebeat: setup.template.enabled: false; " +
		"Logstash: manage_template => false)",
	"_ilm": "streams keep rows as their RETENTION says and need no lifecycles: switch the client's off (Filebeat: setup.ilm.enabled: false; " +
		"Logstash: ilm_enabled => false)",
	"_data_stream": "streams are made by their first rows and need not be made data streams",
	"_ingest":      "there are no pipelines: rows are stored as they come",
	"_nodes":       "there is one node, so there are no others to find: switch the client's sniffing off",
}

// sameReasons are names that are refused for the reason of another.
var sameReasons = map[string]string{
	"_msearch": "_search", "_count": "_search", "_mget": "_search", "_source": "_search", "_sql": "_search", "_query": "_search", "_cat": "_search",
	"_field_caps": "_search", "_async_search": "_search", "_pit": "_search", "_delete_by_query": "_update", "_update_by_query": "_update",
	"_template": "_index_template", "_component_template": "_index_template", "_mapping": "_index_template", "_settings": "_index_template",
	"_alias": "_index_template", "_aliases": "_index_template", "_lifecycle": "_ilm", "_slm": "_ilm",
}

// notOfElastic answers clients of Elasticsearch that ask for what there is not, in the shape and with the header without which they would only say that
// the server is none.
func (s *Server) notOfElastic(w http.ResponseWriter, r *http.Request) error {
	elasticHeader(w)
	if r.Method == http.MethodHead {
		w.WriteHeader(s.elasticExists(r.URL.Path))
		return nil
	}
	name := elasticName(r.URL.Path)
	if same, ok := sameReasons[name]; ok {
		name = same
	}
	reason, ok := elasticReasons[name]
	if !ok {
		reason = elasticReasons[""]
	}
	if elasticName(r.URL.Path) == "" && r.Method == http.MethodPut && strings.Count(r.URL.Path, "/") == 1 {
		reason = "a stream is made by its first rows, or by CREATE STREAM, and by no request of its own"
	}
	fault := elasticFault{"illegal_argument_exception", r.Method + " " + r.URL.Path + " is not supported: " + reason}
	return writeJSON(w, http.StatusBadRequest, elasticProblem(fault, http.StatusBadRequest))
}

// elasticExists is the status for who asks whether something is there: an index is, if its stream is.
func (s *Server) elasticExists(path string) int {
	index := strings.TrimPrefix(path, "/")
	if strings.ContainsAny(index, "/*,") || strings.HasPrefix(index, "_") {
		return http.StatusNotFound
	}
	if _, err := s.Ingest.Stream(decode.StreamName(index)); err != nil {
		return status(asFault(err).Code)
	}
	return http.StatusOK
}

// elasticAnswer is an error in Elasticsearch's shape.
type elasticAnswer struct {
	Error struct {
		Causes []elasticFault `json:"root_cause"`
		elasticFault
	} `json:"error"`
	Status int `json:"status"`
}

func elasticProblem(fault elasticFault, code int) (out elasticAnswer) {
	out.Error.Causes, out.Error.elasticFault, out.Status = []elasticFault{fault}, fault, code
	return out
}

// elasticType is what Elasticsearch calls a fault of that kind; clients go by the status.
func elasticType(code event.Code) string {
	switch code {
	case event.CodeTooBusy:
		return "es_rejected_execution_exception"
	default:
		return string(code)
	}
}
