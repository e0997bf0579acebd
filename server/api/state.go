package api

import (
	"net/http"
	"runtime"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
)

// streamAnswer describes one stream.
type streamAnswer struct {
	Name       string             `json:"name"`
	Columns    []columnAnswer     `json:"columns"`
	TimeColumn string             `json:"time_column,omitempty"`
	Partitions int                `json:"partitions"`
	SchemaMode catalog.SchemaMode `json:"schema"`
	Rows       int64              `json:"rows"`
	SealedRows int64              `json:"sealed_rows"`
	Segments   int                `json:"segments"`
	Bytes      int64              `json:"segment_bytes"`
}

type columnAnswer struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Nullable bool   `json:"nullable"`
}

func (s *Server) getStreams(w http.ResponseWriter, _ *http.Request) error {
	answers := []streamAnswer{}
	for _, state := range s.Streams() {
		answers = append(answers, describeStream(state))
	}
	return writeJSON(w, http.StatusOK, map[string][]streamAnswer{"streams": answers})
}

// followHint is for who looks for a view among streams.
const followHint = "GET /v1/streams lists them; a materialized view is followed over /v1/subscribe, or by tidemark tail -q 'SELECT * FROM name'"

func (s *Server) getStream(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("stream")
	for _, state := range s.Streams() {
		if state.Definition.Name == name {
			return writeJSON(w, http.StatusOK, describeStream(state))
		}
	}
	return event.Errorf(event.CodeNotFound, "there is no stream %q", name).WithHint("%s", followHint)
}

func describeStream(state StreamState) streamAnswer {
	d := state.Definition
	answer := streamAnswer{
		Name: d.Name, Columns: []columnAnswer{}, Partitions: d.Partitions, SchemaMode: d.SchemaMode,
		Rows: state.Rows, SealedRows: state.SealedRows, Segments: state.Segments, Bytes: state.Bytes,
	}
	for _, c := range d.Schema.Columns {
		answer.Columns = append(answer.Columns, columnAnswer{Name: c.Name, Type: c.Shown().String(), Nullable: !c.NotNull})
		if c.ID == d.Schema.TimeColumn {
			answer.TimeColumn = c.Name
		}
	}
	return answer
}

// getLive answers as long as the process does.
func (s *Server) getLive(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"status": "live"})
}

// getReady says whether the server can do all of its work, and if not, why.
func (s *Server) getReady(w http.ResponseWriter, _ *http.Request) error {
	if reasons := s.NotReady(); len(reasons) > 0 {
		return writeJSON(w, http.StatusServiceUnavailable, map[string]any{"status": "not ready", "reasons": reasons})
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// postConfirm takes the clock as right, so that what it says has expired is dropped.
func (s *Server) postConfirm(w http.ResponseWriter, _ *http.Request) error {
	wasHeld, err := s.ConfirmClock()
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]bool{"was_held": wasHeld})
}

func (s *Server) getVersion(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, map[string]string{"version": s.Version, "go": runtime.Version()})
}

// postAccept says that what damage has taken of a stream is lost for good: queries no longer fail for it.
func (s *Server) postAccept(w http.ResponseWriter, r *http.Request) error {
	lost, err := s.AcceptLoss(r.PathValue("stream"))
	if err != nil {
		return err
	}
	if lost == nil {
		lost = []catalog.Quarantine{}
	}
	s.Logger.Warn("a loss was accepted", "stream", r.PathValue("stream"), "ranges", len(lost))
	return writeJSON(w, http.StatusOK, map[string][]catalog.Quarantine{"accepted": lost})
}
