// Package api answers HTTP: ingest, SQL, and the state of the server.
//
// It translates between the wire and the packages below and decides nothing itself: rows go to package ingest, statements to a
// Runner. Every answer that is not a success is an RFC 9457 problem document. Requests that a web page of another
// origin could have sent are refused before anything is read. Handlers may run concurrently.
package api

import (
	"context"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// Request is SQL to be run.
type Request struct {
	// ID names the request in answers, in the list of queries and in logs.
	ID     string
	SQL    string
	Params bind.Params
	// Wait lets a query wait until the views that it reads have taken all that was acknowledged before the request.
	Wait bool
	// AllowCorrupt lets a query go on without rows that damage has taken.
	AllowCorrupt bool
	// ReadOnly refuses statements that change anything.
	ReadOnly bool
}

// Rows is the answer to a statement, as a stream of batches that ends with io.EOF. Stats are complete after the end. The reader closes it.
type Rows interface {
	Columns() []plan.Column
	Next() (*exec.Batch, error)
	Stats() exec.Stats
	Close() error
}

// Runner runs SQL. It returns the rows of the last statement.
type Runner interface {
	Run(ctx context.Context, request Request) (Rows, error)
}

// StreamState describes one stream to clients.
type StreamState struct {
	Definition *catalog.Stream
	// Rows counts what queries see, SealedRows and Segments what of that lies in Parquet files.
	Rows, SealedRows, Bytes int64
	Segments                int
}

// Server is the HTTP side of a running Tidemark. All fields must be set, but for Spool.
type Server struct {
	Ingest *ingest.Engine
	Runner Runner
	// Feeds begins to follow the answer of a query.
	Feeds   func(ctx context.Context, request FeedRequest) (Feed, error)
	Streams func() []StreamState
	// NotReady lists why the server cannot do all of its work; empty when it can.
	NotReady func() []string
	// Failed hears of every request that was refused or failed; queryID is empty where it was none for SQL.
	Failed  func(route, queryID string, status int, fault *event.Error)
	Metrics *Metrics
	Logger  *slog.Logger
	Now     func() time.Time
	Version string
	// URL and AdminURL give where the two listeners answer, once they do; empty for one that is not there.
	URL, AdminURL func() string
	// Host is the host name or address that the server listens on: one that requests may name beside the loopback ones.
	Host string
	// MaxRows is how many rows a result has at most unless the request says otherwise; Timeout likewise, 0 for none.
	MaxRows int64
	Timeout time.Duration
	// ConfirmClock lets retention go on after the clock has jumped, and reports whether it was stopped.
	ConfirmClock func() (wasHeld bool, err error)
	// AcceptLoss lets queries go on without what damage has taken of a stream, and gives what that is.
	AcceptLoss func(stream string) ([]catalog.Quarantine, error)
	// Backups is what the routes of backups speak to.
	Backups Backups
	// Spool keeps on disk what of a body has to be there before it can be read and is too much for memory; nil where there is no such place.
	Spool *spill.Space
	// Stopping is closed when the server begins to stop: requests that wait for something to happen then end.
	Stopping <-chan struct{}
}

// route is one entry of the table of routes.
type route struct {
	method, path string
	handle       func(http.ResponseWriter, *http.Request) error
	// parameters are what the query of the address may have; nil takes any.
	parameters []string
}

func (s *Server) routes() []route {
	return []route{
		{"POST", "/v1/streams/{stream}/events", s.postEvents, ingestParameters()},
		{"GET", "/v1/streams/{stream}/events", s.getEvents, consumeParameters},
		{"POST", "/v1/streams/{stream}/seal", s.postSeal, none},
		{"GET", "/v1/streams", s.getStreams, none},
		{"GET", "/v1/streams/{stream}", s.getStream, none},
		{"POST", "/v1/sql", s.postSQL, knownParameters(http.MethodPost)},
		{"GET", "/v1/sql", s.getSQL, knownParameters(http.MethodGet)},
		{"POST", "/v1/subscribe", s.postSubscribe, feedParameters},
		{"GET", "/v1/subscribe", s.getSubscribe, append([]string{"q"}, feedParameters...)},
		{"POST", "/write", s.postInflux, nil},
		{"POST", "/api/v2/write", s.postInflux, nil},
		{"POST", "/api/v3/write_lp", s.postInflux3, nil},
		{"GET", "/ping", s.getPing, nil},
		{"GET", "/health", s.getInfluxHealth, nil},
		{"GET", "/query", s.influxQL, nil},
		{"POST", "/query", s.influxQL, nil},
		{"POST", "/_bulk", s.postBulk, nil},
		{"PUT", "/_bulk", s.postBulk, nil},
		{"POST", "/{index}/_bulk", s.postBulk, nil},
		{"PUT", "/{index}/_bulk", s.postBulk, nil},
		{"POST", "/{index}/_doc", s.postDoc, nil},
		{"PUT", "/{index}/_doc/{id}", s.postDoc, nil},
		{"POST", "/{index}/_doc/{id}", s.postDoc, nil},
		{"PUT", "/{index}/_create/{id}", s.postDoc, nil},
		{"POST", "/{index}/_create/{id}", s.postDoc, nil},
		{"GET", "/_refresh", s.elasticRefresh, nil},
		{"POST", "/_refresh", s.elasticRefresh, nil},
		{"GET", "/{index}/_refresh", s.elasticRefresh, nil},
		{"POST", "/{index}/_refresh", s.elasticRefresh, nil},
		{"GET", "/{$}", s.getElastic, nil},
		{"GET", "/_cluster/health", s.getElasticHealth, nil},
		{"GET", "/_license", s.getElasticLicense, nil},
		{"POST", "/v1/logs", s.postLogs, nil},
		{"POST", "/v1/metrics", s.postMetrics, nil},
		{"POST", "/v1/traces", s.postTraces, nil},
		{"GET", "/v1/openapi.json", s.getOpenAPI, none},
		{"GET", "/livez", s.getLive, nil},
		{"GET", "/readyz", s.getReady, nil},
		{"GET", "/version", s.getVersion, nil},
	}
}

// Handler serves the public routes.
func (s *Server) Handler() http.Handler {
	return s.guard(s.mux(s.routes(), elsewhere{append(pathsOf(s.adminRoutes()), metricsPath, profilesPath), "the admin listener", s.AdminURL, "admin_listen"}))
}

// elsewhere is the other listener, which people mistake for this one.
type elsewhere struct {
	paths  []string
	name   string
	url    func() string
	option string
}

func pathsOf(routes []route) (out []string) {
	for _, r := range routes {
		out = append(out, r.path)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// knows reports whether a request is for one of the other listener's paths. They are matched by themselves: patterns of the two listeners may
// cover the same path without one being the narrower.
func (e elsewhere) knows() func(*http.Request) bool {
	mux := http.NewServeMux()
	for _, path := range e.paths {
		mux.HandleFunc(path, e.answer)
	}
	return func(r *http.Request) bool {
		_, pattern := mux.Handler(r)
		return pattern != ""
	}
}

// answer says where the path is to be asked for.
func (e elsewhere) answer(w http.ResponseWriter, r *http.Request) {
	fault := event.Errorf(event.CodeNotFound, "%s is not on this listener, but on %s", r.URL.Path, e.name)
	if url := e.url(); url != "" {
		fault = fault.WithHint("send it to %s; the option %s sets that address, and only programs on the server's machine reach a loopback one", url, e.option)
	}
	writeProblem(w, fault)
}

// mux serves a table of routes. A known path with another method, one of the other listener and an unknown path are answered by problems too.
func (s *Server) mux(routes []route, other elsewhere) *http.ServeMux {
	mux := http.NewServeMux()
	methods := map[string][]string{}
	for _, r := range routes {
		mux.Handle(r.method+" "+r.path, s.instrument(r))
		methods[r.path] = append(methods[r.path], r.method)
	}
	for path, allowed := range methods {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			if ofElastic(r) {
				_ = s.notOfElastic(w, r) // a client that went away is no failure of ours
				return
			}
			allow := strings.Join(allowed, ", ")
			w.Header().Set("Allow", allow)
			writeProblem(w, event.Errorf(codeMethod, "this path takes %s only", allow))
		})
	}
	isElsewhere := other.knows()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isElsewhere(r):
			other.answer(w, r)
			return
		case strings.HasPrefix(r.URL.Path, "/api/v2/") || strings.HasPrefix(r.URL.Path, "/api/v3/"):
			_ = notOfInflux(w, r) // a client that went away is no failure of ours
			return
		case ofElastic(r):
			_ = s.notOfElastic(w, r)
			return
		}
		writeProblem(w, event.Errorf(event.CodeNotFound, "there is nothing at %s", r.URL.Path).
			WithHint("events go to /v1/streams/{stream}/events, SQL to /v1/sql"))
	})
	return mux
}

