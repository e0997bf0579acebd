// Package app builds the whole of a Tidemark server and runs it.
//
// It is the only package that knows all the others: it adapts the tail and the segments to query.Source and ingest to query.Sink, and
// runs SQL statements for the HTTP side. Start order: lock, journal, segments, recovery of the streams, then the
// listeners, so that a server which answers has recovered. Stop order is the reverse: requests under way are given time to end,
// the writers drain, nothing is sealed by force.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/ingest"
	"github.com/tidemarkdb/tidemark/ingest/seal"
	"github.com/tidemarkdb/tidemark/internal/journal"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/query/spill"
	"github.com/tidemarkdb/tidemark/segments"
	"github.com/tidemarkdb/tidemark/segments/compact"
	"github.com/tidemarkdb/tidemark/segments/manifest"
	"github.com/tidemarkdb/tidemark/server/activity"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/server/backup"
	"github.com/tidemarkdb/tidemark/server/config"
	"github.com/tidemarkdb/tidemark/server/scrub"
	"github.com/tidemarkdb/tidemark/server/system"
	"github.com/tidemarkdb/tidemark/server/views"
)

const (
	// drainTime is how long requests under way may take to end when the server stops.
	drainTime = 10 * time.Second
	// headerTime and idleTime bound what a connection costs that sends nothing.
	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	// lockTime is how long a start waits for another process to let go of the data directory.
	lockTime = 2 * time.Second
	// tailFactor is how many times the sealing size a tail may grow to while the sealer is busy.
	tailFactor = 4
)

// App is a running server.
type App struct {
	config  config.Config
	logger  *slog.Logger
	now     func() time.Time
	metrics *api.Metrics

	lock     io.Closer
	journal  *journal.Journal
	catalog  *catalog.Catalog
	manifest *manifest.Manifest
	segments *segments.Store
	ingest   *ingest.Engine
	compact  *compact.Compactor
	engine   *exec.Engine
	rewrite  func(plan.Node) (plan.Node, error) // the optimizer, whole but for tests
	tables   *system.Tables
	activity *activity.Log
	memory   shares
	pool     *exec.Pool
	backups  *backup.Keeper
	scrub    *scrub.Scrubber // nil where files are not read for damage
	spill    *spill.Space    // nil where queries have no temporary files
	views    *views.Set
	// spared are the views, once they are there, that may ask for what retention would drop.
	spared atomic.Pointer[views.Set]
	// viewLimits are the default ones but for tests.
	viewLimits views.Limits
	merged     func(string) (*catalog.Stream, bool) // the streams whose segments are merged; nil for all

	local     *localListener // nil for a server on the network
	listeners []net.Listener
	servers   []*http.Server
	serving   *errgroup.Group
	stopping  chan struct{} // closed when Close begins
	closing   sync.Once
	closeErr  error
}

// Start opens the data directory, recovers what is in it and serves. ctx bounds the start only; Close ends the server. version is
// what /version says.
func Start(ctx context.Context, c config.Config, version string, logger *slog.Logger) (*App, error) {
	return StartAt(ctx, c, version, logger, time.Now)
}

// StartAt is Start for whoever has a clock other than the machine's: what is remembered or kept for some time is asked of it.
func StartAt(ctx context.Context, c config.Config, version string, logger *slog.Logger, now func() time.Time) (*App, error) {
	a, err := openApp(c, logger, now, nil)
	if err != nil {
		return nil, err
	}
	if err := a.listen(ctx, version); err != nil {
		return nil, errors.Join(err, a.closeStore())
	}
	return a, nil
}

// openApp opens the data directory and does not listen yet. merged finds the streams whose segments are merged; nil for all.
func openApp(c config.Config, logger *slog.Logger, now func() time.Time, merged func(string) (*catalog.Stream, bool)) (*App, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	fs, err := vfs.NewReal(c.Data)
	if err != nil {
		return nil, fmt.Errorf("open data directory %s: %w", c.Data, err)
	}
	a := newApp(c, logger, now)
	a.merged = merged
	if err := a.open(fs); err != nil {
		return nil, errors.Join(err, a.closeStore())
	}
	return a, nil
}

// newApp makes what does not touch the disk.
func newApp(c config.Config, logger *slog.Logger, now func() time.Time) *App {
	a := &App{
		config: c, logger: logger, now: now, metrics: api.NewMetrics(), tables: system.New(), rewrite: optimize.Optimize, stopping: make(chan struct{}),
	}
	a.activity = activity.New(activity.Options{Kept: int(c.QueryLog), Slow: c.SlowQuery, Now: a.now, Logger: logger})
	a.addTables()
	a.memory = shareMemory(int64(c.Memory))
	return a
}

