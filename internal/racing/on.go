//go:build race

package racing

// On is whether the program was built with the race detector.
const On = true
