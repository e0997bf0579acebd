package app

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/spill"
	"github.com/tidemarkdb/tidemark/segments"
)

// spillDir holds the temporary files of queries.
const spillDir = "spill"

// shares is how the memory of the process is divided. What is in no share is for rows that are not sealed, for requests under way,
// and for the garbage that the collector has not yet met.
type shares struct{ total, queries, views, cache, write int64 }

// shareMemory divides a total; 0 is three quarters of what there is.
func shareMemory(total int64) shares {
	if total == 0 {
		total = machineMemory() / 4 * 3
	}
	return shares{total: total, queries: total / 8 * 3, views: total / 4, cache: total / 8, write: max(total/8, segments.LeastWriteBytes)}
}

// machineMemory is what the machine has, or its container allows.
func machineMemory() int64 {
	const unknown = 4 << 30 // where the system does not tell: what small machines have
	least := int64(0)
	for _, n := range []int64{
		fileNumber("/sys/fs/cgroup/memory.max"), fileNumber("/sys/fs/cgroup/memory/memory.limit_in_bytes"), totalMemory(),
	} {
		if n > 0 && (least == 0 || n < least) {
			least = n
		}
	}
	if least == 0 {
		return unknown
	}
	return least
}

// fileNumber is the number that a file of the system holds; 0 where it has none.
func fileNumber(name string) int64 {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// totalMemory is what Linux says the machine has; 0 elsewhere.
func totalMemory() int64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		fields := bytes.Fields(line)
		if len(fields) == 3 && string(fields[0]) == "MemTotal:" {
			if kibibytes, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				return kibibytes << 10
			}
		}
	}
	return 0
}

// openEngine makes what answers queries.
func (a *App) openEngine(fs vfs.FS) error {
	a.pool = exec.NewPool(a.memory.queries)
	options := exec.Options{MemoryBytes: min(int64(a.config.QueryMemory), a.memory.queries), Pool: a.pool, Rewrite: a.rewrite}
	if a.config.SpillSpace > 0 {
		var err error
		if a.spill, err = spill.Open(fs, spillDir, int64(a.config.SpillSpace)); err != nil {
			return err
		}
		options.Spill = a.spill
	}
	a.engine = exec.New(&source{app: a}, &sink{engine: a.ingest}, options)
	a.metrics.Queries(a.pool, a.spill)
	return nil
}

// LimitMemory tells the Go runtime to collect garbage harder rather than leave the memory that the server may use, unless GOMEMLIMIT has
// told it something already. It is for a process that is nothing but this server.
func (a *App) LimitMemory() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(a.memory.total)
	}
}
