package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/query/continuous"
)

// TestStateIdentities runs a text file. What `state` prints is kept with the state of views: where a change of the program changes it, users' views of
// that kind are built anew, and a change of what an operator keeps has to change it. `pair` says whether a query can go on from the state of
// another one, which stands behind a line of dashes: it must, where they keep the same, however they are written, named and printed.
func TestStateIdentities(t *testing.T) {
	t.Parallel()
	known := defineStreams(t)
	compiled := func(d *datadriven.TestData, sql string) *continuous.Program {
		options := continuous.Options{MemoryBytes: 1 << 30}
		if d.HasArg("close") {
			options.Emit = continuous.OnWindowClose
		}
		program, err := compileSQL(t, sql, known, options)
		require.NoError(t, err, d.Pos)
		return program
	}
	datadriven.RunTest(t, "testdata/state_identities", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "state" {
			var out bytes.Buffer
			require.NoError(t, json.Indent(&out, []byte(compiled(d, d.Input).StateIdentity()), "", " "))
			return strings.NewReplacer(`\u003e`, ">", `\u003c`, "<", `\u0026`, "&").Replace(out.String()) + "\n"
		}
		first, second, ok := strings.Cut(d.Input, "\n-\n")
		require.True(t, ok, d.Pos)
		from, to := compiled(d, first), compiled(d, second)
		machine := from.Start()
		_, err := machine.Step(t.Context(), continuous.Step{})
		require.NoError(t, err)
		var state bytes.Buffer
		require.NoError(t, machine.Snapshot(&state))
		_, err = to.Restore(&state)
		if err != nil {
			require.True(t, errors.Is(err, continuous.ErrOtherState), "%s: %v", d.Pos, err)
			return "other state\n"
		}
		if from.String() != to.String() {
			return "same state, though they print differently\n"
		}
		return "same state\n"
	})
}
