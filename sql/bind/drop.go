package bind

import (
	"errors"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/sql/ast"
)

// DropStream is a stream to be removed. With IfExists it may be gone already.
type DropStream struct {
	Name     string
	IfExists bool
}

func (DropStream) bound() {}

func (b *binder) dropStream(s *ast.DropStream) (Bound, error) {
	found, err := b.stream(s.Name)
	var fault *event.Error
	switch {
	case err == nil:
		return DropStream{Name: found.Name, IfExists: s.IfExists}, nil
	case s.IfExists && errors.As(err, &fault) && fault.Code == event.CodeNotFound:
		return DropStream{Name: strings.ToLower(s.Name.Text), IfExists: true}, nil
	default:
		return nil, err
	}
}
