package exec

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/query"
	"github.com/tidemarkdb/tidemark/query/kernel"
	"github.com/tidemarkdb/tidemark/query/optimize"
	"github.com/tidemarkdb/tidemark/query/plan"
)

// scanMembers are the members of documents that a scan gives. A morsel that keeps a member by itself has its rows read like those of any column.
// Of other morsels the documents are read, conditions look at these as if there were no members, and members are computed for the rows that are
// kept.
//
// Inside the scan a batch has the scan's fields, its members, and the columns of documents that are not among its fields.
type scanMembers struct {
	fields  int
	members []scanMember
	// requested are the columns that the source is asked for, the documents last.
	requested []event.FieldID
	// fromDocuments are the scan's conditions in terms of documents.
	fromDocuments []condition
}

type scanMember struct {
	path     []string
	document int // column of the batch
	// asText makes the text of what ReadMember gives; nil where that is wanted itself.
	asText *kernel.Program
}

// newScanMembers is nil for a scan without members.
func newScanMembers(n *plan.Scan) (*scanMembers, error) {
	if len(n.Members) == 0 {
		return nil, nil
	}
	s := &scanMembers{fields: len(n.Fields), requested: slices.Clip(n.Fields)}
	computed := make([]plan.Expr, len(n.Members))
	for i, m := range n.Members {
		at := slices.Index(s.requested, m.Column)
		if at < 0 {
			at = len(s.requested)
			s.requested = append(s.requested, m.Column)
		}
		document := s.column(at, len(n.Members))
		computed[i] = optimize.ReplaceColumns(m.Expr, func(c *plan.ColumnRef) plan.Expr {
			return &plan.ColumnRef{Index: document, Name: c.Name, Typ: c.Typ}
		})
		member := scanMember{path: m.Path, document: document}
		if m.Text {
			programs, err := compileAll([]plan.Expr{wholeAsText})
			if err != nil {
				return nil, err
			}
			member.asText = programs[0]
		}
		s.members = append(s.members, member)
	}
	filter := make([]plan.Expr, len(n.Filter))
	for i, e := range n.Filter {
		filter[i] = optimize.ReplaceColumns(e, func(c *plan.ColumnRef) plan.Expr {
			if c.Index >= s.fields {
				return computed[c.Index-s.fields]
			}
			return c
		})
	}
	var err error
	s.fromDocuments, err = compileConditions(filter, s.width())
	return s, err
}

// wholeAsText is what ->> gives for a member, over a column of what -> gives.
var wholeAsText = &plan.Call{Fn: plan.Functions["#>>"][0], Args: []plan.Expr{
	&plan.ColumnRef{Typ: event.Type{Kind: event.JSONB}},
	&plan.Literal{Value: event.NewStrings([]int32{0, 2}, []byte("{}"), nil), Typ: event.Type{Kind: event.Text}},
}}

// column is the place in a batch of a column that the source is asked for.
func (s *scanMembers) column(requested, members int) int {
	if requested < s.fields {
		return requested
	}
	return requested + members
}

// requestedAt is the place among the columns that the source is asked for of a column of the batch that is no member.
func (s *scanMembers) requestedAt(column int) int {
	if column < s.fields {
		return column
	}
	return column - len(s.members)
}

// width is the number of columns of a batch inside the scan, and given that of a batch it gives.
func (s *scanMembers) width() int { return len(s.requested) + len(s.members) }
func (s *scanMembers) given() int { return s.fields + len(s.members) }

// storedBy says which members a morsel keeps by themselves.
func (s *scanMembers) storedBy(m query.Morsel) []bool {
	out := make([]bool, len(s.members))
	if membered, ok := m.(query.Membered); ok {
		for i := range s.members {
			out[i] = membered.HasMember(s.requestedAt(s.members[i].document), s.members[i].path)
		}
	}
	return out
}

// readable reports that a condition looks at no member but those that are stored.
func (s *scanMembers) readable(c *condition, stored []bool) bool {
	for i, is := range stored {
		if !is && c.reads[s.fields+i] {
			return false
		}
	}
	return true
}

// kept adds to the columns that are kept the documents of members that have to be computed.
func (s *scanMembers) kept(keep, stored []bool) []bool {
	out := slices.Clone(keep)
	for i, is := range stored {
		if keep[s.fields+i] && !is {
			out[s.members[i].document] = true
		}
	}
	return out
}

// read reads columns of a morsel; those that are wanted may be members that the morsel keeps.
func (s *scanMembers) read(ctx context.Context, r *scanReader, wanted []bool) (columns []arrow.Array, bytes int64, err error) {
	asked := make([]bool, len(s.requested))
	for i := range asked {
		asked[i] = wanted[s.column(i, len(s.members))]
	}
	read, bytes, err := r.source.Read(ctx, asked, r.memory)
	if err == nil && len(read) != len(asked) {
		err = fmt.Errorf("the source gave %d columns instead of %d", len(read), len(asked))
	}
	if err != nil {
		return nil, bytes, err
	}
	columns = make([]arrow.Array, s.width())
	for i, c := range read {
		columns[s.column(i, len(s.members))] = c
	}
	for i := range s.members {
		if !wanted[s.fields+i] || !r.stored[i] {
			continue
		}
		m := &s.members[i]
		values, n, err := r.source.(query.Membered).ReadMember(ctx, s.requestedAt(m.document), m.path, r.memory)
		bytes += n
		if err != nil {
			return nil, bytes, err
		}
		if m.asText != nil {
			text, err := m.asText.Eval(r.op.run.kernel, []arrow.Array{values}, r.morsel.Rows)
			if err != nil {
				return nil, bytes, err
			}
			values = text.Expand(r.morsel.Rows)
		}
		columns[s.fields+i] = values
	}
	return columns, bytes, nil
}

// extraction is the members that have to be taken out of one column of documents, together.
type extraction struct {
	document int
	members  []int // their columns in a batch
	taken    *kernel.JSONMembers
}

// extractions are those for the members that are kept and that a morsel does not store.
func (s *scanMembers) extractions(keep, stored []bool) []extraction {
	var out []extraction
	for document := range s.width() {
		var wanted []kernel.JSONMember
		var columns []int
		for i := range s.members {
			if m := &s.members[i]; m.document == document && keep[s.fields+i] && !stored[i] {
				wanted, columns = append(wanted, kernel.JSONMember{Path: m.path, Text: m.asText != nil}), append(columns, s.fields+i)
			}
		}
		if len(wanted) > 0 {
			out = append(out, extraction{document: document, members: columns, taken: kernel.NewJSONMembers(wanted)})
		}
	}
	return out
}

// compute adds the members that the morsel does not keep to a batch, and leaves it with the columns that the scan gives.
func (s *scanMembers) compute(r *scanReader, batch *Batch) error {
	for _, e := range r.missing {
		values, err := e.taken.Of(batch.Columns[e.document])
		if err != nil {
			return err
		}
		for i, column := range e.members {
			batch.Columns[column] = values[i]
		}
	}
	batch.Columns = batch.Columns[:s.given()]
	return nil
}
