package api

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// pipeListener gives one connection, which is in memory and knows virtual time.
type pipeListener struct{ connections chan net.Conn }

func (l pipeListener) Accept() (net.Conn, error) {
	c, ok := <-l.connections
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (l pipeListener) Close() error   { close(l.connections); return nil }
func (l pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// stall sends a body as send does, and gives how long the server read it and how that ended.
func stall(t *testing.T, header string, send func(c net.Conn)) (took time.Duration, end error) {
	t.Helper()
	handle(t, header, send, func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		_, end = io.Copy(io.Discard, newPaced(w, r, time.Now))
		took = time.Since(start)
	})
	return took, end
}

// handle sends a body as send does, and has it handled.
func handle(t *testing.T, header string, send func(c net.Conn), handler http.HandlerFunc) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		listener := pipeListener{make(chan net.Conn, 1)}
		client, connection := net.Pipe()
		listener.connections <- connection
		done := make(chan struct{})
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer close(done)
			handler(w, r)
		})}
		go func() { _ = server.Serve(listener) }()
		_, err := fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n", header)
		require.NoError(t, err)
		var sending sync.WaitGroup
		sending.Go(func() { send(client) })
		<-done
		_, _ = bufio.NewReader(client).ReadString('\n') // of the answer
		require.NoError(t, client.Close())
		sending.Wait()
		require.NoError(t, server.Close())
		synctest.Wait()
	})
}

// TestABodyThatIsThereWaitsForTheDisk lets what has come be stored for longer than it may take to come: the client is not taken to have gone.
func TestABodyThatIsThereWaitsForTheDisk(t *testing.T) {
	t.Parallel()
	send := func(c net.Conn) { _, _ = io.WriteString(c, "body") }
	handle(t, "Content-Length: 4", send, func(w http.ResponseWriter, r *http.Request) {
		p := newPaced(w, r, time.Now)
		_, err := io.Copy(io.Discard, p)
		require.NoError(t, err)
		p.give()
		<-time.After(time.Minute)
		p.chunk()
		<-time.After(time.Hour)
		require.NoError(t, r.Context().Err())
	})
}

const chunked = "Transfer-Encoding: chunked"

// drip sends a few bytes at a time until nobody reads them.
func drip(bytes int, every time.Duration) func(c net.Conn) {
	return func(c net.Conn) {
		for {
			if _, err := fmt.Fprintf(c, "%x\r\n%s\r\n", bytes, strings.Repeat("x", bytes)); err != nil {
				return
			}
			<-time.After(every)
		}
	}
}

func TestABodyThatStallsIsBrokenOff(t *testing.T) {
	t.Parallel()
	took, err := stall(t, chunked, drip(1, time.Second))
	require.ErrorContains(t, err, "too slowly")
	require.InDelta(t, slowTime.Seconds(), took.Seconds(), 2)

	took, err = stall(t, chunked, func(net.Conn) {})
	require.ErrorContains(t, err, "stalled")
	require.Equal(t, quietTime, took)

	took, err = stall(t, "Content-Length: 1000", func(c net.Conn) { _, _ = io.WriteString(c, "abc") })
	require.ErrorContains(t, err, "stalled")
	require.Equal(t, smallTime, took)
}

func TestABodyThatComesAtLeisureIsTaken(t *testing.T) {
	t.Parallel()
	took, err := stall(t, chunked, func(c net.Conn) {
		for range 300 {
			_, _ = fmt.Fprintf(c, "800\r\n%s\r\n", strings.Repeat("x", 0x800))
			<-time.After(time.Second)
		}
		_, _ = io.WriteString(c, "0\r\n\r\n")
	})
	require.NoError(t, err)
	require.InDelta(t, 300, took.Seconds(), 1)
}
