package api

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode"
	"github.com/tidemarkdb/tidemark/ingest/decode/bulkbody"
)

// docAnswer is the answer to a single document that is stored. Rows are never replaced, so version and sequence are those of any first version.
type docAnswer struct {
	Index   string         `json:"_index"`
	ID      string         `json:"_id"`
	Version int            `json:"_version"`
	Result  string         `json:"result"`
	Shards  map[string]int `json:"_shards"`
	SeqNo   int            `json:"_seq_no"`
	Term    int            `json:"_primary_term"`
}

// postDoc takes one row as Elasticsearch's index API does. It has the id of the address in the column _id, or one that is made for it.
func (s *Server) postDoc(w http.ResponseWriter, r *http.Request) error {
	elasticHeader(w)
	id := r.PathValue("id")
	if id == "" {
		id = rand.Text()
	}
	refused, err := s.takeDoc(w, r, id)
	if err != nil {
		return elasticError(w, asFault(err), "")
	}
	if refused != "" {
		return writeJSON(w, http.StatusBadRequest, elasticProblem(elasticFault{"document_parsing_exception", refused}, http.StatusBadRequest))
	}
	return writeJSON(w, http.StatusCreated, docAnswer{
		Index: r.PathValue("index"), ID: id, Version: 1, Result: "created", Shards: map[string]int{"total": 1, "successful": 1, "failed": 0}, Term: 1,
	})
}

// takeDoc takes the body in as a bulk request of one item would be, and gives why the row is refused.
func (s *Server) takeDoc(w http.ResponseWriter, r *http.Request, id string) (refused string, err error) {
	body, err := s.openBody(w, r, "", 2*decode.MaxRowBytes)
	if err != nil {
		return "", err
	}
	defer body.close()
	if err := body.account.hold(2 * decode.MaxRowBytes); err != nil {
		return "", err
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return "", err
	}
	var row bytes.Buffer
	if err := json.Compact(&row, text); err != nil {
		return "not JSON: " + err.Error(), nil
	}
	action, err := json.Marshal(map[string]map[string]string{"index": {"_index": r.PathValue("index"), "_id": id}})
	if err != nil {
		return "", err
	}
	in, err := s.newIntake(w, r, ingest.BodyOptions{
		TimeColumn: r.URL.Query().Get("time"), Rejected: func(e ingest.RowError) { refused = e.Reason },
	})
	if err != nil {
		return "", err
	}
	lines := io.MultiReader(bytes.NewReader(append(action, '\n')), &row)
	failure := feedParts(r, in, bulkbody.NewReader(lines, bulkbody.Options{Hold: body.account.hold}), body)
	_, err = in.finish(r.Context())
	var fault *event.Error
	if err = errors.Join(failure, err); errors.As(err, &fault) && fault.Code == event.CodeRejected {
		err = nil
	}
	return refused, err
}
