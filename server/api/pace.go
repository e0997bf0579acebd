package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/tidemarkdb/tidemark/event"
)

const (
	// quietTime is how long a body may send nothing: a stream of events has its pauses.
	quietTime = 5 * time.Minute
	// smallTime is how long a body of a declared and small size may take.
	smallTime = time.Minute
	smallBody = 256 << 10
	// A chunk that is not complete after slowTime must have come at leastRate. What is stored as it comes is not held to that: only what
	// has to be held in memory until more comes.
	slowTime  = time.Minute
	leastRate = 1 << 10 // bytes a second
)

// paced reads the body of a request from a connection that may stall: neither silence nor a byte now and then holds memory for long.
type paced struct {
	src        io.Reader
	connection *http.ResponseController
	now        func() time.Time
	// until is when a small body has to be there; zero for others. given is since when what has come of it is being taken.
	until, given time.Time
	// open is set for a body of no declared length, and ended once nothing more is to be read.
	open, ended bool

	mu struct {
		sync.Mutex
		// begun is when the first byte of the present chunk came, and bytes how many since.
		begun time.Time
		bytes int64
	}
}

func newPaced(w http.ResponseWriter, r *http.Request, now func() time.Time) *paced {
	p := &paced{src: r.Body, connection: http.NewResponseController(w), now: now, open: r.ContentLength < 0}
	if r.ContentLength >= 0 && r.ContentLength <= smallBody {
		p.until = now().Add(smallTime)
		p.deadline(p.until)
	}
	return p
}

// deadline sets until when the next read may wait. A writer that is no connection has none.
func (p *paced) deadline(t time.Time) { _ = p.connection.SetReadDeadline(t) }

// give says that what has come is given away to be taken, for which the body does not have to account: the disk may be slow.
func (p *paced) give() {
	if !p.until.IsZero() {
		p.given = p.now()
	}
}

// chunk says that all that came so far has been taken.
func (p *paced) chunk() {
	if !p.given.IsZero() && !p.ended { // once it has, the server watches the connection, which may be silent
		p.until, p.given = p.until.Add(p.now().Sub(p.given)), time.Time{}
		p.deadline(p.until)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mu.begun, p.mu.bytes = time.Time{}, 0
}

// Read waits for more, but not for ever.
func (p *paced) Read(b []byte) (int, error) {
	if p.until.IsZero() {
		p.deadline(p.now().Add(quietTime))
	}
	n, err := p.src.Read(b)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return n, event.Errorf(event.CodeBadRequest, "the body stalled").WithHint("rows counted as accepted are stored; send the others again")
	case err != nil:
		// The server watches the connection from here on, and would take the end of the time for that of the client.
		p.deadline(time.Time{})
		p.ended = true
		return n, err
	}
	return n, p.check(n)
}

// check refuses a chunk that comes too slowly.
func (p *paced) check(n int) error {
	if !p.until.IsZero() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.mu.begun.IsZero() {
		p.mu.begun = p.now()
	}
	p.mu.bytes += int64(n)
	if took := p.now().Sub(p.mu.begun); took > slowTime && float64(p.mu.bytes) < leastRate*took.Seconds() {
		return event.Errorf(event.CodeBadRequest, "the body comes too slowly: %d bytes in %s", p.mu.bytes, took.Round(time.Second)).
			WithHint("rows counted as accepted are stored; send the others again")
	}
	return nil
}
