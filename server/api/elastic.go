package api

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/decode/bulkbody"
)

const (
	// bulkBytes bounds a bulk request, whose answer has an entry for each item, as bulkbody.MaxItems does. Elasticsearch takes 100 MB.
	bulkBytes = 256 << 20
	// shownItems is how many items of an answer have a reason of their own.
	shownItems = 10_000
	// elasticVersion is what clients of Elasticsearch are told: they refuse to speak with versions that are too old.
	elasticVersion = "8.17.0"
)

// postBulk takes rows as Elasticsearch's bulk API does: a stream for each index. Answers and errors have the shape that its clients know.
func (s *Server) postBulk(w http.ResponseWriter, r *http.Request) error {
	start := s.Now()
	bulk, got, err := s.takeBulk(w, r)
	elasticHeader(w)
	if err != nil {
		fault := asFault(err)
		if status(fault.Code) >= http.StatusInternalServerError {
			s.Logger.Warn("bulk request broken off", "accepted", got.accepted, "error", err)
		}
		return elasticError(w, fault, storedRows(got))
	}
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriter(w)
	bulk.write(out, s.Now().Sub(start).Milliseconds(), parsePathFilter(r.URL.Query().Get("filter_path")))
	return out.Flush()
}

// elasticHeader is what clients of Elasticsearch look for before they go on.
func elasticHeader(w http.ResponseWriter) { w.Header().Set("X-Elastic-Product", "Elasticsearch") }

func storedRows(got taken) string {
	return " (" + strconv.FormatInt(got.accepted+got.duplicates, 10) + " rows are stored)"
}

// bulkAnswer is what became of a bulk request.
type bulkAnswer struct {
	reader *bulkbody.Reader
	// reasons are why items were refused, by their number; those behind shownItems have none.
	reasons map[int64]string
}

func (b *bulkAnswer) refuse(e ingest.RowError) {
	if len(b.reasons) >= shownItems {
		e.Reason = ""
	}
	b.reasons[e.Row] = e.Reason
}

// takeBulk takes the body in.
func (s *Server) takeBulk(w http.ResponseWriter, r *http.Request) (*bulkAnswer, taken, error) {
	body, err := s.openBody(w, r, "", bulkBytes)
	if err != nil {
		return nil, taken{}, err
	}
	defer body.close()
	out := &bulkAnswer{reader: bulkbody.NewReader(body, bulkbody.Options{Index: r.PathValue("index"), Hold: body.account.hold}), reasons: map[int64]string{}}
	in, err := s.newIntake(w, r, ingest.BodyOptions{TimeColumn: r.URL.Query().Get("time"), Rejected: out.refuse})
	if err != nil {
		return nil, taken{}, err
	}
	failure := feedParts(r, in, out.reader, body)
	got, err := in.finish(r.Context())
	return out, got, errors.Join(failure, err)
}

// bulkItem is an item of the answer.
type bulkItem struct {
	Index  *string       `json:"_index,omitempty"`
	Result string        `json:"result,omitempty"`
	Status int           `json:"status,omitempty"`
	Error  *elasticFault `json:"error,omitempty"`
}

