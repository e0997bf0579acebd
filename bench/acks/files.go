//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// kinds are the ways in which a log's file may get its space: grow with each write; be given it beforehand; or have been written before, so that
// a sync has no size and no place of a block to make durable. The last kind grows by steps of zeroes, written with the block that meets their end.
var kinds = []string{"grows", "allocated", "written", "zeroed ahead"}

// The steps of zeroes double from the least to the greatest.
const leastStep, greatestStep = 64 << 10, 4 << 20

// compareFiles writes and syncs blocks of some sizes to files of each kind in turns.
func compareFiles(folder string, syncs, rounds int) error {
	fmt.Fprintln(os.Stdout, "bytes a sync  file           syncs/s    p50 ms    p99 ms")
	for _, size := range []int{300, 4 << 10, 64 << 10} {
		times := map[string][]float64{}
		for range rounds {
			for _, kind := range kinds {
				took, err := fill(folder, kind, size, syncs)
				if err != nil {
					return err
				}
				times[kind] = append(times[kind], took...)
			}
		}
		for _, kind := range kinds {
			all, sum := times[kind], 0.0
			for _, t := range all {
				sum += t
			}
			slices.Sort(all)
			fmt.Fprintf(os.Stdout, "%12d  %-12s %9.0f %9.2f %9.2f\n", size, kind, 1000*float64(len(all))/sum, all[len(all)/2], all[len(all)*99/100])
		}
	}
	return nil
}

var zeroes [greatestStep]byte

// fill writes and syncs a file of a kind from its beginning, and gives how long each sync took with its write in milliseconds.
func fill(folder, kind string, size, syncs int) (times []float64, err error) {
	file, err := os.Create(filepath.Join(folder, "acks-file"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close(), os.Remove(file.Name())) }()
	block, whole := []byte(strings.Repeat("x", size)), int64(size*syncs)
	switch kind {
	case "allocated":
		err = syscall.Fallocate(int(file.Fd()), 0, 0, whole)
	case "written":
		for at := int64(0); at < whole && err == nil; at += int64(size) {
			_, err = file.WriteAt(block, at)
		}
	}
	if err = errors.Join(err, file.Sync()); err != nil {
		return nil, err
	}
	ahead, step := int64(0), int64(leastStep)
	for i := range syncs {
		began := time.Now()
		if end := int64((i + 1) * size); kind == "zeroed ahead" && end > ahead {
			if _, err := file.WriteAt(zeroes[:step], end); err != nil {
				return nil, err
			}
			ahead, step = end+step, min(2*step, greatestStep)
		}
		if _, err := file.WriteAt(block, int64(i*size)); err != nil {
			return nil, err
		}
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return nil, err
		}
		times = append(times, milliseconds(began))
	}
	return times, nil
}
