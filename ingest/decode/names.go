package decode

import "github.com/tidemarkdb/tidemark/event"

// names finds a schema's columns by their names. Those that are asked for in the schema's order, as most are, are found without a table.
type names struct {
	schema *event.Schema
	next   int
	places map[string]int
}

// find gives the place of a column.
func (n *names) find(name string) (at int, known bool) {
	columns := n.schema.Columns
	if n.next < len(columns) && columns[n.next].Name == name {
		n.next++
		return n.next - 1, true
	}
	if n.places == nil {
		n.places = make(map[string]int, len(columns))
		for i := range columns {
			n.places[columns[i].Name] = i
		}
	}
	if at, known = n.places[name]; known {
		n.next = at + 1
	}
	return at, known
}
