// Package logictest runs sqllogictest files, as SQLite and DuckDB write them, against a server over HTTP.
//
// A file holds statements that must succeed or fail, and queries with the types of their columns and the answer expected, in
// full or as an MD5 of it (https://www.sqlite.org/sqllogictest). Of DuckDB's extensions, loops, require, mode skip, answers with
// a row on a line, regular expressions as answers and expected messages are understood.
//
// The files are written for tables, so CREATE TABLE becomes CREATE STREAM without its constraints and indexes are left out.
// What cannot be said about a stream, and what the file says is not for this engine, is skipped and counted; nothing is skipped
// in silence.
package logictest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/server/client"
)

// Engine is the name that files know this engine by in skipif and onlyif.
const Engine = "tidemark"

// errHalt ends a file early.
var errHalt = errors.New("halt")

// Report counts what became of a file's entries.
type Report struct {
	Passed int
	// Skipped and Failed count entries by reason. The reason of a refused entry is the error's code.
	Skipped map[string]int
	Failed  map[string]int
	// Failures describes failed entries, in order.
	Failures []Failure
}

// Failure is one entry that did not do what the file says.
type Failure struct {
	Line   int
	Reason string
	SQL    string
	Detail string
}

// WrongAnswer is the reason of a query that was answered, and not as expected.
const WrongAnswer = "wrong answer"

func (f Failure) String() string {
	return fmt.Sprintf("line %d: %s: %s\n  %s", f.Line, f.Reason, strings.TrimSpace(f.Detail), strings.TrimSpace(f.SQL))
}

// String is one line of counts.
func (r *Report) String() string {
	out := fmt.Sprintf("%d passed", r.Passed)
	for _, part := range []struct {
		name   string
		counts map[string]int
	}{{"failed", r.Failed}, {"skipped", r.Skipped}} {
		var reasons []string
		total := 0
		for reason, n := range part.counts {
			reasons = append(reasons, fmt.Sprintf("%s: %d", reason, n))
			total += n
		}
		slices.Sort(reasons)
		out += fmt.Sprintf(", %d %s", total, part.name)
		if total > 0 {
			out += " (" + strings.Join(reasons, ", ") + ")"
		}
	}
	return out
}

// runner is one run of one file.
type runner struct {
	client *client.Client
	report *Report
	// labels holds the answers of queries that must all give the same.
	labels map[string]string
	// skipping is between mode skip and mode unskip.
	skipping bool
}

// Run runs a file against a server that holds nothing yet. The error is about the file or the connection; what the file tests
// is in the report.
func Run(ctx context.Context, c *client.Client, file io.Reader) (*Report, error) {
	records, err := parse(file)
	if err != nil {
		return nil, err
	}
	r := &runner{
		client: c, report: &Report{Skipped: map[string]int{}, Failed: map[string]int{}}, labels: map[string]string{},
	}
	err = r.run(ctx, records)
	if errors.Is(err, errHalt) {
		err = nil
	}
	return r.report, err
}

func (r *runner) run(ctx context.Context, records []record) error {
	for i := range records {
		if err := r.one(ctx, &records[i]); err != nil {
			return err
		}
	}
	return nil
}

// one runs an entry. An error ends the run.
func (r *runner) one(ctx context.Context, e *record) error {
	if !e.applies() {
		r.report.Skipped["for other engines"]++
		return nil
	}
	if r.skipping && e.kind != kindMode {
		r.report.Skipped["mode skip"]++
		return nil
	}
	switch e.kind {
	case kindStatement:
		return r.statement(ctx, e)
	case kindQuery:
		return r.query(ctx, e)
	case kindLoop, kindForeach:
		return r.loop(ctx, e)
	case kindHalt:
		return errHalt
	case kindRequire: // an extension of another engine: the rest of the file needs it
		r.report.Skipped["require "+strings.Join(e.words, " ")]++
		return errHalt
	case kindMode:
		r.skipping = len(e.words) > 0 && e.words[0] == "skip"
	case kindThreshold: // a long answer is recognized by its form
	default:
		r.report.Skipped["other entries"]++
	}
	return nil
}

func (e *record) applies() bool {
	for _, c := range e.conditions {
		if c.only != (c.engine == Engine) {
			return false
		}
	}
	return true
}

func (r *runner) loop(ctx context.Context, e *record) error {
	name, values, err := e.iterations()
	if err != nil {
		return err
	}
	for _, value := range values {
		once := e.with(name, value)
		if err := r.run(ctx, once.body); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) statement(ctx context.Context, e *record) error {
	sql, skip := translate(e.sql)
	if skip != "" {
		r.report.Skipped[skip]++
		return nil
	}
	_, err := r.client.Query(ctx, sql, client.QueryOptions{})
	var refused *client.Error
	if err != nil && !errors.As(err, &refused) {
		return fmt.Errorf("line %d: %w", e.line, err)
	}
	switch mustFail := e.words[0] == "error"; { // any message will do: files name those of other engines
	case e.words[0] == "maybe":
		r.report.Passed++
	case mustFail && refused == nil:
		r.fail(e, "no error", "the statement should have failed")
	case !mustFail && refused != nil:
		r.fail(e, string(refused.Code), refused.Error())
	default:
		r.report.Passed++
	}
	return nil
}

func (r *runner) query(ctx context.Context, e *record) error {
	sql, skip := translate(e.sql)
	if skip != "" {
		r.report.Skipped[skip]++
		return nil
	}
	result, err := r.client.Query(ctx, sql, client.QueryOptions{})
	var refused *client.Error
	switch {
	case errors.As(err, &refused):
		r.fail(e, string(refused.Code), refused.Error())
		return nil
	case err != nil:
		return fmt.Errorf("line %d: %w", e.line, err)
	case !e.answered:
		r.report.Passed++
		return nil
	}
	got, err := renderRows(e.words[0], result)
	if err != nil {
		r.fail(e, WrongAnswer, err.Error())
		return nil
	}
	sorting, label := "nosort", ""
	if len(e.words) > 1 {
		sorting = e.words[1]
	}
	if len(e.words) > 2 {
		label = e.words[2]
	}
	values := arrange(got, sorting)
	if difference := compare(values, len(e.words[0]), sorting, e.expected); difference != "" {
		r.fail(e, WrongAnswer, difference)
		return nil
	}
	if known, ok := r.labels[label]; ok && known != digest(values) {
		r.fail(e, WrongAnswer, "another query with the label "+label+" gave another answer")
		return nil
	}
	if label != "" {
		r.labels[label] = digest(values)
	}
	r.report.Passed++
	return nil
}

func (r *runner) fail(e *record, reason, detail string) {
	r.report.Failed[reason]++
	r.report.Failures = append(r.report.Failures, Failure{Line: e.line, Reason: reason, SQL: e.sql, Detail: detail})
}
