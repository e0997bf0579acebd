package api

import (
	"net/http"
	"net/http/pprof"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/spill"
)

// Metrics are the server's Prometheus metrics.
type Metrics struct {
	Registry *prometheus.Registry

	requests     *prometheus.HistogramVec
	accepted     *prometheus.CounterVec
	rejected     *prometheus.CounterVec
	duplicates   *prometheus.CounterVec
	replayed     *prometheus.CounterVec
	queries      *prometheus.CounterVec
	querySeconds prometheus.Histogram
	rowsScanned  prometheus.Counter
	bytesScanned prometheus.Counter
	syncSeconds  prometheus.Histogram
	syncRequests prometheus.Counter
	sealSeconds  prometheus.Histogram
	sealedRows   prometheus.Counter

	compactSeconds  *prometheus.HistogramVec
	compactRows     *prometheus.CounterVec
	compactFailures prometheus.Counter
	compactBacklog  prometheus.Gauge
	ingest          atomic.Pointer[IngestState]
	retentionHeld   prometheus.Gauge
}

// NewMetrics registers the metrics, with those of the process and the Go runtime, in a registry of their own.
func NewMetrics() *Metrics {
	latency := prometheus.ExponentialBuckets(0.0001, 2.5, 14)
	m := &Metrics{
		Registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tidemark_http_request_seconds", Help: "Time from a request's header to the end of its answer.", Buckets: latency,
		}, []string{"method", "route", "status"}),
		accepted:   prometheus.NewCounterVec(counter("tidemark_ingest_rows_total", "Rows acknowledged."), []string{"stream"}),
		rejected:   prometheus.NewCounterVec(counter("tidemark_ingest_rejected_rows_total", "Rows turned away."), []string{"stream"}),
		duplicates: prometheus.NewCounterVec(counter("tidemark_ingest_duplicate_rows_total", "Rows sent again that were stored already."), []string{"stream"}),
		replayed: prometheus.NewCounterVec(counter("tidemark_ingest_replayed_rows_total",
			"Rejected rows sent again by tidemark replay-rejected, by what became of them."), []string{"stream", "outcome"}),
		queries:      prometheus.NewCounterVec(counter("tidemark_queries_total", "SQL requests answered, by outcome."), []string{"outcome"}),
		querySeconds: prometheus.NewHistogram(histogram("tidemark_query_seconds", "Time to answer a SQL request.", latency)),
		rowsScanned:  prometheus.NewCounter(counter("tidemark_query_rows_scanned_total", "Rows read by queries.")),
		bytesScanned: prometheus.NewCounter(counter("tidemark_query_bytes_scanned_total", "Bytes decoded by queries.")),
		syncSeconds:  prometheus.NewHistogram(histogram("tidemark_log_sync_seconds", "Time of one sync of a log.", latency)),
		syncRequests: prometheus.NewCounter(counter("tidemark_log_sync_requests_total", "Requests made durable by syncs.")),
		sealSeconds:  prometheus.NewHistogram(histogram("tidemark_seal_seconds", "Time to make one segment.", latency)),
		sealedRows:   prometheus.NewCounter(counter("tidemark_sealed_rows_total", "Rows moved into segments.")),
	}
	m.addCompaction()
	m.Registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.requests, m.accepted, m.rejected, m.duplicates, m.replayed, m.queries, m.querySeconds, m.rowsScanned, m.bytesScanned,
		m.syncSeconds, m.syncRequests, m.sealSeconds, m.sealedRows)
	m.registerIngest()
	return m
}

func counter(name, help string) prometheus.CounterOpts {
	return prometheus.CounterOpts{Name: name, Help: help}
}

func histogram(name, help string, buckets []float64) prometheus.HistogramOpts {
	return prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}
}

// IngestState is what the metrics show of the ingest side as it is now.
type IngestState struct {
	// Reading is how many bytes of memory bodies of events take while they are read, and Pending those that events take which wait to be on disk.
	Reading, Pending func() int64
	// RequestBytes is what the keys of requests take, and RowBytes what those of rows take.
	RequestBytes, RowBytes func() int64
	// Forgotten counts chunks of requests that were forgotten early.
	Forgotten func() int64
	// Quarantined is how many offsets damage has taken.
	Quarantined func() int64
	// DiskFree is how many bytes the disk has left, and Failed how many partitions take no rows until a restart.
	DiskFree, Failed func() int64
}

// WatchIngest sets where those numbers come from.
func (m *Metrics) WatchIngest(d IngestState) { m.ingest.Store(&d) }

// ScrubState is what the metrics show of the reading of files for damage.
type ScrubState interface {
	Bytes() int64
	Passes() int64
}

