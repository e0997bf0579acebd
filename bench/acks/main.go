//go:build linux

// Command acks measures acknowledgements: requests of one row a second and their latency, from several numbers of writers, beside a probe
// that only writes and syncs the same bytes to a file. See bench/README.md.
//
// It is a program of its own, not a script, and speaks HTTP by hand on connections that stay open: on a machine of two cores a client that
// costs more than the server would be what is measured.
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

var writerCounts = []int{1, 16, 64, 256}

func main() {
	binary := flag.String("binary", "bin/tidemark", "the server")
	folder := flag.String("folder", ".cache/bench", "where its data and the probe's file go: on the disk to be measured")
	seconds := flag.Float64("seconds", 2, "length of a measurement")
	rounds := flag.Int("rounds", 3, "how often the measurements take turns")
	files := flag.Int("files", 0, "compare instead kinds of files, by as many syncs each")
	flag.Parse()
	if *files > 0 {
		if err := compareFiles(*folder, *files, *rounds); err != nil {
			fmt.Fprintln(os.Stderr, "acks:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*binary, *folder, time.Duration(*seconds*float64(time.Second)), *rounds); err != nil {
		fmt.Fprintln(os.Stderr, "acks:", err)
		os.Exit(1)
	}
}

func run(binary, folder string, length time.Duration, rounds int) (err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(folder, "acks-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	server, err := start(binary, filepath.Join(dir, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	if _, err := drive(server.address, "fsync", 4, length/4); err != nil { // makes the stream, and warms up
		return err
	}
	fmt.Fprintln(os.Stdout, "writers  what            acks/s    p50 ms    p99 ms   p99 beside the probe's")
	for _, writers := range writerCounts {
		var probe, fsync, write []float64
		for range rounds { // in turns, so that others on the machine disturb all of them
			for _, one := range []struct {
				into *[]float64
				take func() ([]float64, error)
			}{
				{&probe, func() ([]float64, error) { return probeDisk(dir, writers, length) }},
				{&fsync, func() ([]float64, error) { return drive(server.address, "fsync", writers, length) }},
				{&write, func() ([]float64, error) { return drive(server.address, "write", writers, length) }},
			} {
				times, err := one.take()
				if err != nil {
					return err
				}
				*one.into = append(*one.into, times...)
			}
		}
		total := length.Seconds() * float64(rounds)
		base := report(writers, "probe", probe, float64(len(probe)*writers)/total, 0)
		report(writers, "ack=fsync", fsync, float64(len(fsync))/total, base)
		report(writers, "ack=write", write, float64(len(write))/total, base)
	}
	return nil
}

// report prints a line, and gives the latency that 99 of 100 stay below.
func report(writers int, what string, times []float64, perSecond, base float64) float64 {
	slices.Sort(times)
	at := func(part float64) float64 { return times[min(len(times)-1, int(part*float64(len(times))))] }
	beside := ""
	if base > 0 {
		beside = fmt.Sprintf("%.2fx", at(0.99)/base)
	}
	fmt.Fprintln(os.Stdout, strings.TrimRight(fmt.Sprintf("%7d  %-10s %11.0f %9.2f %9.2f   %s", writers, what, perSecond, at(0.5), at(0.99), beside), " "))
	return at(0.99)
}

// probeDisk writes and syncs what as many writers send at once, again and again, and gives how long each took in milliseconds.
func probeDisk(dir string, writers int, length time.Duration) (times []float64, err error) {
	file, err := os.CreateTemp(dir, "probe-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	bytes := slices.Repeat(body, writers)
	for end := time.Now().Add(length); time.Now().Before(end); {
		began := time.Now()
		if _, err := file.Write(bytes); err != nil {
			return nil, err
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return nil, err
		}
		times = append(times, milliseconds(began))
	}
	return times, nil
}

func milliseconds(since time.Time) float64 { return float64(time.Since(since).Microseconds()) / 1000 }

// drive has writers send the body, each as soon as its last one is answered.
func drive(address, ack string, writers int, length time.Duration) ([]float64, error) {
	all, failures := make([][]float64, writers), make([]error, writers)
	end := time.Now().Add(length)
	var wait sync.WaitGroup
	for w := range writers {
		wait.Go(func() { all[w], failures[w] = send(address, ack, end) })
	}
	wait.Wait()
	return slices.Concat(all...), errors.Join(failures...)
}

// process is a server under measurement.
type process struct {
	command *exec.Cmd
	address string
}

var servingLine = regexp.MustCompile(`msg=serving url=http://(\S+)`)

func start(binary, data string) (*process, error) {
	command := exec.CommandContext(context.Background(), binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	command.Env = append(os.Environ(), "TIDEMARK_LOG_LEVEL=info")
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if found := servingLine.FindStringSubmatch(lines.Text()); found != nil {
			go func() {
				for lines.Scan() { // or the server would stop at a full pipe
				}
			}()
			return &process{command: command, address: found[1]}, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not come up"), command.Wait())
}

func (p *process) stop() error {
	return errors.Join(p.command.Process.Signal(syscall.SIGTERM), p.command.Wait())
}
