package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/shell"
)

// replayRejectedCmd sends the rejected rows of a stream again.
type replayRejectedCmd struct {
	Stream string `arg:"" help:"Stream whose rejected rows to send."`
	From   string `placeholder:"TIME" help:"Leave out rows that were rejected before this time."`
	DryRun bool   `help:"Only say what would be sent."`
	URL    string `placeholder:"URL" help:"Address of the server ($$TIDEMARK_URL)."`
}

// shownOutcomes is how many reasons are told apart on the terminal.
const shownOutcomes = 20

// outcomeWords say what became of rows.
var outcomeWords = map[client.ReplayOutcome]string{
	client.ReplayAccepted: "accepted", client.ReplayDuplicate: "accepted before", client.ReplayRejected: "still rejected", client.ReplayUnsent: "to be sent",
}

// Run sends the rows. It is a failure if some are still rejected.
func (c *replayRejectedCmd) Run(p *process) error {
	db, err := p.client(c.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	counts, err := db.ReplayRejected(ctx, c.Stream, client.ReplayOptions{From: c.From, DryRun: c.DryRun})
	rejected := printOutcomes(p.stdout, c.Stream, counts)
	if err != nil {
		return fmt.Errorf("replay rejected rows of %s: %w", c.Stream, describeError(err))
	}
	if rejected {
		return errSilent
	}
	return nil
}

// printOutcomes prints the counts, first by outcome and then by reason, and reports whether rows are still rejected.
func printOutcomes(w io.Writer, stream string, counts map[client.ReplayCount]int64) bool {
	totals := map[client.ReplayOutcome]int64{}
	for key, n := range counts {
		totals[key.Outcome] += n
	}
	parts := []string{"no rejected rows"}
	if len(totals) > 0 {
		parts = nil
	}
	for _, outcome := range slices.Sorted(maps.Keys(totals)) {
		parts = append(parts, fmt.Sprintf("%s %s", shell.Thousands(totals[outcome]), outcomeWords[outcome]))
	}
	fmt.Fprintf(w, "%s: %s\n", stream, strings.Join(parts, ", "))
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b client.ReplayCount) int {
		if d := int(a.Outcome - b.Outcome); d != 0 {
			return d
		}
		if d := counts[b] - counts[a]; d != 0 {
			return int(max(min(d, 1), -1))
		}
		return strings.Compare(a.Reason, b.Reason)
	})
	for _, key := range keys[:min(len(keys), shownOutcomes)] {
		fmt.Fprintf(w, "  %s %s: %s\n", shell.Thousands(counts[key]), outcomeWords[key.Outcome], shell.Cell(key.Reason))
	}
	if more := len(keys) - shownOutcomes; more > 0 {
		fmt.Fprintf(w, "  and %d more reasons\n", more)
	}
	return totals[client.ReplayRejected] > 0
}