// open builds the store from the bottom up.
func (a *App) open(fs vfs.FS) (err error) {
	if a.lock, err = lock(fs); err != nil {
		return fmt.Errorf("lock data directory %s: %w", a.config.Data, err)
	}
	started := time.Now()
	a.catalog, a.manifest = catalog.New(), manifest.New()
	a.journal, err = journal.Open(fs, "journal", map[journal.Kind]journal.State{
		journal.KindStream: a.catalog, journal.KindSegment: a.manifest,
	})
	if err != nil {
		return err
	}
	a.catalog.Use(a.journal)
	if err := ingest.CheckLogs(fs, a.catalog); err != nil {
		return err
	}
	if a.segments, err = segments.Open(fs, a.journal, a.manifest, segments.Options{CacheBytes: a.memory.cache, WriteBytes: a.memory.write}); err != nil {
		return err
	}
	a.metrics.WatchSegments(a.segments.WriteMemory)
	a.compact = compact.New(a.segments, a.compactOptions()) // first: seals wake it
	if a.ingest, err = ingest.Open(fs, a.catalog, a.segments, a.ingestOptions()); err != nil {
		return err
	}
	requests, rows := a.ingest.DedupMemory(), a.ingest.RowKeyMemory()
	a.metrics.WatchIngest(api.IngestState{
		Reading: a.ingest.Reading, Pending: a.ingest.Pending,
		RequestBytes: requests.Used, RowBytes: rows.Used, Forgotten: requests.Forgotten, Quarantined: a.quarantined,
		DiskFree: a.ingest.DiskFree, Failed: a.ingest.FailedPartitions,
	})
	if err := a.openEngine(fs); err != nil {
		return err
	}
	if err := a.openViews(fs); err != nil {
		return err
	}
	if err := a.openBackups(fs); err != nil {
		return err
	}
	a.openScrub(fs)
	unsealed := int64(0)
	for _, name := range a.catalog.Names() {
		unsealed += a.ingest.Unsealed(name)
	}
	a.logger.Info("data directory is open", "data", a.config.Data, "streams", len(a.catalog.Names()), "unsealed_rows", unsealed,
		"memory", config.Bytes(a.memory.total), "took", time.Since(started).Round(time.Millisecond))
	return nil
}

// lock takes the data directory. A process that was killed a moment ago holds it until the system has cleaned up after it, so a lock that is
// held is asked for again for a while.
func lock(fs vfs.FS) (io.Closer, error) {
	deadline := time.NewTimer(lockTime)
	defer deadline.Stop()
	again := time.NewTicker(lockTime / 40)
	defer again.Stop()
	for {
		held, err := fs.Lock("LOCK")
		if !errors.Is(err, vfs.ErrLocked) {
			return held, err
		}
		select {
		case <-again.C:
		case <-deadline.C:
			return nil, err
		}
	}
}

func (a *App) ingestOptions() ingest.Options {
	return ingest.Options{
		PendingBytes: int64(a.config.IngestMemory),
		TailBytes:    tailFactor * int64(a.config.SealBytes),
		DedupBytes:   int64(a.config.DedupMemory),
		RowKeyBytes:  int64(a.config.DedupKeyMemory),
		LogFileBytes: int64(a.config.LogFile), FlushInterval: a.config.FlushInterval,
		Seal:        seal.Limits{Rows: a.config.SealRows, Bytes: int64(a.config.SealBytes), Age: a.config.SealAge},
		Now:         a.now,
		Logger:      a.logger,
		ObserveSync: a.metrics.Synced,
		ObserveSeal: func(segment *manifest.Segment, took time.Duration) {
			a.metrics.Sealed(segment.Rows, took)
			a.compact.Wake()
			a.logger.Info("sealed", "stream", segment.Stream, "file", segment.File, "rows", segment.Rows, "bytes", segment.Bytes,
				"took", took.Round(time.Millisecond))
		},
	}
}

func (a *App) compactOptions() compact.Options {
	started := time.Now()
	merged := a.merged
	if merged == nil {
		merged = a.catalog.Stored // final rows of views are merged too
	}
	return compact.Options{
		Policy: compact.Policy{ArchiveAfter: a.config.ArchiveAfter},
		Share:  float64(a.config.CompactCPU) / 100,
		Stream: merged,
		Spare:  a.spare,
		Now:    a.now, Elapsed: func() time.Duration { return time.Since(started) },
		Logger: a.logger,
		Observe: func(r compact.Result) {
			rows := int64(0)
			for _, in := range r.Inputs {
				rows += in.Rows
			}
			a.metrics.Compacted(string(r.Action), rows, r.Took, r.Err)
			if r.Err == nil {
				a.logger.Info("compacted", "stream", r.Stream, "action", r.Action, "segments", len(r.Inputs), "into", len(r.Outputs), "rows", rows,
					"took", r.Took.Round(time.Millisecond))
			}
		},
		ObserveLook: a.metrics.LookedAt,
	}
}

