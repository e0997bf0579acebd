// Command jsonlibs measures what reading rows of JSON into typed columns costs: by the server's decoder, and by Go libraries for JSON. See
// bench/README.md.
//
// It is a module of its own, so that the libraries are no dependencies of the product.
package main

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// chunkBytes is how much of a large body the server decodes at a time.
	chunkBytes = 1 << 20
	// heapBytes is how far the heap grows before it is collected: libraries that allocate for each value are not to be measured by a collector
	// that never rests because the heap is small.
	heapBytes = 256 << 20
)

// reader reads a chunk of lines into columns of its own.
type reader interface {
	name() string
	read(chunk []byte) (columns, error)
}

func main() {
	rounds := flag.Int("rounds", 5, "how often the readers take turns; the least time counts")
	seconds := flag.Float64("seconds", 0.3, "least CPU time of a measurement")
	size := flag.Int("bytes", 8<<20, "about how much JSON of each shape there is")
	only := flag.String("only", "", "a part of the names of the readers to measure beside the server's")
	shape := flag.String("shape", "", "a part of the names of the shapes to read")
	profile := flag.String("profile", "", "a file that takes a CPU profile")
	flag.Parse()
	runtime.GOMAXPROCS(2)
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(heapBytes)
	if err := run(*rounds, *size, time.Duration(*seconds*float64(time.Second)), *only, *shape, *profile); err != nil {
		fmt.Fprintln(os.Stderr, "jsonlibs:", err)
		os.Exit(1)
	}
}

func run(rounds, size int, least time.Duration, only, shape, profile string) error {
	if profile != "" {
		file, err := os.Create(profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for _, s := range shapes {
		if !strings.Contains(s.name, shape) {
			continue
		}
		chunks := split(s.make(size))
		readers, err := readersOf(s, chunks[0])
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		readers = slices.DeleteFunc(readers, func(r reader) bool { return r.name() != ours && !strings.Contains(r.name(), only) })
		if err := compare(readers, chunks); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		if err := measure(s, readers, chunks, rounds, least); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// split cuts a body into chunks of whole lines.
func split(body []byte) [][]byte {
	var out [][]byte
	for len(body) > chunkBytes {
		end := bytes.LastIndexByte(body[:chunkBytes], '\n') + 1
		out, body = append(out, body[:end:end]), body[end:]
	}
	return append(out, body)
}

// compare fails unless all readers find the same values.
func compare(readers []reader, chunks [][]byte) error {
	for at, chunk := range chunks {
		var want columns
		for i, r := range readers {
			got, err := r.read(bytes.Clone(chunk))
			if err != nil {
				return fmt.Errorf("%s: %w", r.name(), err)
			}
			if i == 0 {
				want = got
			} else if err := got.differs(want); err != nil {
				return fmt.Errorf("%s, chunk %d: %w", r.name(), at, err)
			}
		}
	}
	return nil
}

// measure has the readers take turns and prints what each costs, the cheapest first.
func measure(s *shape, readers []reader, chunks [][]byte, rounds int, least time.Duration) error {
	total, rows := 0, 0
	for _, chunk := range chunks {
		total += len(chunk)
		rows += bytes.Count(chunk, []byte{'\n'})
	}
	rates := make([]float64, len(readers)) // bytes per CPU-second
	for round := range rounds {
		for turn := range readers {
			i := (turn + round) % len(readers)
			runtime.GC()
			read, before := 0, cpuTime()
			for spent := time.Duration(0); spent < least; spent = cpuTime() - before {
				for _, chunk := range chunks {
					if _, err := readers[i].read(chunk); err != nil {
						return err
					}
					read += len(chunk)
				}
			}
			rates[i] = max(rates[i], float64(read)/(cpuTime()-before).Seconds())
		}
	}
	fmt.Fprintf(os.Stdout, "\n%s: %d rows of %d columns, %d bytes each\n", s.name, rows, len(s.fields()), total/max(rows, 1))
	order := make([]int, len(readers))
	base := 0.0
	for i, r := range readers {
		order[i] = i
		if r.name() == ours {
			base = rates[i]
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(rates[b], rates[a]) })
	for _, i := range order {
		fmt.Fprintf(os.Stdout, "%-26s%8.0f MB a CPU-second%8.2fx\n", readers[i].name(), rates[i]/1e6, base/rates[i])
	}
	return nil
}

// cpuTime is what the process has used, the collector's work included.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err) // it has no other arguments
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