type elasticFault struct {
	Type   string `json:"type,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// write answers with an entry for each item, and of all that what the filter wants. Errors of a client that went away come with the flush.
func (b *bulkAnswer) write(out *bufio.Writer, took int64, filter pathFilter) {
	begin := byte('{')
	member := func(name, value string) {
		_ = out.WriteByte(begin)
		_, _ = out.WriteString(`"` + name + `":` + value)
		begin = ','
	}
	if filter.wants("took") {
		member("took", strconv.FormatInt(took, 10))
	}
	if filter.wants("errors") {
		member("errors", strconv.FormatBool(len(b.reasons) > 0))
	}
	if b.writeItems(out, begin, filter) {
		begin = ','
	}
	if begin == '{' {
		_ = out.WriteByte(begin)
	}
	_, _ = out.WriteString("}\n")
}

// writeItems writes the entries, and reports whether there was one, or would be without a filter.
func (b *bulkAnswer) writeItems(out *bufio.Writer, begin byte, filter pathFilter) (wrote bool) {
	open := string(begin) + `"items":[`
	if len(filter) == 0 {
		_, _ = out.WriteString(open)
		open, wrote = "", true
	}
	type kind struct {
		action bulkbody.Action
		index  uint32
	}
	stored := map[kind][]byte{} // by far the most frequent entries
	for i, item := range b.reader.Items() {
		index := b.reader.Indexes()[item.Index]
		reason, refused := b.reasons[int64(i)]
		entry, known := stored[kind{item.Action, item.Index}]
		switch {
		case refused:
			entry = filteredItem(item.Action, refusedItem(index, reason), filter)
		case !known:
			entry = filteredItem(item.Action, bulkItem{Index: &index, Result: "created", Status: http.StatusCreated}, filter)
			stored[kind{item.Action, item.Index}] = entry
		}
		if len(entry) == 0 {
			continue
		}
		_, _ = out.WriteString(open)
		_, _ = out.Write(entry)
		open, wrote = ",", true
	}
	if wrote {
		_ = out.WriteByte(']')
	}
	return wrote
}

// filteredItem is an entry with the members that the filter wants; nil if it wants none.
func filteredItem(action bulkbody.Action, item bulkItem, filter pathFilter) []byte {
	wants := func(names ...string) bool {
		return filter.wants(append([]string{"items", action.String()}, names...)...)
	}
	if !wants("_index") {
		item.Index = nil
	}
	if !wants("result") {
		item.Result = ""
	}
	if !wants("status") {
		item.Status = 0
	}
	if item.Error != nil {
		if !wants("error", "type") {
			item.Error.Type = ""
		}
		if !wants("error", "reason") {
			item.Error.Reason = ""
		}
		if *item.Error == (elasticFault{}) {
			item.Error = nil
		}
	}
	if item == (bulkItem{}) {
		return nil
	}
	entry, _ := json.Marshal(map[string]bulkItem{action.String(): item}) // always possible
	return entry
}

func refusedItem(index, reason string) bulkItem {
	if reason == "" {
		reason = "as others before it: the stream of rejected rows says why"
	}
	return bulkItem{Index: &index, Status: http.StatusBadRequest, Error: &elasticFault{Type: "document_parsing_exception", Reason: reason}}
}

// elasticError answers with an error of Elasticsearch's shape.
func elasticError(w http.ResponseWriter, fault *event.Error, note string) error {
	code := status(fault.Code)
	if code == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	return writeJSON(w, code, elasticProblem(elasticFault{elasticType(fault.Code), fault.Error() + note}, code))
}

// getElastic tells clients of Elasticsearch, which ask first, that they may go on.
func (s *Server) getElastic(w http.ResponseWriter, _ *http.Request) error {
	elasticHeader(w)
	type version struct {
		Number string `json:"number"`
		Flavor string `json:"build_flavor"`
	}
	return writeJSON(w, http.StatusOK, struct {
		Name    string  `json:"name"`
		Cluster string  `json:"cluster_name"`
		Version version `json:"version"`
		Tagline string  `json:"tagline"`
	}{"tidemark " + s.Version, "tidemark", version{elasticVersion, "default"}, "You Know, for Search"})
}

// getElasticHealth answers what is asked before a sink of Elasticsearch begins.
func (s *Server) getElasticHealth(w http.ResponseWriter, _ *http.Request) error {
	elasticHeader(w)
	health := "green"
	if len(s.NotReady()) > 0 {
		health = "red"
	}
	return writeJSON(w, http.StatusOK, map[string]any{"cluster_name": "tidemark", "status": health, "timed_out": false, "number_of_nodes": 1})
}

// getElasticLicense answers Elastic's own agents, which send to no server without a licence.
func (s *Server) getElasticLicense(w http.ResponseWriter, _ *http.Request) error {
	elasticHeader(w)
	return writeJSON(w, http.StatusOK, map[string]any{"license": map[string]string{"type": "basic", "status": "active", "mode": "basic"}})
}

// elasticRefresh answers clients that ask to see what they stored, which they do anyway.
func (s *Server) elasticRefresh(w http.ResponseWriter, _ *http.Request) error {
	elasticHeader(w)
	return writeJSON(w, http.StatusOK, map[string]any{"_shards": map[string]int{"total": 1, "successful": 1, "failed": 0}})
}

func openBulk(src io.Reader, _ url.Values, in *ingest.Body) (chunks, error) {
	return &partChunks{reader: bulkbody.NewReader(src, bulkbody.Options{Stream: in.Name(), Hold: holdOf(src)})}, nil
}
