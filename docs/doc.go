// Package docs is the user's guide: Markdown pages, and tests that run what the pages show.
//
// An example is a fenced block followed by a fenced block with its answer. The tests run all examples of a page in order against
// a server of its own, and hold lists (functions, error codes, options, metrics, tests) equal to what the program has. README.md
// says how a page is written; `go test ./docs -rewrite` puts the present answers into the pages. There is no code to call here.
package docs