// WatchScrub registers how far files are read, and how many were found damaged.
func (m *Metrics) WatchScrub(s ScrubState, damaged func() int) {
	m.Registry.MustRegister(
		prometheus.NewCounterFunc(counter("tidemark_scrub_bytes_total", "Bytes of files read to find damage."),
			func() float64 { return float64(s.Bytes()) }),
		prometheus.NewCounterFunc(counter("tidemark_scrub_passes_total", "Times that all files were read to find damage."),
			func() float64 { return float64(s.Passes()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tidemark_damaged_files", Help: "Files known to be damaged or missing."},
			func() float64 { return float64(damaged()) }))
}

// WatchViews registers how many views have stopped, and what is kept for them.
func (m *Metrics) WatchViews(stopped, held func() int64) {
	m.Registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tidemark_views_stopped", Help: "Views that have failed or are paused."},
			func() float64 { return float64(stopped()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "tidemark_view_held_bytes", Help: "Changes of views that are kept for others that have failed or are paused.",
		}, func() float64 { return float64(held()) }))
}

// registerIngest registers metrics that are 0 before WatchIngest.
func (m *Metrics) registerIngest() {
	read := func(pick func(*IngestState) func() int64) func() float64 {
		return func() float64 {
			if d := m.ingest.Load(); d != nil {
				return float64(pick(d)())
			}
			return 0
		}
	}
	gauge := func(name, help string) prometheus.GaugeOpts { return prometheus.GaugeOpts{Name: name, Help: help} }
	m.Registry.MustRegister(
		prometheus.NewGaugeFunc(gauge("tidemark_ingest_reading_bytes", "Memory that bodies of events take while they are read."),
			read(func(d *IngestState) func() int64 { return d.Reading })),
		prometheus.NewGaugeFunc(gauge("tidemark_ingest_pending_bytes", "Memory that events take which wait to be on disk."),
			read(func(d *IngestState) func() int64 { return d.Pending })),
		prometheus.NewGaugeFunc(gauge("tidemark_dedup_bytes", "Memory for the keys of requests that may be repeated."),
			read(func(d *IngestState) func() int64 { return d.RequestBytes })),
		prometheus.NewGaugeFunc(gauge("tidemark_dedup_key_bytes", "Memory for the keys of rows under DEDUP KEY."),
			read(func(d *IngestState) func() int64 { return d.RowBytes })),
		prometheus.NewGaugeFunc(gauge("tidemark_quarantined_offsets", "Offsets of logs that damage has taken."),
			read(func(d *IngestState) func() int64 { return d.Quarantined })),
		prometheus.NewGaugeFunc(gauge("tidemark_disk_free_bytes", "Space left on the disk of the data directory."),
			read(func(d *IngestState) func() int64 { return d.DiskFree })),
		prometheus.NewGaugeFunc(gauge("tidemark_failed_partitions", "Partitions that take no rows until a restart, as a write or a sync has failed."),
			read(func(d *IngestState) func() int64 { return d.Failed })),
		prometheus.NewCounterFunc(counter("tidemark_dedup_forgotten_total", "Chunks of keyed requests forgotten early for want of dedup_memory."),
			read(func(d *IngestState) func() int64 { return d.Forgotten })))
}

func (m *Metrics) request(r route, status int, took time.Duration) {
	m.requests.WithLabelValues(r.method, r.path, strconv.Itoa(status)).Observe(took.Seconds())
}

// ingested counts rows by stream. A stream that does not exist has no series: a client could make any number of them.
func (m *Metrics) ingested(summary ingest.Summary) {
	if !summary.Known {
		return
	}
	m.accepted.WithLabelValues(summary.Stream).Add(float64(summary.Accepted))
	m.rejected.WithLabelValues(summary.Stream).Add(float64(summary.Rejected))
	m.duplicates.WithLabelValues(summary.Stream).Add(float64(summary.Duplicates))
}

// replays counts a request of rows that had been rejected.
func (m *Metrics) replays(summary ingest.Summary) {
	if !summary.Known {
		return
	}
	for outcome, rows := range map[string]int64{"accepted": summary.Accepted, "rejected": summary.Rejected, "duplicate": summary.Duplicates} {
		m.replayed.WithLabelValues(summary.Stream, outcome).Add(float64(rows))
	}
}

func (m *Metrics) queried(stats exec.Stats, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(asFault(err).Code)
	}
	m.queries.WithLabelValues(outcome).Inc()
	m.querySeconds.Observe(took.Seconds())
	m.rowsScanned.Add(float64(stats.RowsScanned))
	m.bytesScanned.Add(float64(stats.BytesScanned))
}

