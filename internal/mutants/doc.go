// Package mutants holds known bugs, to be put back one at a time: each has to make some test fail. What a suite does not notice here it
// would not notice in a change either.
//
// A file in testdata is one bug. It begins with what the bug is and what it would cost, as lines of comment; then come the file that has the
// bug, the tests that must notice it, and the text before and after:
//
//	# A log file's entry in its directory is not synced: a power cut takes the file with all that was acknowledged.
//	file: internal/record/file.go
//	tests: ./ingest/eventlog ./internal/journal
//	--- before
//	text that is in the file exactly once
//	--- after
//	what the bug has in its place
//
// tests may end in arguments of go test, as -run. Tests that have not come to an end when their time is over have noticed nothing: they may be
// slow. Where a bug is noticed by what hangs, a line says so, and why: `hangs: the reader waits for a frame that never comes`.
// TestMutantsApply, which is part of every run, makes sure that each still fits the
// program. TestMutantsAreCaught, which runs for make mutants only, compiles each in place of its file, leaving the tree as it is, and runs
// the tests. The package has no code of its own.
package mutants
