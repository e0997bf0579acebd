package parser

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestParse runs the text files: each case is SQL and, below it, the statements printed or the error.
func TestParse(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			require.Equal(t, "parse", d.Cmd)
			return outcome(d.Input)
		})
	})
}

func outcome(text string) string {
	statements, err := Parse(text)
	if err != nil {
		return describeError(err)
	}
	var b strings.Builder
	for _, s := range statements {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}

func describeError(err error) string {
	var coded *event.Error
	if !errors.As(err, &coded) {
		return "NOT AN *event.Error: " + err.Error()
	}
	out := string(coded.Code)
	if coded.Position != nil {
		out += fmt.Sprintf(" at %d:%d", coded.Position.Line, coded.Position.Column)
	}
	out += ": " + coded.Detail + "\n"
	if coded.Hint != "" {
		out += "hint: " + coded.Hint + "\n"
	}
	return out
}
