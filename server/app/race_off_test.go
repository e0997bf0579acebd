//go:build !race

package app

// raceDetector is whether these tests run under the race detector, which makes them some ten times slower.
const raceDetector = false
