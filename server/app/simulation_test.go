package app

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// simulated is how many random scripts a usual run has, and simulatedRaced one under the race detector; where TIDEMARK_STRESS is set there are
// twenty times as many.
const simulated, simulatedRaced = 500, 150

// TestSimulations runs the scripts of testdata/simulations: what random ones show too seldom, and what they once found. TIDEMARK_SCRIPT
// names another one to run.
func TestSimulations(t *testing.T) {
	t.Parallel()
	paths, err := filepath.Glob("testdata/simulations/*.script")
	require.NoError(t, err)
	if more := os.Getenv("TIDEMARK_SCRIPT"); more != "" {
		paths = []string{more}
	}
	require.NotEmpty(t, paths)
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			steps, err := parseScript(string(text))
			require.NoError(t, err)
			_, failure := runScript(t, steps)
			require.NoError(t, failure)
		})
	}
}

// TestViewsSimulated runs random scripts: views of every kind over streams of every kind, rows in disorder, crashes, and subscribers who
// come back. A script that fails is cut down as long as it goes on failing, and printed: saved to a file, TIDEMARK_SCRIPT runs it again.
// TIDEMARK_SEED runs the script of one seed.
func TestViewsSimulated(t *testing.T) { //nolint:tparallel // what the subtests saw is looked at when all are done
	t.Parallel()
	first, count := uint64(1), uint64(raced(simulatedRaced, simulated))
	if os.Getenv("TIDEMARK_STRESS") != "" {
		first, count = uint64(time.Now().UnixNano())%1e9, 20*simulated
	}
	if text := os.Getenv("TIDEMARK_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
		first, count = seed, 1
	}
	t.Logf("seeds %d to %d", first, first+count-1)
	var all struct {
		sync.Mutex
		simSeen
	}
	all.features = map[string]int{}
	workers := uint64(runtime.GOMAXPROCS(0))
	t.Run("seeds", func(t *testing.T) {
		for worker := range min(workers, count) {
			t.Run(strconv.FormatUint(worker, 10), func(t *testing.T) {
				t.Parallel()
				for n := worker; n < count && !t.Failed(); n += workers {
					seen := simulate(t, first+n)
					all.Lock()
					all.add(seen)
					all.Unlock()
				}
			})
		}
	})
	t.Logf("%+v", all.simSeen)
	if count >= simulated { // what is not seen is not tested; under the race detector it is seen too seldom
		require.Greater(t, all.crashes, simulated/2)
		require.Greater(t, all.resumed, simulated/2)
		require.Greater(t, all.filled, simulated)
		require.Greater(t, all.rows, 10*simulated)
		require.Greater(t, all.deliveries, simulated)
		require.Greater(t, all.late, simulated/20)
		require.Greater(t, all.partitions, simulated)
		require.Positive(t, all.skipped)
		require.Positive(t, all.paused)
		require.Positive(t, all.expired)
		require.Greater(t, all.outlived, simulated/20)
		for _, feature := range simFeatures {
			require.Positive(t, all.features[feature], feature)
		}
	}
}

// simulate runs the script of a seed, and an orderly one on other partitions as well.
func simulate(t *testing.T, seed uint64) simSeen {
	t.Helper()
	steps, features := generateScript(seed)
	w, failure := runScript(t, steps)
	w.seen.features = map[string]int{}
	for f := range features {
		w.seen.features[f] = 1
	}
	if failure != nil {
		if os.Getenv("TIDEMARK_MUTANTS") == "" { // which only wants to know that it fails
			steps, failure = cutDown(t, steps, failure)
		}
		t.Errorf("seed %d: %v\n\n%s", seed, failure, printScript(steps))
	}
	if failure != nil || !isOrderly(seed) {
		return w.seen
	}
	other, failure := runScript(t, otherPartitions(steps))
	require.NoError(t, failure, "seed %d on other partitions", seed)
	for _, v := range w.views {
		if strings.Contains(v.equals, "{") {
			continue // what is shown of it depends on the partition that is furthest behind
		}
		if err := sameRows(w.answers[v.name], other.answers[v.name]); err != nil {
			t.Errorf("seed %d: view %s is another on other partitions: %v\n\n%s", seed, v.name, err, printScript(steps))
		}
		w.seen.partitions += len(w.answers[v.name])
	}
	return w.seen
}

var partitionClause = regexp.MustCompile(` PARTITIONS \d+$`)

// otherPartitions is a script whose streams have one partition where they had several, and three where they had one.
func otherPartitions(steps []simStep) []simStep {
	out := slices.Clone(steps)
	for i, s := range out {
		switch cut := partitionClause.ReplaceAllString(s.text, ""); {
		case s.verb != "stream":
		case cut != s.text:
			out[i].text = cut
		default:
			out[i].text += " PARTITIONS 3"
		}
	}
	return out
}

// cutTime is how long a script is cut down at most.
const cutTime = 30 * time.Second

// cutDown leaves out lines and rows for as long as the script fails without them.
func cutDown(t *testing.T, steps []simStep, failure error) ([]simStep, error) {
	t.Helper()
	deadline := time.Now().Add(cutTime)
	fails := func(fewer []simStep) bool {
		if time.Now().After(deadline) {
			return false
		}
		for range 2 { // which goroutine comes first is not in the script
			if _, err := runScript(t, fewer); err != nil && !errors.Is(err, errScript) && failedVerb(err) == failedVerb(failure) {
				failure = err
				return true
			}
		}
		return false
	}
	for size := len(steps) / 2; size > 0; size /= 2 { // first many lines at a time
		for at := len(steps) - size; at >= 0; at -= size {
			if fewer := slices.Concat(steps[:at], steps[at+size:]); fails(fewer) {
				steps = fewer
			}
		}
	}
	for i := range steps {
		for steps[i].verb == "insert" {
			fewer, ok := withoutARow(steps, i, fails)
			if !ok {
				break
			}
			steps = fewer
		}
	}
	return steps, failure
}

// failedVerb is what a script did when it failed: without the lines that made a column, an insert fails where a check did.
func failedVerb(failure error) string {
	_, rest, _ := strings.Cut(failure.Error(), ", ")
	verb, _, _ := strings.Cut(rest, " ")
	return verb
}

// withoutARow leaves out one row of an insert.
func withoutARow(steps []simStep, at int, fails func([]simStep) bool) ([]simStep, bool) {
	head, list, _ := strings.Cut(steps[at].text, " VALUES ")
	rows := strings.Split(list, "), ")
	for i := range rows {
		if len(rows) == 1 {
			break
		}
		left := strings.Join(slices.Concat(rows[:i], rows[i+1:]), "), ")
		fewer := slices.Clone(steps)
		fewer[at].text = head + " VALUES " + strings.TrimSuffix(left, ")") + ")"
		if fails(fewer) {
			return fewer, true
		}
	}
	return nil, false
}
