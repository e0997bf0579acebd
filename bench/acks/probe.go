//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// waiting is a request of the HTTP probe that is to be answered when its body is durable.
type waiting struct {
	body []byte
	done chan error
}

// serveProbe is the HTTP probe: a server that does nothing with a body but write it to a file and sync that, once for all that wait, and then
// answer. It is a process of its own, as the server is.
func serveProbe(folder string) error {
	file, err := os.Create(filepath.Join(folder, "probe-http"))
	if err != nil {
		return err
	}
	queue := make(chan waiting, 256)
	go commit(file, queue)
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			one := waiting{body: body, done: make(chan error, 1)}
			queue <- one
			err = <-one.done
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"accepted":1}`) // a client that is gone needs none
	})}
	ended, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		<-ended.Done()
		_ = server.Close() // as it ends anyway
	}()
	fmt.Fprintf(os.Stderr, "msg=serving url=http://%s\n", listener.Addr())
	if err := server.Serve(listener); ended.Err() == nil {
		return err
	}
	return nil
}

// commit writes and syncs what waits, as one group, and answers it.
func commit(file *os.File, queue <-chan waiting) {
	for one := range queue {
		group, bytes := []waiting{one}, one.body
		for more := true; more; {
			select {
			case next := <-queue:
				group, bytes = append(group, next), append(bytes, next.body...)
			default:
				more = false
			}
		}
		_, err := file.Write(bytes)
		if err == nil {
			err = syscall.Fdatasync(int(file.Fd()))
		}
		for _, g := range group {
			g.done <- err
		}
	}
}