// listen starts the two listeners.
func (a *App) listen(ctx context.Context, version string) error {
	host, _, err := net.SplitHostPort(a.config.Listen)
	if err != nil {
		return fmt.Errorf("listen address %s: %w", a.config.Listen, err)
	}
	server := a.apiServer(host, version)
	a.serving = &errgroup.Group{}
	for _, address := range []string{a.config.Listen, a.config.AdminListen} { // all before any is served: requests are told of both
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
		if err != nil {
			for _, open := range a.listeners {
				err = errors.Join(err, open.Close())
			}
			return fmt.Errorf("listen on %s: %w", address, err)
		}
		a.listeners = append(a.listeners, listener)
	}
	a.serve(a.listeners[0], server.Handler())
	a.serve(a.listeners[1], server.AdminHandler())
	a.logger.Info("serving", "url", a.URL(), "admin", a.AdminURL())
	return nil
}

// apiServer is the HTTP side. host is the host name that requests may name beside the loopback ones.
func (a *App) apiServer(host, version string) *api.Server {
	return &api.Server{
		Ingest: a.ingest, Runner: &runner{app: a}, Feeds: a.feed, Streams: a.streams, NotReady: a.notReady, Failed: a.failed,
		Metrics: a.metrics, Logger: a.logger, Now: a.now, Version: version, Host: host, URL: a.URL, AdminURL: a.AdminURL, MaxRows: a.config.MaxRows,
		Timeout: a.config.QueryTimeout, Stopping: a.stopping,
		ConfirmClock: a.compact.ConfirmClock,
		AcceptLoss:   a.catalog.AcceptLoss,
		Backups:      pinnedBackups{a},
		Spool:        a.spill,
	}
}

func (a *App) serve(listener net.Listener, handler http.Handler) {
	s := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime,
		ErrorLog: slog.NewLogLogger(a.logger.Handler(), slog.LevelDebug),
	}
	a.servers = append(a.servers, s)
	a.serving.Go(func() error {
		if err := s.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", listener.Addr(), err)
		}
		return nil
	})
}

// URL is where the API answers.
func (a *App) URL() string { return a.urlOf(0) }

// AdminURL is where metrics and profiles are; empty for a server that OpenLocal opened.
func (a *App) AdminURL() string { return a.urlOf(1) }

func (a *App) urlOf(listener int) string {
	if listener >= len(a.listeners) {
		return ""
	}
	return "http://" + a.listeners[listener].Addr().String()
}

// Wait blocks until a listener fails or the server is closed.
func (a *App) Wait() error { return a.serving.Wait() }

// Close stops the server: no new requests, time for those under way, then the store. It may be called twice.
func (a *App) Close() error {
	a.closing.Do(func() {
		close(a.stopping)
		a.closeErr = errors.Join(a.stopServing(), a.closeStore())
		a.logger.Info("stopped")
	})
	return a.closeErr
}

func (a *App) stopServing() error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var errs []error
	for _, s := range a.servers {
		if err := s.Shutdown(ctx); err != nil {
			a.logger.Warn("requests did not end in time", "error", err)
			errs = append(errs, s.Close())
		}
	}
	return errors.Join(append(errs, a.serving.Wait())...)
}

// closeStore closes what has been opened, from the top down.
func (a *App) closeStore() error {
	var errs []error
	if a.backups != nil {
		errs = append(errs, a.backups.Close())
	}
	if a.scrub != nil {
		errs = append(errs, a.scrub.Close())
	}
	if a.views != nil {
		errs = append(errs, a.views.Close())
	}
	if a.compact != nil {
		errs = append(errs, a.compact.Close())
	}
	if a.ingest != nil {
		errs = append(errs, a.ingest.Close())
	}
	if a.segments != nil {
		errs = append(errs, a.segments.Close())
	}
	if a.journal != nil {
		errs = append(errs, a.journal.Close())
	}
	if a.lock != nil {
		errs = append(errs, a.lock.Close())
	}
	return errors.Join(errs...)
}

// notReady lists what keeps the server from doing all of its work.
func (a *App) notReady() []string {
	reasons := a.ingest.Failures()
	if err := a.journal.Failed(); err != nil {
		reasons = append(reasons, "journal: "+err.Error())
	}
	return append(reasons, a.damage()...)
}

// streams describes every stream for clients.
func (a *App) streams() []api.StreamState {
	var out []api.StreamState
	for _, definition := range a.catalog.Streams() {
		out = append(out, a.streamState(definition))
	}
	return out
}

func (a *App) streamState(definition *catalog.Stream) api.StreamState {
	state := api.StreamState{Definition: definition}
	tail, err := a.ingest.Tail(definition.Name)
	if err != nil {
		return state
	}
	view := a.manifest.View(definition.Name)
	for _, segment := range view.Segments {
		state.SealedRows += segment.Rows
		state.Bytes += segment.Bytes
		state.Segments++
	}
	state.Rows = state.SealedRows
	for _, batch := range unsealed(tail, view.Sealed.Next) {
		state.Rows += int64(batch.Rows())
	}
	return state
}
