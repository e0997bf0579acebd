package views

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tidemarkdb/tidemark/catalog"
	"github.com/tidemarkdb/tidemark/event"
	"github.com/tidemarkdb/tidemark/internal/vfs"
	"github.com/tidemarkdb/tidemark/query/continuous"
)

// TestWatermarkOfAViewDoesNotFall reads a view that was killed behind a watermark which it had told, and no frame of it has: it stands where
// a frame or a checkpoint said, until it has read again what its watermark rose by.
func TestWatermarkOfAViewDoesNotFall(t *testing.T) {
	t.Parallel()
	definition := &catalog.View{Name: "below", Generation: 1, Ready: true}
	log, err := openChangelog(vfs.NewMem(), "views/below.1", &event.Schema{}, 1, func(*Frame) error { return nil })
	require.NoError(t, err)
	view := &View{}
	view.mu.definition, view.mu.log = definition, log
	set := &Set{}
	set.mu.views = map[string]*View{"below": view}
	in := &viewInput{set: set, want: continuous.Input{Name: "below", Generation: 1}}
	taken := Mark{Name: "below", Generation: 1, Vector: event.Vector{1}, Watermarks: []int64{500, 400}}
	for _, c := range []struct {
		closed, final int64
		want          []int64 // nil for nothing new
	}{
		{continuous.NoWatermark, continuous.NoWatermark, nil},
		{499, 400, nil},
		{500, 400, nil},
		{499, 450, []int64{500, 450}},
		{700, 300, []int64{700, 400}},
	} {
		view.mu.snapshot = &Snapshot{definition: definition, frame: 1, Closed: c.closed, Final: c.final}
		p, err := in.pull(t.Context(), taken, nil)
		require.NoError(t, err)
		if c.want == nil {
			require.Nil(t, p, "%+v", c)
			continue
		}
		require.Equal(t, c.want, p.to.Watermarks, "%+v", c)
		require.NoError(t, p.close())
	}
	require.NoError(t, log.close())
}