// instrument counts and times a route, and turns its error into a problem.
func (s *Server) instrument(r route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		start := s.Now()
		recorder := &statusRecorder{ResponseWriter: w}
		if err := s.guarded(r, recorder, request); err != nil {
			if recorder.status != 0 { // the answer has begun: breaking it off is the only honest end
				s.Logger.Warn("answer broken off", "path", request.URL.Path, "error", err)
				panic(http.ErrAbortHandler)
			}
			fault := asFault(err)
			writeProblem(recorder, fault)
			s.Failed(r.path, recorder.Header().Get(queryIDHeader), status(fault.Code), fault)
			if status(fault.Code) >= http.StatusInternalServerError && fault.Code != event.CodeCancelled {
				s.Logger.Error("request failed", "method", request.Method, "path", request.URL.Path, "error", err, "cause", fault.Cause)
			}
		}
		s.Metrics.request(r, recorder.status, s.Now().Sub(start))
	})
}

// guarded turns a panic of a handler into an error: a fault of ours must not take the other requests of the connection with it, nor go
// unseen.
func (s *Server) guarded(r route, w http.ResponseWriter, request *http.Request) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.Logger.Error("handler panicked", "path", request.URL.Path, "panic", fault, "stack", string(debug.Stack()))
			err = event.Errorf(event.CodeInternal, "an unexpected fault: %v", fault)
		}
	}()
	if err := checkParameters(request.URL.RawQuery, r.parameters); err != nil {
		return err
	}
	return r.handle(w, request)
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader passes the status on.
func (r *statusRecorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write passes bytes on.
func (r *statusRecorder) Write(p []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(p)
}

// FlushError sends what has been written, and with it the status.
func (r *statusRecorder) FlushError() error {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return http.NewResponseController(r.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController reach what the writer below can do.
func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
