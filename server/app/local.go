package app

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/server/config"
)

// OpenLocal opens a data directory for this process alone: it answers like a server, but only connections made by Dial. It takes the
// lock of the directory. Rows are not sealed for their age and segments are not merged, so that looking at data changes none of it.
func OpenLocal(ctx context.Context, c config.Config, version string, logger *slog.Logger) (*App, error) {
	c.SealAge, c.ScrubRate = math.MaxInt64, 0
	a, err := openApp(c, logger, time.Now, func(string) (*catalog.Stream, bool) { return nil, false })
	if err != nil {
		return nil, err
	}
	a.local = &localListener{connections: make(chan net.Conn), closed: make(chan struct{})}
	a.serving = &errgroup.Group{}
	a.serve(a.local, a.apiServer("localhost", version).Handler())
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

// Dial connects to a server that OpenLocal opened, by a pipe in memory.
func (a *App) Dial(ctx context.Context) (net.Conn, error) { return a.local.dial(ctx) }

// localListener accepts connections that dial makes.
type localListener struct {
	connections chan net.Conn
	closed      chan struct{}
	closing     sync.Once
}

func (l *localListener) dial(ctx context.Context) (net.Conn, error) {
	mine, theirs := net.Pipe()
	select {
	case l.connections <- theirs:
		return mine, nil
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), mine.Close(), theirs.Close())
	case <-l.closed:
		return nil, errors.Join(net.ErrClosed, mine.Close(), theirs.Close())
	}
}

// Accept waits for a connection.
func (l *localListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.connections:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and dial.
func (l *localListener) Close() error {
	l.closing.Do(func() { close(l.closed) })
	return nil
}

// Addr names no address: there is none.
func (l *localListener) Addr() net.Addr { return localAddr{} }

type localAddr struct{}

func (localAddr) Network() string { return "pipe" }
func (localAddr) String() string  { return "localhost" }

var _ net.Listener = (*localListener)(nil)
