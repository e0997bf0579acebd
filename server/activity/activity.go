// Package activity knows which queries run in a server, and remembers those that have ended and the requests that failed.
//
// A query is in the list from Begin to End, and can be ended from elsewhere by its id. What has ended is kept in rings of a bounded
// size: they are lost with the process, so that asking costs no writes. SQL text and details of faults are redacted and cut before
// they are kept. Everything may be used from any goroutine.
package activity

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/sql/parser"
)

const (
	// maxTextBytes bounds the SQL text kept of each query.
	maxTextBytes = 4 << 10
	// keptFaults bounds the faults kept.
	keptFaults = 1000
)

// ErrKilled is what a query ends with that somebody has killed.
var ErrKilled = event.Errorf(event.CodeCancelled, "the query was killed")

// Options of a Log.
type Options struct {
	// Kept is how many ended queries are remembered.
	Kept int
	// Slow is the time from which on a query is logged as slow; 0 logs none.
	Slow   time.Duration
	Now    func() time.Time
	Logger *slog.Logger
}

// Log is the queries of one server.
type Log struct {
	options Options
	mu      struct {
		sync.Mutex
		running map[*Query]struct{}
		ended   ring[Ended]
		faults  ring[Fault]
	}
}

// New makes a log without entries.
func New(options Options) *Log {
	l := &Log{options: options}
	l.mu.running = map[*Query]struct{}{}
	l.mu.ended.limit, l.mu.faults.limit = options.Kept, keptFaults
	return l
}

// Query is one request for SQL that runs. Its methods belong to whoever runs it.
type Query struct {
	log     *Log
	id, sql string
	started time.Time
	kill    context.CancelCauseFunc
	mu      struct {
		sync.Mutex
		stats func() exec.Stats
		rows  int64
	}
}

// Running describes a query that has not ended.
type Running struct {
	ID, SQL string
	Started time.Time
	Elapsed time.Duration
	// Rows counts those handed out so far.
	Rows  int64
	Stats exec.Stats
}

// Ended describes a query that has ended. Err is nil where it went well.
type Ended struct {
	Running
	Err error
}

// Fault is a request that was refused or failed. QueryID is empty where it was none for SQL.
type Fault struct {
	At             time.Time
	Route, QueryID string
	Status         int
	Code           event.Code
	Detail         string
}

// Begin adds a query. What is done for it uses the context returned, which ends when the query is killed: context.Cause is then
// ErrKilled. The caller calls End.
func (l *Log) Begin(ctx context.Context, id, sql string) (context.Context, *Query) {
	ctx, kill := context.WithCancelCause(ctx)
	q := &Query{log: l, id: id, sql: shortened(parser.Redact(sql)), started: l.options.Now(), kill: kill}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.running[q] = struct{}{}
	return ctx, q
}

// Watch says where the query's stats come from, which must be safe to ask from any goroutine.
func (q *Query) Watch(stats func() exec.Stats) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.stats = stats
}

// Gave counts rows handed out.
func (q *Query) Gave(rows int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.mu.rows += int64(rows)
}

// End takes the query off the list and remembers it.
func (q *Query) End(err error) {
	entry := Ended{Running: q.running(), Err: err}
	q.kill(nil)
	l := q.log
	l.mu.Lock()
	delete(l.mu.running, q)
	l.mu.ended.add(entry)
	l.mu.Unlock()
	if l.options.Slow > 0 && entry.Elapsed >= l.options.Slow {
		l.options.Logger.Warn("slow query", "id", entry.ID, "elapsed", entry.Elapsed.Round(time.Millisecond), "rows", entry.Rows,
			"rows_scanned", entry.Stats.RowsScanned, "bytes_scanned", entry.Stats.BytesScanned,
			"peak_memory_bytes", entry.Stats.PeakMemoryBytes, "error", err, "sql", entry.SQL)
	}
}

func (q *Query) running() Running {
	q.mu.Lock()
	defer q.mu.Unlock()
	out := Running{ID: q.id, SQL: q.sql, Started: q.started, Elapsed: q.log.options.Now().Sub(q.started), Rows: q.mu.rows}
	if q.mu.stats != nil {
		out.Stats = q.mu.stats()
	}
	return out
}

// Kill ends the running query with an id; it reports whether there is one. The query is gone from the list a moment later.
func (l *Log) Kill(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	for q := range l.mu.running {
		if q.id == id {
			q.kill(ErrKilled)
			found = true
		}
	}
	return found
}

// Running lists the queries that run, the oldest first.
func (l *Log) Running() []Running {
	l.mu.Lock()
	queries := make([]*Query, 0, len(l.mu.running))
	for q := range l.mu.running {
		queries = append(queries, q)
	}
	l.mu.Unlock()
	out := make([]Running, len(queries))
	for i, q := range queries {
		out[i] = q.running()
	}
	slices.SortFunc(out, func(a, b Running) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Ended lists the last queries that have ended, the oldest first.
func (l *Log) Ended() []Ended {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.ended.list()
}

// Failed remembers a fault.
func (l *Log) Failed(f Fault) {
	f.Detail = shortened(f.Detail)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mu.faults.add(f)
}

// Faults lists the last faults, the oldest first.
func (l *Log) Faults() []Fault {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.mu.faults.list()
}
