package clock

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestGuardSeesForwardJumpsOnly(t *testing.T) {
	t.Parallel()
	var g Guard
	start := time.Date(2026, 3, 7, 0, 0, 0, 0, time.UTC)
	require.Zero(t, g.Ahead(start, 0))
	require.Zero(t, g.Ahead(start.Add(48*time.Hour), 48*time.Hour), "time goes by")
	require.Zero(t, g.Ahead(start.Add(49*time.Hour), 48*time.Hour), "as much as MaxJump")
	require.Equal(t, 2*time.Hour, g.Ahead(start.Add(52*time.Hour), 49*time.Hour))
	require.Equal(t, 2*time.Hour, g.Ahead(start.Add(53*time.Hour), 50*time.Hour), "it stays ahead")
	require.Zero(t, g.Ahead(start.Add(51*time.Hour), 50*time.Hour), "it was set right again")
	require.Zero(t, g.Ahead(start.Add(-500*time.Hour), 51*time.Hour), "back is harmless")
	require.Positive(t, g.Ahead(start.Add(52*time.Hour), 52*time.Hour), "and forward again is a jump")
	g.Trust(start.Add(52*time.Hour), 52*time.Hour)
	require.Zero(t, g.Ahead(start.Add(53*time.Hour), 53*time.Hour))
}
