package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/server/client"
)

// tailCmd prints a stream's events, or the changes of a query's answer, as they come.
type tailCmd struct {
	Stream  string `arg:"" optional:"" help:"Stream to follow."`
	Query   string `short:"q" placeholder:"SQL" help:"Query whose answer to follow, in place of a stream."`
	From    string `enum:"earliest,latest" default:"latest" help:"Where to begin: earliest or latest."`
	Records bool   `help:"Print partition, offset and time with each event."`
	URL     string `placeholder:"URL" help:"Address of the server ($$TIDEMARK_URL)."`
}

// Run follows all partitions side by side until it is interrupted. Events of one partition come in order.
func (c *tailCmd) Run(p *process) error {
	db, err := p.client(c.URL)
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if (c.Stream == "") == (c.Query == "") {
		return usagef("name a stream to follow, or give a query with -q")
	}
	if c.Query != "" {
		return c.followQuery(ctx, db, p)
	}
	printer := &recordPrinter{process: p, whole: c.Records}
	err = db.Follow(ctx, c.Stream, client.FollowOptions{Earliest: c.From == "earliest", Outage: p.tellOutage}, printer.print)
	if err != nil && !client.IsCancelled(err) {
		return describeError(err)
	}
	return nil
}

// recordPrinter prints records, a line each.
type recordPrinter struct {
	process *process
	whole   bool
}

func (r *recordPrinter) print(record client.Record) error {
	line := []byte(record.Value)
	if r.whole {
		var err error
		if line, err = json.Marshal(record); err != nil {
			return fmt.Errorf("print record: %w", err)
		}
	}
	_, err := r.process.stdout.Write(append(line, '\n'))
	return err
}

// tellOutage says on standard error that the server is lost, or with no cause that it is back.
func (p *process) tellOutage(cause error) {
	if cause == nil {
		fmt.Fprintln(p.stderr, "tidemark: the server is back; going on where it ended")
		return
	}
	fmt.Fprintf(p.stderr, "tidemark: %v; trying again until the server is back\n", cause)
}

// followQuery prints each change as a JSON object with the member _op: insert, update or delete. What a reset makes void is told as
// {"_op":"reset"}.
func (c *tailCmd) followQuery(ctx context.Context, db *client.Client, p *process) error {
	err := db.Subscribe(ctx, c.Query, client.SubscribeOptions{Outage: p.tellOutage}, func(e client.Event) error {
		if e.Kind == "reset" {
			_, err := fmt.Fprintln(p.stdout, `{"_op":"reset"}`)
			return err
		}
		for _, row := range e.Rows {
			if _, err := p.stdout.Write(append(appendChange(nil, e.Columns, row), '\n')); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !client.IsCancelled(err) {
		return describeError(err)
	}
	return nil
}

// appendChange writes a row with its op as an object, in the order of the columns.
func appendChange(dst []byte, columns []client.EventColumn, row []json.RawMessage) []byte {
	dst = append(append(dst, `{"_op":`...), row[0]...)
	for i, c := range columns {
		if !c.Hidden {
			dst = append(event.AppendJSONString(append(dst, ','), c.Name), ':')
			dst = append(dst, row[1+i]...)
		}
	}
	return append(dst, '}')
}
