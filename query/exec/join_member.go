package exec

import (
	"github.com/apache/arrow-go/v18/arrow"
)

// members answers the test of a mark join where that is an equality, as of IN: true where a row with equal keys and an equal value is
// there, and otherwise NULL where the values cannot be told apart because one is NULL.
type members struct {
	// rows has the rows by the keys of the conditions alone.
	rows *joinTable
	// nulls says of each group of rows whether one of its values is NULL.
	nulls []bool
}

// newMembers takes in the build side; the last of its keys is the value.
func (o *joinOp) newMembers(keys []arrow.Array, rows int) (*members, error) {
	last := len(keys) - 1
	out := &members{rows: newJoinTable(o.newKeys(last))}
	groups, err := out.rows.build(o.run.kernel, keys[:last], rows)
	if err != nil {
		return nil, err
	}
	out.nulls = make([]bool, len(out.rows.starts))
	for row, g := range groups {
		if keys[last].DataType().ID() == arrow.NULL || keys[last].IsNull(row) {
			out.nulls[g] = true
		}
	}
	return out, nil
}

// newKeys makes the first n key columns.
func (o *joinOp) newKeys(n int) []joinKey {
	out := make([]joinKey, n)
	for i, t := range o.keyTypes[:n] {
		out[i], _ = newJoinKey(t)
	}
	return out
}

// decide marks the rows of the batch, whose groups have been found, without looking at pairs.
func (r *joinReader) decide(keys []arrow.Array) {
	last := len(keys) - 1
	groups := make([]uint32, r.batch.Rows)
	if r.build.batch.Rows > 0 {
		r.build.members.rows.probe(keys[:last], groups, &r.scratch)
	}
	for row, equal := range r.groups {
		switch g := groups[row]; {
		case equal != 0:
			r.met.Set(row)
		case g == 0:
		case r.build.members.nulls[g] || keys[last].DataType().ID() == arrow.NULL || keys[last].IsNull(row):
			r.unknown.Set(row)
		}
	}
	r.row = r.batch.Rows
}

func (m *members) bytes() int64 {
	if m == nil {
		return 0
	}
	return m.rows.bytes() + int64(len(m.nulls))
}
