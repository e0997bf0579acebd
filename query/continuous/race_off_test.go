//go:build !race

package continuous

// raceDetector is whether these tests run under the race detector. A machine is stepped by one goroutine, so what is long runs whole without it.
const raceDetector = false
