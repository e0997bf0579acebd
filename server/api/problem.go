package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
)

// codeMethod is used by the router alone.
const codeMethod event.Code = "method_not_allowed"

// statuses maps each code to its HTTP status.
var statuses = map[event.Code]int{
	codeMethod:                http.StatusMethodNotAllowed,
	event.CodeBadRequest:      http.StatusBadRequest,
	event.CodeSyntax:          http.StatusBadRequest,
	event.CodeUnknownColumn:   http.StatusBadRequest,
	event.CodeAmbiguousColumn: http.StatusBadRequest,
	event.CodeUnknownFunction: http.StatusBadRequest,
	event.CodeTypeMismatch:    http.StatusBadRequest,
	event.CodeInvalidValue:    http.StatusBadRequest,
	event.CodeNotSupported:    http.StatusBadRequest,
	event.CodeRejected:        http.StatusBadRequest,
	event.CodeBatchRejected:   http.StatusBadRequest,
	event.CodeNotFound:        http.StatusNotFound,
	event.CodeAlreadyExists:   http.StatusConflict,
	event.CodeConflict:        http.StatusConflict,
	event.CodeReadOnly:        http.StatusMethodNotAllowed,
	event.CodeForbidden:       http.StatusForbidden,
	event.CodeMediaType:       http.StatusUnsupportedMediaType,
	event.CodeTooLarge:        http.StatusRequestEntityTooLarge,
	event.CodeTooBusy:         http.StatusTooManyRequests,
	event.CodeMemoryLimit:     http.StatusUnprocessableEntity,
	event.CodeTimeout:         http.StatusGatewayTimeout,
	event.CodeCancelled:       http.StatusServiceUnavailable,
	event.CodeDiskFull:        http.StatusInsufficientStorage,
	event.CodeCorrupt:         http.StatusInternalServerError,
	event.CodeClosed:          http.StatusServiceUnavailable,
	event.CodeInternal:        http.StatusInternalServerError,
}

func status(code event.Code) int {
	if s, ok := statuses[code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// problem is the document of RFC 9457, with our members.
type problem struct {
	Type     string          `json:"type"`
	Title    string          `json:"title"`
	Status   int             `json:"status"`
	Detail   string          `json:"detail"`
	Code     event.Code      `json:"code"`
	Position *event.Position `json:"position,omitempty"`
	Hint     string          `json:"hint,omitempty"`
	// Ingest is set where rows were taken or rejected before the failure.
	*ingestAnswer
}

// asFault finds the coded error behind err.
func asFault(err error) *event.Error {
	var fault *event.Error
	coded, full := errors.As(err, &fault), vfs.Full(err)
	switch {
	case coded && (!full || fault.Code == event.CodeDiskFull):
		return fault
	case full: // whatever stopped for it, this is what can be helped
		return event.Errorf(event.CodeDiskFull, "the disk is full: %s", err.Error()).
			WithHint("free some space in the data directory's file system, then restart the server if it is not ready")
	case errors.Is(err, context.DeadlineExceeded):
		return event.Errorf(event.CodeTimeout, "the time allowed for this request is over")
	case errors.Is(err, context.Canceled):
		return event.Errorf(event.CodeCancelled, "the request was cancelled")
	default:
		return event.Errorf(event.CodeInternal, "%s", err.Error())
	}
}

func newProblem(fault *event.Error) problem {
	code := status(fault.Code)
	return problem{
		Type: "urn:tidemark:problem:" + string(fault.Code), Title: http.StatusText(code), Status: code,
		Detail: fault.Detail, Code: fault.Code, Position: fault.Position, Hint: fault.Hint,
	}
}

// writeProblem answers with a problem document.
func writeProblem(w http.ResponseWriter, fault *event.Error) { sendProblem(w, newProblem(fault)) }

func sendProblem(w http.ResponseWriter, p problem) {
	if p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	// A client that went away is no failure of ours.
	_ = json.NewEncoder(w).Encode(p)
}

func writeJSON(w http.ResponseWriter, code int, v any) error {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	return json.NewEncoder(w).Encode(v)
}
