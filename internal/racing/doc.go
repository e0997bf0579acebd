// Package racing tells tests whether they run under the race detector, which makes them some ten times slower. One whose work is that of a
// single goroutine, or that is long only to see more of the same, does less of it there and is named in WHOLE of the Makefile: make test runs
// those once more without the detector, whole. Nothing but tests may look at it.
package racing

import "os"

// Less is whether a test that does less under the race detector should: it does not in the long runs that TIDEMARK_STRESS asks for.
func Less() bool { return On && os.Getenv("TIDEMARK_STRESS") == "" }
