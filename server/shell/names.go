package shell

import (
	"context"
	"time"

	"github.com/tidemarkdb/tidemark/server/client"
)

const (
	// namesAge is how long learned names are offered before the server is asked again.
	namesAge = 5 * time.Second
	// namesWait bounds how long a press of Tab may hang.
	namesWait = 300 * time.Millisecond
)

// allNames asks for what can be read FROM.
const allNames = "SELECT name FROM system.streams UNION ALL SELECT name FROM system.views"

// names remembers the streams and columns of the server for completion.
type names struct {
	db    Querier
	clock func() time.Time

	streams   []string
	streamsAt time.Time
	columns   map[string]learned
	// functions and tables are those of the server, which do not change.
	functions, tables learned
}

type learned struct {
	names []string
	at    time.Time
}

// streamNames lists the streams and views, from memory if it is fresh. A server that does not answer in time costs the completion only.
func (n *names) streamNames() []string {
	if n.clock().Sub(n.streamsAt) < namesAge {
		return n.streams
	}
	n.streams, n.streamsAt = n.firstColumn(allNames), n.clock()
	return n.streams
}

// functionNames lists the functions of the server.
func (n *names) functionNames() []string {
	return n.lasting(&n.functions, "SELECT DISTINCT name FROM system.functions")
}

// tableNames lists the system tables.
func (n *names) tableNames() []string { return n.lasting(&n.tables, "SELECT name FROM system.tables") }

// lasting asks for names that do not change: once, or again after a while where there was no answer.
func (n *names) lasting(known *learned, sql string) []string {
	if known.names == nil && n.clock().Sub(known.at) >= namesAge {
		*known = learned{names: n.firstColumn(sql), at: n.clock()}
	}
	return known.names
}

// columnNames lists the columns of a stream.
func (n *names) columnNames(stream string) []string {
	if known, ok := n.columns[stream]; ok && n.clock().Sub(known.at) < namesAge {
		return known.names
	}
	if n.columns == nil {
		n.columns = map[string]learned{}
	}
	found := n.firstColumn("DESCRIBE " + quoteName(stream))
	n.columns[stream] = learned{names: found, at: n.clock()}
	return found
}

func (n *names) firstColumn(sql string) []string {
	ctx, cancel := context.WithTimeout(context.Background(), namesWait)
	defer cancel()
	result, err := n.db.Query(ctx, sql, client.QueryOptions{})
	if err != nil {
		return nil
	}
	var out []string
	for _, row := range result.Rows {
		if len(row) > 0 {
			if name, ok := row[0].(string); ok {
				out = append(out, name)
			}
		}
	}
	return out
}
