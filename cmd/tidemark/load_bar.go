package main

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
)

// totalBytes is the size of all files together, or -1 when standard input makes it unknown.
func (c *loadCmd) totalBytes() int64 {
	var total int64
	for _, name := range c.Files {
		info, err := os.Stat(name)
		if name == "-" || err != nil || !info.Mode().IsRegular() {
			return -1
		}
		total += info.Size()
	}
	return total
}

// narrowColumns is the width below which a bar says no more than how far it is, how fast, and for how long: a longer line would break, and stay.
const narrowColumns = 60

// newBar shows how much of the files has been read, on a terminal. Of what has no known size it shows how much that is.
func newBar(w io.Writer, total int64) *progressbar.ProgressBar {
	description, counts := "loading", true
	if size := terminalSize(w); size != nil {
		if width, _ := size(); width < narrowColumns {
			description, counts = "", false
		}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionSetDescription(description),
		progressbar.OptionShowBytes(true),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(),
	}
	if counts {
		options = append(options, progressbar.OptionShowCount())
	}
	bar := progressbar.NewOptions64(total, options...)
	bar.StartWithoutRender() // its clock would begin with the first bytes, which so came in no time
	return bar
}
