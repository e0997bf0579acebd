package api

import (
	"io"
	"time"
)

// pumpBytes is how much is read ahead of a body at a time, and firstPump of one that has not shown to give as much; there are two such pieces.
const (
	pumpBytes = 32 << 10
	firstPump = 1 << 10
)

// pump reads ahead of a body in a goroutine of its own, so that whoever takes the rows can see that none come just now, and stores those
// that have come instead of waiting for a full chunk. It is used by one goroutine besides; close ends the other.
type pump struct {
	src    io.Reader
	hold   func(bytes int64) error
	pieces chan piece
	free   chan []byte
	quit   chan struct{}
	done   chan struct{}

	piece piece // being given away
	whole []byte
}

type piece struct {
	bytes []byte
	err   error
}

// newPump reads from src. hold is asked for the memory that pieces beyond firstPump take, and they stay smaller where it is refused.
func newPump(src io.Reader, hold func(bytes int64) error) *pump {
	p := &pump{src: src, hold: hold, pieces: make(chan piece, 1), free: make(chan []byte, 2), quit: make(chan struct{}), done: make(chan struct{})}
	p.free <- make([]byte, firstPump)
	p.free <- make([]byte, firstPump)
	go p.run()
	return p
}

func (p *pump) run() {
	defer close(p.done)
	for {
		var buffer []byte
		select {
		case buffer = <-p.free:
		case <-p.quit:
			return
		}
		n, err := p.src.Read(buffer)
		if n == len(buffer) && n < pumpBytes {
			buffer = p.grown(buffer)
		}
		select {
		case p.pieces <- piece{buffer[:n], err}:
		case <-p.quit:
			return
		}
		if err != nil {
			return
		}
	}
}

// grown is a larger piece for what a full one holds, if there is memory for it.
func (p *pump) grown(full []byte) []byte {
	size := min(4*len(full), pumpBytes)
	if p.hold(int64(size-len(full))) != nil {
		return full
	}
	return append(make([]byte, 0, size), full...)[:size]
}

// Read gives what was read ahead, or waits for more.
func (p *pump) Read(b []byte) (int, error) {
	if len(p.piece.bytes) == 0 && p.piece.err == nil {
		p.take(<-p.pieces)
	}
	n := copy(b, p.piece.bytes)
	if p.piece.bytes = p.piece.bytes[n:]; len(p.piece.bytes) > 0 {
		return n, nil
	}
	if p.piece.err == nil {
		p.free <- p.whole[:cap(p.whole)]
	}
	return n, p.piece.err
}

func (p *pump) take(next piece) { p.piece, p.whole = next, next.bytes }

// Soon reports whether a Read would return within a time. It may wait for as long.
func (p *pump) Soon(wait time.Duration) bool {
	if len(p.piece.bytes) > 0 || p.piece.err != nil {
		return true
	}
	select {
	case next := <-p.pieces:
		p.take(next)
		return true
	default:
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case next := <-p.pieces:
		p.take(next)
		return true
	case <-timer.C:
		return false
	}
}

// close ends the goroutine. unblock makes a Read of the source return; it is called only if that is needed.
func (p *pump) close(unblock func()) {
	close(p.quit)
	select {
	case <-p.done:
	default:
		unblock()
		<-p.done
	}
}
