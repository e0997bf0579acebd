package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query/exec"
	"github.com/tidemarkdb/tidemark/query/plan"
	"github.com/tidemarkdb/tidemark/server/api"
	"github.com/tidemarkdb/tidemark/sql/bind"
)

// explanation is a plan and, where the query has been run for it, what that cost.
type explanation struct {
	root plan.Node
	// result is read to its end; nil for a plan that was not run.
	result                *exec.Result
	rows                  int64
	planning, runningTime time.Duration
}

// explain shows a query's plan, after running it where it is to be analyzed.
func (r *runner) explain(ctx context.Context, b bind.Explain) (api.Rows, error) {
	started := time.Now()
	root, err := r.app.optimized(b.Query)
	if err != nil {
		return nil, err
	}
	e := &explanation{root: root}
	if b.Analyze {
		if err := e.analyze(ctx, r.app.engine, started); err != nil {
			return nil, err
		}
	}
	if b.JSON {
		text, err := e.json()
		return newRows(documents("plan", []string{text})), err
	}
	return newRows(texts("plan", e.lines())), nil
}

// analyze runs the query and counts its rows; the answer itself goes nowhere.
func (e *explanation) analyze(ctx context.Context, engine *exec.Engine, started time.Time) error {
	result, err := engine.Profile(ctx, e.root)
	if err != nil {
		return err
	}
	e.root, e.result, e.planning = result.Plan(), result, time.Since(started)
	started = time.Now()
	for {
		batch, err := result.Next()
		if err != nil {
			e.runningTime = time.Since(started)
			return errors.Join(endOfRows(err), result.Close())
		}
		e.rows += int64(batch.Rows)
	}
}

// lines is the plan as text, a line for each operator and below it what it cost.
func (e *explanation) lines() []string {
	if e.result == nil {
		return strings.Split(strings.TrimRight(plan.Print(e.root), "\n"), "\n")
	}
	lines := e.tree(e.root)
	for _, row := range e.result.EarlyRows() {
		lines = append(lines, "Read first: "+strings.Join(namedValues(row), ", "))
		for _, line := range e.tree(row.Plan) {
			lines = append(lines, "  "+line)
		}
	}
	total := e.result.Stats()
	return append(lines,
		fmt.Sprintf("Planning: %s", milliseconds(e.planning)),
		fmt.Sprintf("Execution: %s, %s, peak memory %s", milliseconds(e.runningTime), count(e.rows, "row"), exec.FormatBytes(total.PeakMemoryBytes)),
	)
}

