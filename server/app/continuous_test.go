package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/spill"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

func decimalOf(v int64) decimal128.Num { return decimal128.FromI64(v) }

// continuousQueries reads the queries that are held to their bounded answers after every step.
func continuousQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/continuous_queries.sql")
	require.NoError(t, err)
	statements := strings.Split(string(text), ";")
	return statements[:len(statements)-1]
}

func simulations(t *testing.T, usual int) (rounds int, seed uint64) {
	rounds, seed = usual, 1
	if os.Getenv("TIDEMARK_STRESS") != "" {
		rounds, seed = 40*usual, uint64(time.Now().UnixNano())
	}
	if text := os.Getenv("TIDEMARK_SEED"); text != "" {
		var err error
		seed, err = strconv.ParseUint(text, 10, 64)
		require.NoError(t, err)
	}
	t.Logf("seed %d", seed)
	return rounds, seed
}

// TestContinuousAnswersAsBounded feeds random histories to continuous queries in random steps, restoring the machine from its
// snapshot and moving what it can to the disk now and then: after every step what it gave in all is what the bounded engine answers over the same rows.
func TestContinuousAnswersAsBounded(t *testing.T) {
	t.Parallel()
	known := defineStreams(t)
	rounds, seed := simulations(t, raced(1, 5)) // a machine is stepped by one goroutine
	for i, sql := range continuousQueries(t) {
		for _, emit := range []continuous.Emit{continuous.OnUpdate, continuous.OnWindowClose} {
			t.Run(fmt.Sprintf("%d/%d", i, emit), func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(seed, uint64(i)))
				space, err := spill.Open(vfs.NewMem(), "spill", 1<<30)
				require.NoError(t, err)
				options := continuous.Options{Emit: emit, MemoryBytes: 1 << 30, Spill: space}
				program, err := compileSQL(t, sql, known, options)
				if err != nil && emit == continuous.OnWindowClose {
					requireCode(t, err, event.CodeNotSupported)
					return
				}
				require.NoError(t, err, sql)
				for round := range rounds {
					s := newSimulation(t, rng, known, program)
					s.name = fmt.Sprintf("%s\nemit %d, seed %d, round %d\n%s", sql, emit, seed, round, program)
					s.run(rng)
					require.NoError(t, s.machine.Close())
					require.Zero(t, space.Used(), "files that nobody needs")
				}
			})
		}
	}
}

func requireCode(t *testing.T, err error, code event.Code) {
	t.Helper()
	var e *event.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, code, e.Code, "%v", err)
}

// streamInputs tells that every stream is one.
func streamInputs(known definedStreams) map[string]continuous.InputInfo {
	out := map[string]continuous.InputInfo{}
	for name, s := range known {
		out[name] = continuous.InputInfo{Kind: continuous.StreamInput, Time: s.Schema.TimeColumn}
	}
	return out
}

// compileSQL compiles the query of a materialized view.
func compileSQL(t *testing.T, sql string, known definedStreams, options continuous.Options) (*continuous.Program, error) {
	t.Helper()
	if !strings.Contains(sql, "WITH (ttl") { // the options of the view
		sql = "AS " + sql
	}
	view := bindSQL(t, "CREATE MATERIALIZED VIEW v "+sql, known).(bind.CreateView)
	options.Horizon = view.Options.Horizon
	return continuous.Compile(view.Plan, streamInputs(known), options)
}

// simulation is one machine beside the histories that it is fed.
type simulation struct {
	t       *testing.T
	name    string
	program *continuous.Program
	machine *continuous.Machine
	source  histories
	// content is how often each row is in the output, by its text.
	content map[string]int64
	closed  int64
}

func newSimulation(t *testing.T, rng *rand.Rand, known definedStreams, program *continuous.Program) *simulation {
	s := &simulation{t: t, program: program, machine: program.Start(), content: map[string]int64{}}
	s.source = histories{streams: map[string]*history{}, upTo: map[string]int{}}
	for _, in := range program.Inputs() {
		s.source.streams[in.Name] = newHistory(rng, known[in.Name], []int{0, 3, 40, 150}[rng.IntN(4)])
	}
	return s
}

func (s *simulation) run(rng *rand.Rand) {
	pace := []int{1, 7, 40, 1000}[rng.IntN(4)]
	for first := true; first || s.left(); first = false {
		s.step(rng, pace)
		s.check()
		if rng.IntN(6) == 0 {
			s.restart()
		}
		if rng.IntN(3) == 0 {
			require.NoError(s.t, s.machine.Spill(1+rng.Int64N(1<<16)), s.name)
		}
	}
}

func (s *simulation) left() bool {
	for name, h := range s.source.streams {
		if s.source.upTo[name] < h.rows {
			return true
		}
	}
	return false
}

// step feeds some more rows of each input.
func (s *simulation) step(rng *rand.Rand, pace int) {
	step := continuous.Step{Inputs: map[string]continuous.InputStep{}}
	for _, in := range s.program.Inputs() {
		h, from := s.source.streams[in.Name], s.source.upTo[in.Name]
		to := min(h.rows, from+rng.IntN(pace+1))
		step.Inputs[in.Name] = continuous.InputStep{
			Rows:   continuous.Delta{Columns: h.slice(in.Fields, from, to), Rows: to - from},
			Closed: h.watermarks[to],
		}
		s.source.upTo[in.Name] = to
	}
	changes, err := s.machine.Step(context.Background(), step)
	require.NoError(s.t, err, s.name)
	s.apply(changes)
}