// Queries registers what the queries that run now hold; space may be nil.
func (m *Metrics) Queries(pool *exec.Pool, space *spill.Space) {
	gauge := func(name, help string, value func() int64) {
		m.Registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) }))
	}
	gauge("tidemark_query_memory_bytes", "Memory granted to running queries.", pool.Held)
	gauge("tidemark_query_memory_limit_bytes", "Memory that all queries share.", pool.Limit)
	gauge("tidemark_queries_running", "Queries that run.", func() int64 { return int64(pool.Running()) })
	gauge("tidemark_queries_waiting", "Queries that wait for others to end.", func() int64 { return int64(pool.Waiting()) })
	if space == nil {
		return
	}
	gauge("tidemark_query_spill_bytes", "Temporary files of running queries.", space.Used)
	m.Registry.MustRegister(prometheus.NewCounterFunc(
		counter("tidemark_query_spilled_bytes_total", "Bytes that queries wrote to temporary files."),
		func() float64 { return float64(space.Written()) }))
}

// WatchSegments registers what making segments may take now, and at most, in bytes.
func (m *Metrics) WatchSegments(memory func() (held, limit int64)) {
	m.Registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tidemark_segment_memory_bytes", Help: "Memory granted to seals and merges under way."},
			func() float64 { held, _ := memory(); return float64(held) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "tidemark_segment_memory_limit_bytes", Help: "Memory that seals and merges share."},
			func() float64 { _, limit := memory(); return float64(limit) }))
}

// Synced notes one sync of a log.
func (m *Metrics) Synced(took time.Duration, requests int) {
	m.syncSeconds.Observe(took.Seconds())
	m.syncRequests.Add(float64(requests))
}

// Sealed notes one segment made.
func (m *Metrics) Sealed(rows int64, took time.Duration) {
	m.sealSeconds.Observe(took.Seconds())
	m.sealedRows.Add(float64(rows))
}

func (m *Metrics) addCompaction() {
	m.compactSeconds = prometheus.NewHistogramVec(
		histogram("tidemark_compaction_seconds", "Time to merge, archive or drop segments once.", prometheus.ExponentialBuckets(0.001, 4, 10)),
		[]string{"action"})
	m.compactRows = prometheus.NewCounterVec(
		counter("tidemark_compaction_rows_total", "Rows of segments that were merged, archived or dropped."), []string{"action"})
	m.compactFailures = prometheus.NewCounter(counter("tidemark_compaction_failures_total", "Merges and the like that failed and are tried again."))
	m.compactBacklog = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tidemark_compaction_backlog_segments", Help: "Segments that wait to be merged.",
	})
	m.retentionHeld = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tidemark_retention_held", Help: "1 while nothing expires because the clock has jumped.",
	})
	m.Registry.MustRegister(m.retentionHeld, m.compactSeconds, m.compactRows, m.compactFailures, m.compactBacklog)
}

// Compacted notes that segments of so many rows were worked on, or that it failed.
func (m *Metrics) Compacted(action string, rows int64, took time.Duration, err error) {
	if err != nil {
		m.compactFailures.Inc()
		return
	}
	m.compactSeconds.WithLabelValues(action).Observe(took.Seconds())
	m.compactRows.WithLabelValues(action).Add(float64(rows))
}

// LookedAt notes how many segments wait to be merged, and whether expired ones are kept because of the clock.
func (m *Metrics) LookedAt(backlog int, retentionHeld bool) {
	m.compactBacklog.Set(float64(backlog))
	m.retentionHeld.Set(0)
	if retentionHeld {
		m.retentionHeld.Set(1)
	}
}

// AdminHandler serves metrics, profiles and health: what belongs on the admin listener.
func (s *Server) AdminHandler() http.Handler {
	mux := s.mux(s.adminRoutes(), elsewhere{pathsOf(s.routes()), "the main listener", s.URL, "listen"})
	mux.Handle("GET "+metricsPath, promhttp.HandlerFor(s.Metrics.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET "+profilesPath, pprof.Index)
	mux.HandleFunc("GET "+profilesPath+"profile", pprof.Profile)
	mux.HandleFunc("GET "+profilesPath+"symbol", pprof.Symbol)
	mux.HandleFunc("GET "+profilesPath+"trace", pprof.Trace)
	return s.guard(mux)
}

const (
	metricsPath  = "/metrics"
	profilesPath = "/debug/pprof/"
)

func (s *Server) adminRoutes() []route {
	return []route{
		{"GET", "/livez", s.getLive, nil},
		{"GET", "/readyz", s.getReady, nil},
		{"POST", "/retention/confirm", s.postConfirm, none},
		{"POST", "/quarantine/{stream}/accept", s.postAccept, none},
		{"POST", "/backup", s.postBackup, none},
		{"GET", "/backup/{id}/files/{name...}", s.getBackupFile, none},
		{"DELETE", "/backup/{id}", s.deleteBackup, none},
	}
}