// tree is a plan that was run with what each operator cost.
func (e *explanation) tree(root plan.Node) []string {
	text := plan.PrintNotes(root, func(n plan.Node) string {
		stats, ok := e.result.NodeStats(n)
		if !ok {
			return "(never run)"
		}
		return "(" + strings.Join(append(costs(stats), e.scanned(n, stats.Scan)...), ", ") + ")"
	})
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// namedValues words a row that was read first, as name = value.
func namedValues(row exec.EarlyRow) []string {
	var out []string
	for i, c := range row.Plan.Columns() {
		out = append(out, c.Name+" = "+row.Values[i].String())
	}
	return out
}

// costs words what an operator cost; what is nothing is left out.
func costs(stats exec.NodeStats) []string {
	out := []string{count(stats.Rows, "row"), milliseconds(stats.Elapsed)}
	if stats.Workers > 1 {
		out = append(out, count(stats.Workers, "worker"))
	}
	if stats.Builds > 1 {
		out = append(out, fmt.Sprintf("run %d times", stats.Builds))
	}
	if stats.PeakMemoryBytes > 0 {
		out = append(out, "memory "+exec.FormatBytes(stats.PeakMemoryBytes))
	}
	if stats.Scan.SpilledBytes > 0 {
		out = append(out, "spilled "+exec.FormatBytes(stats.Scan.SpilledBytes))
	}
	return out
}

// scanned words what a scan read.
func (e *explanation) scanned(n plan.Node, s exec.Stats) []string {
	if _, ok := n.(*plan.Scan); !ok {
		return nil
	}
	out := []string{
		count(s.RowsScanned, "row") + " read", exec.FormatBytes(s.BytesScanned),
		fmt.Sprintf("segments %d of %d", s.SegmentsScanned, s.SegmentsScanned+s.SegmentsPruned+s.SegmentsSettled),
		fmt.Sprintf("row groups %d of %d", s.RowGroupsScanned, s.RowGroupsScanned+s.RowGroupsPruned),
	}
	if s.SegmentsSettled > 0 {
		out = append(out, fmt.Sprintf("%d known by statistics", s.SegmentsSettled))
	}
	if s.RowsNarrowed > 0 {
		out = append(out, count(s.RowsNarrowed, "row")+" left out for operators above")
	}
	if s.TailRows > 0 {
		out = append(out, count(s.TailRows, "row")+" in the tail")
	}
	return out
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.3f ms", inMilliseconds(d)) }

func inMilliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// explainedNode is a node of EXPLAIN (FORMAT JSON).
type explainedNode struct {
	Operator string           `json:"operator"`
	Detail   string           `json:"detail"`
	Costs    *explainedCosts  `json:"costs,omitempty"`
	Inputs   []*explainedNode `json:"inputs,omitempty"`
}

// explainedEarly is a row that was read before the plan, in which its values are constants.
type explainedEarly struct {
	Values []string       `json:"values"`
	Plan   *explainedNode `json:"plan"`
}

// explainedCosts are missing where the query was not run.
type explainedCosts struct {
	Rows            int64          `json:"rows"`
	Batches         int64          `json:"batches"`
	ElapsedMS       float64        `json:"elapsed_ms"`
	Runs            int64          `json:"runs"`
	Workers         int64          `json:"workers"`
	PeakMemoryBytes int64          `json:"peak_memory_bytes"`
	SpilledBytes    int64          `json:"spilled_bytes"`
	Scan            *explainedScan `json:"scan,omitempty"`
}

type explainedScan struct {
	RowsScanned      int64 `json:"rows_scanned"`
	BytesScanned     int64 `json:"bytes_scanned"`
	SegmentsScanned  int   `json:"segments_scanned"`
	SegmentsPruned   int   `json:"segments_pruned"`
	SegmentsSettled  int   `json:"segments_known_by_statistics"`
	RowGroupsScanned int   `json:"row_groups_scanned"`
	RowGroupsPruned  int   `json:"row_groups_pruned"`
	TailRows         int64 `json:"tail_rows"`
	RowsNarrowed     int64 `json:"rows_left_out_by_joins"`
}

// json is the plan as one JSON document.
func (e *explanation) json() (string, error) {
	document := struct {
		Plan            *explainedNode   `json:"plan"`
		ReadFirst       []explainedEarly `json:"read_first,omitempty"`
		PlanningMS      *float64         `json:"planning_ms,omitempty"`
		ExecutionMS     *float64         `json:"execution_ms,omitempty"`
		PeakMemoryBytes *int64           `json:"peak_memory_bytes,omitempty"`
	}{Plan: e.node(e.root)}
	if e.result != nil {
		for _, row := range e.result.EarlyRows() {
			document.ReadFirst = append(document.ReadFirst, explainedEarly{Values: namedValues(row), Plan: e.node(row.Plan)})
		}
		planning, running, memory := inMilliseconds(e.planning), inMilliseconds(e.runningTime), e.result.Stats().PeakMemoryBytes
		document.PlanningMS, document.ExecutionMS, document.PeakMemoryBytes = &planning, &running, &memory
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(document); err != nil {
		return "", fmt.Errorf("encode plan: %w", err)
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func (e *explanation) node(n plan.Node) *explainedNode {
	operator, detail, _ := strings.Cut(plan.Describe(n), " ")
	out := &explainedNode{Operator: operator, Detail: detail}
	if e.result != nil {
		out.Costs = e.costsOf(n)
	}
	for _, in := range n.Inputs() {
		out.Inputs = append(out.Inputs, e.node(in))
	}
	return out
}

func (e *explanation) costsOf(n plan.Node) *explainedCosts {
	stats, ok := e.result.NodeStats(n)
	if !ok {
		return nil
	}
	out := &explainedCosts{
		Rows: stats.Rows, Batches: stats.Batches, ElapsedMS: inMilliseconds(stats.Elapsed), Runs: stats.Builds, Workers: stats.Workers,
		PeakMemoryBytes: stats.PeakMemoryBytes, SpilledBytes: stats.Scan.SpilledBytes,
	}
	if _, ok := n.(*plan.Scan); ok {
		s := stats.Scan
		out.Scan = &explainedScan{
			s.RowsScanned, s.BytesScanned, s.SegmentsScanned, s.SegmentsPruned, s.SegmentsSettled, s.RowGroupsScanned, s.RowGroupsPruned, s.TailRows,
			s.RowsNarrowed,
		}
	}
	return out
}

// documents is a column of JSON documents.
func documents(name string, values []string) column {
	return column{name, event.Type{Kind: event.JSONB}, textColumn(values, nil)}
}
