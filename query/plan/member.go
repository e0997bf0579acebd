package plan

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
)

// Member is a member of the documents of a scanned stream's JSONB column, given as a column of the scan. Where the source keeps it by itself the
// document is not read; elsewhere it is computed from the document.
type Member struct {
	// Column is that of the documents, which Fields need not have.
	Column event.FieldID
	// Path are the names that lead to the member, through objects only.
	Path []string
	// Text asks for what ->> gives, and not for what -> gives.
	Text bool
	// Expr computes the member from the document, which is column 0.
	Expr Expr
}

// MemberName is how plans show a member of a scan.
func (n *Scan) MemberName(m Member) string {
	c, _ := n.Schema.ByID(m.Column)
	last := len(m.Path) - 1
	out := strings.Join(append([]string{c.Name}, m.Path[:last]...), "->")
	if m.Text {
		return out + "->>" + m.Path[last]
	}
	return out + "->" + m.Path[last]
}
