// Package clock watches the wall clock for jumps, for whoever deletes by age: a clock that was set wrong for a minute must not cost the
// data of years.
//
// A Guard compares how far the wall clock went between two looks with how far the monotonic clock did, which nobody can set. It belongs
// to one goroutine and reads no clock itself.
package clock

import "time"

// MaxJump is how far the wall clock may get ahead of the monotonic one. Time servers correct by less; whoever sets a clock by hand, or
// wakes a machine that slept, moves it by more.
const MaxJump = time.Hour

// Guard tells whether the wall clock can be trusted. The zero value trusts the first time it sees.
type Guard struct {
	started bool
	// wall and elapsed are the two clocks as of the last time that was trusted.
	wall    time.Time
	elapsed time.Duration
}

// Ahead is by how much the wall clock has gone further than the monotonic one since it was last trusted, if that is more than MaxJump;
// 0 otherwise, and the time is then trusted. A clock that went back is trusted: nothing is deleted too early by it.
func (g *Guard) Ahead(wall time.Time, elapsed time.Duration) time.Duration {
	wall = wall.Round(0) // without the monotonic reading, which would be compared with itself
	if g.started {
		if ahead := wall.Sub(g.wall) - (elapsed - g.elapsed); ahead > MaxJump {
			return ahead
		}
	}
	g.started, g.wall, g.elapsed = true, wall, elapsed
	return 0
}

// Trust takes the wall clock as right, whatever it says.
func (g *Guard) Trust(wall time.Time, elapsed time.Duration) {
	g.started, g.wall, g.elapsed = true, wall.Round(0), elapsed
}
