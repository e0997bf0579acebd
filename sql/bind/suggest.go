package bind

import (
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/nearest"
)

// suggest adds as a hint the known names that are closest to an unknown one, if any is close.
func suggest(err *event.Error, name string, known []string) *event.Error {
	names := nearest.Names(name, known)
	if len(names) == 0 {
		return err
	}
	return err.WithHint("did you mean %s?", strings.Join(names, " or "))
}