// apply adds changes to the content, holding them to what a Changes promises.
func (s *simulation) apply(c continuous.Changes) {
	key := s.program.Key()
	gone, came := map[string]bool{}, map[string]bool{}
	for i := range c.Rows {
		weight := int64(1)
		if c.Weights != nil {
			weight = c.Weights[i]
		}
		require.NotZero(s.t, weight, s.name)
		row := printRow(c.Columns, i)
		if s.content[row] += weight; s.content[row] == 0 {
			delete(s.content, row)
		}
		require.GreaterOrEqual(s.t, s.content[row], int64(0), "%s\nrow %s went without having come", s.name, row)
		if key == nil {
			continue
		}
		identity := printRow(pickColumns(c.Columns, key), i)
		if weight < 0 {
			require.False(s.t, came[identity], "%s\nkey %s comes before it goes", s.name, identity)
			require.False(s.t, gone[identity], "%s\nkey %s goes twice", s.name, identity)
			gone[identity] = true
		} else {
			require.False(s.t, came[identity], "%s\nkey %s comes twice", s.name, identity)
			came[identity] = true
		}
	}
	if c.Closed != continuous.NoWatermark {
		require.GreaterOrEqual(s.t, c.Closed, s.closed, s.name)
	}
	s.closed = c.Closed
}

func pickColumns(columns []arrow.Array, at []int) []arrow.Array {
	out := make([]arrow.Array, len(at))
	for i, c := range at {
		out[i] = columns[c]
	}
	return out
}

// check holds the content to the bounded answer.
func (s *simulation) check() {
	s.t.Helper()
	want := s.bounded()
	var got []string
	for row, weight := range s.content {
		for range weight {
			got = append(got, row)
		}
	}
	sort.Strings(got)
	require.Equal(s.t, want, got, "%s\nafter %v", s.name, s.source.upTo)
}

// bounded is the answer over the rows so far; of a program that holds rows back, those that the watermark has passed.
func (s *simulation) bounded() []string {
	result, err := exec.New(s.source, nil, exec.Options{Workers: 1}).Run(context.Background(), s.program.PlanAt(s.watermark()))
	require.NoError(s.t, err, s.name)
	defer result.Close()
	time, ok := s.program.Time()
	var out []string
	for {
		batch, err := result.Next()
		if errors.Is(err, io.EOF) {
			sort.Strings(out)
			return out
		}
		require.NoError(s.t, err, s.name)
		for i := range batch.Rows {
			if s.program.HoldsBack() && ok {
				at := batch.Columns[time].(*array.Timestamp)
				if at.IsNull(i) || s.closed == continuous.NoWatermark || int64(at.Value(i)) > s.closed {
					continue
				}
			}
			out = append(out, printRow(batch.Columns, i))
		}
	}
}

// watermark is the least of all inputs'.
func (s *simulation) watermark() int64 {
	least := int64(math.MaxInt64)
	for _, in := range s.program.Inputs() {
		least = min(least, s.source.streams[in.Name].watermarks[s.source.upTo[in.Name]])
	}
	return least
}

// restart goes on with a machine restored from a snapshot of this one.
func (s *simulation) restart() {
	var first, again bytes.Buffer
	require.NoError(s.t, s.machine.Snapshot(&first), s.name)
	restored, err := s.program.Restore(bytes.NewReader(first.Bytes()))
	require.NoError(s.t, err, s.name)
	require.NoError(s.t, restored.Snapshot(&again), s.name)
	if s.machine.Spilled() == 0 { // what was on disk is in memory now, in another order
		require.Equal(s.t, first.Bytes(), again.Bytes(), s.name)
	}
	require.NoError(s.t, s.machine.Close())
	s.machine = restored
}

// TestContinuousPlans runs the text files: each case is a query, and below it the operators that keep it current, or why there are none.
func TestContinuousPlans(t *testing.T) {
	t.Parallel()
	known := defineStreams(t)
	datadriven.Walk(t, "testdata/continuous", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			options := continuous.Options{}
			for _, arg := range d.CmdArgs {
				switch arg.Key {
				case "close":
					options.Emit = continuous.OnWindowClose
				case "memory":
					options.MemoryBytes = 1 << 30
				}
			}
			program, err := compileSQL(t, d.Input, known, options)
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return describeProgram(program)
		})
	})
}

func describeProgram(p *continuous.Program) string {
	var b strings.Builder
	for i, c := range p.Columns() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.Name)
		if slices.Contains(p.Key(), i) {
			b.WriteString(" key")
		}
		if at, ok := p.Time(); ok && at == i {
			b.WriteString(" time")
		}
		if c.Hidden {
			b.WriteString(" hidden")
		}
	}
	final := map[continuous.Finality]string{
		continuous.FinalNever: "never", continuous.FinalByTime: "by time", continuous.FinalAtOnce: "at once",
	}
	return fmt.Sprintf("%s; final %s\n%s", b.String(), final[p.Finality()], p)
}
