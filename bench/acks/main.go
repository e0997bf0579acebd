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
	binaries := flag.String("binary", "bin/tidemark", "the server; several, with commas between, take turns")
	probe := flag.Bool("probe", false, "be the probe that speaks HTTP")
	folder := flag.String("folder", ".cache/bench", "where its data and the probe's file go: on the disk to be measured")
	seconds := flag.Float64("seconds", 2, "length of a measurement")
	rounds := flag.Int("rounds", 3, "how often the measurements take turns")
	files := flag.Int("files", 0, "compare instead kinds of files, by as many syncs each")
	flag.Parse()
	var err error
	switch {
	case *probe:
		err = serveProbe(*folder)
	case *files > 0:
		err = compareFiles(*folder, *files, *rounds)
	default:
		err = run(strings.Split(*binaries, ","), *folder, time.Duration(*seconds*float64(time.Second)), *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "acks:", err)
		os.Exit(1)
	}
}

func run(binaries []string, folder string, length time.Duration, rounds int) (err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(folder, "acks-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	var started []*process
	defer func() {
		for _, p := range started {
			err = errors.Join(err, p.stop())
		}
	}()
	probe, err := start(exec.CommandContext(context.Background(), os.Args[0], "-probe", "-folder", dir))
	if err != nil {
		return err
	}
	started = append(started, probe)
	contenders := []contender{
		{"probe, disk", func(writers int) ([]float64, error) { return probeDisk(dir, writers, length) }},
		{"probe, HTTP", func(writers int) ([]float64, error) { return drive(probe.address, "fsync", writers, length) }},
	}
	for i, binary := range binaries {
		server, err := serve(binary, filepath.Join(dir, fmt.Sprint("data", i)))
		if err != nil {
			return err
		}
		started = append(started, server)
		if _, err := drive(server.address, "fsync", 4, length/4); err != nil { // makes the stream, and warms up
			return err
		}
		for _, ack := range []string{"fsync", "write"} {
			name := "ack=" + ack
			if len(binaries) > 1 {
				name += fmt.Sprintf(" (%d)", i+1)
			}
			contenders = append(contenders, contender{name, func(writers int) ([]float64, error) { return drive(server.address, ack, writers, length) }})
		}
	}
	fmt.Fprintln(os.Stdout, "writers  what              acks/s    p50 ms    p99 ms   p99 beside the HTTP probe's")
	for _, writers := range writerCounts {
		if err := compare(contenders, writers, rounds, length); err != nil {
			return err
		}
	}
	return nil
}

// contender is something that acknowledges; take gives the latencies of a measurement in milliseconds.
type contender struct {
	name string
	take func(writers int) ([]float64, error)
}

// compare measures all with a number of writers, in turns, so that others on the machine disturb all of them.
func compare(contenders []contender, writers, rounds int, length time.Duration) error {
	times := make([][]float64, len(contenders))
	for range rounds {
		for i, c := range contenders {
			took, err := c.take(writers)
			if err != nil {
				return err
			}
			times[i] = append(times[i], took...)
		}
	}
	total, base := length.Seconds()*float64(rounds), 0.0
	for i, c := range contenders {
		acks := len(times[i])
		if i == 0 {
			acks *= writers // of each sync
		}
		p99 := report(writers, c.name, times[i], float64(acks)/total, base)
		if i == 1 {
			base = p99
		}
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
	fmt.Fprintln(os.Stdout, strings.TrimRight(fmt.Sprintf("%7d  %-13s %10.0f %9.2f %9.2f   %s", writers, what, perSecond, at(0.5), at(0.99), beside), " "))
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

func serve(binary, data string) (*process, error) {
	command := exec.CommandContext(context.Background(), binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	command.Env = append(os.Environ(), "TIDEMARK_LOG_LEVEL=info")
	return start(command)
}

// start waits until a server says where it serves.
func start(command *exec.Cmd) (*process, error) {
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
