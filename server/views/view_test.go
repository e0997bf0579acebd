package views

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/event"
)

// TestWhoWaitsLearnsOfDamage: what a view stopped over is known to whoever waits for it by the code of its cause, however deep that is.
func TestWhoWaitsLearnsOfDamage(t *testing.T) {
	t.Parallel()
	damaged := fmt.Errorf("open changelog: %w", event.Errorf(event.CodeCorrupt, "views/v.1/1.log is damaged"))
	for want, failure := range map[event.Code]error{
		event.CodeCorrupt: damaged, event.CodeConflict: errors.New(`"n/a" cannot be read as BIGINT`),
	} {
		var told *event.Error
		require.ErrorAs(t, hasStopped("v", failure), &told)
		require.Equal(t, want, told.Code)
		require.Contains(t, told.Detail, `view "v" has stopped: `+failure.Error())
	}
}
