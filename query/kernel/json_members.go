package kernel

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/jsonscan"
)

// JSONMember is a member of documents along a path of names through objects; Text is for what ->> gives instead of ->.
type JSONMember struct {
	Path []string
	Text bool
}

// JSONMembers takes members out of documents together. It never changes and may be shared by workers.
type JSONMembers struct {
	paths *jsonscan.Paths
	at    []int // where each member's path is among paths
	forms []jsonForm
}

// NewJSONMembers prepares members to be taken out.
func NewJSONMembers(members []JSONMember) *JSONMembers {
	paths := make([][]string, len(members))
	for i, m := range members {
		paths[i] = m.Path
	}
	out := &JSONMembers{paths: jsonscan.NewPaths(paths)}
	for _, m := range members {
		at, _ := slices.BinarySearchFunc(out.paths.Paths(), m.Path, slices.Compare[[]string])
		form := jsonForm(appendJSON)
		if m.Text {
			form = appendJSONAsText
		}
		out.at, out.forms = append(out.at, at), append(out.forms, form)
	}
	return out
}

// Of gives a column for each member of a column of documents, which may be a dictionary, exactly as the operators would.
func (m *JSONMembers) Of(documents arrow.Array) ([]arrow.Array, error) {
	if d, ok := documents.(*array.Dictionary); ok && d.Dictionary().Len() <= d.Len() {
		if d.Dictionary().Len() == 0 {
			return slices.Repeat([]arrow.Array{event.NewNulls(event.Type{Kind: event.Text}, d.Len())}, len(m.at)), nil
		}
		out, err := m.Of(d.Dictionary())
		for i := range out {
			out[i] = throughCodes(out[i], d)
		}
		return out, err
	}
	rows, texts, valid := documents.Len(), textsOf(Operand{Array: documents}), event.ValidityOf(documents)
	columns, values := make([]memberTexts, len(m.at)), make([]string, len(m.paths.Paths()))
	for i := range columns {
		columns[i] = memberTexts{ends: make([]int32, 1, rows+1), valid: event.NewBitmap(rows)}
	}
	for row := range rows {
		clear(values)
		if valid.Valid(row) {
			m.paths.Extract(texts.at(row), values)
		}
		for i := range columns {
			if err := columns[i].add(row, values[m.at[i]], m.forms[i]); err != nil {
				return nil, err
			}
		}
	}
	out := make([]arrow.Array, len(columns))
	for i, c := range columns {
		out[i] = event.NewStrings(c.ends, c.data, c.valid)
	}
	return out, nil
}

// memberTexts is a column of text that grows by rows.
type memberTexts struct {
	ends  []int32
	data  []byte
	valid event.Bitmap
}

// add adds a member's text in a form, or NULL where there is none.
func (c *memberTexts) add(row int, value string, form jsonForm) error {
	if value != "" {
		var ok bool
		if c.data, ok = form(c.data, value); ok {
			c.valid.Set(row)
		}
		if len(c.data) > maxTextBytes {
			return errTooMuchText()
		}
	}
	c.ends = append(c.ends, int32(len(c.data)))
	return nil
}
