package api

import (
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/nearest"
)

var (
	// none is what routes know that take no parameters.
	none = []string{}
	// eventParameters are those of POST events, whatever the format.
	eventParameters   = []string{"ack", "charset", "format", "on_error", "replay", "time"}
	consumeParameters = []string{"from", "limit", "offset", "partition", "time", "wait"}
	feedParameters    = []string{"after", "allow_corrupt", "progress", "snapshot"}
)

// ingestParameters are those of POST events for any format.
func ingestParameters() []string {
	known := slices.Clone(eventParameters)
	for _, f := range formats {
		known = append(known, f.params...)
	}
	slices.Sort(known)
	return slices.Compact(known)
}

// checkParameters refuses parameters that a route does not know: what a misspelled one asks for must not be left out in silence. nil knows all, for routes
// that stand in for another product's, whose clients send what means nothing here.
func checkParameters(written string, known []string) error {
	if known == nil || written == "" {
		return nil
	}
	query, err := url.ParseQuery(written)
	if err != nil {
		return event.Errorf(event.CodeBadRequest, "the query of the address cannot be read: %v", err).WithHint("a semicolon is written as %%3B")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if slices.Contains(known, name) {
			continue
		}
		fault := event.Errorf(event.CodeBadRequest, "there is no parameter %q", name)
		switch names := nearest.Names(name, known); {
		case len(names) > 0:
			return fault.WithHint("did you mean %s? There are %s", strings.Join(names, " or "), strings.Join(known, ", "))
		case len(known) > 0:
			return fault.WithHint("there are %s", strings.Join(known, ", "))
		default:
			return fault.WithHint("this path takes none")
		}
	}
	return nil
}
