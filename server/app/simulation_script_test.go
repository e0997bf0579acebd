package app

import (
	"fmt"
	"strings"
)

// simStep is one line of a script: a verb, mostly the name of what it is about, and the rest of the line.
//
//	sealrows N, frames N               how many final rows a view seals at once, and frames make a checkpoint; before all others
//	stream s CREATE STREAM ...         makes a stream
//	view v CREATE ...                  makes or replaces a view; the lines about it follow
//	equals v SELECT ...                what the view must hold; {s} is the watermark of stream s, behind all times where it has none;
//	                                   {now:v} is which rows were not there when the view was made
//	late v SELECT ...                  how many events the view must have counted as late; with no query it is not looked at any more
//	never v SELECT ...                 a query that must have no rows
//	follow f SELECT ...                subscribes, with what there is first
//	answers f SELECT ...               what the subscriber must have put together, where it is not the answer to the query itself
//	read f N, resume f                 lets the subscriber take some deliveries; breaks its connection and goes on from its token
//	stopping v CREATE ...              likewise, of a view that may stop at events, and is told to go on without them
//	alter v ALTER ...                  changes a view or a stream
//	insert s INSERT INTO s ...         the first value of each row is a number that tells rows apart
//	events s [{...}, ...]              events as a client sends them, whose values may change the types of columns; each has an id
//	expire D                           once D has passed since the start, all that the streams hold is sealed and expires. From then on views must
//	                                   stay as they are
//	wait D                             lets time pass
//	seal s, compact -, restart -       as a running server does by itself now and then
//	crash N SHARE                      cuts the power in N more operations on the disk; SHARE is none, some:SEED (what may be left), or
//	                                   all (the process is killed)
//	check -                            holds everything to what it must be; the end of a script does so too
type simStep struct{ verb, name, text string }

func (s simStep) String() string {
	return strings.TrimRight(s.verb+" "+s.name+" "+s.text, " ")
}

func printScript(steps []simStep) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(s.String() + "\n")
	}
	return b.String()
}

// parseScript reads what printScript writes. Lines that are empty or begin with # are left out.
func parseScript(text string) ([]simStep, error) {
	var out []simStep
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		verb, rest, _ := strings.Cut(line, " ")
		name, text, _ := strings.Cut(rest, " ")
		if name == "" {
			return nil, fmt.Errorf("%q says nothing about what", line)
		}
		out = append(out, simStep{verb, name, text})
	}
	return out, nil
}
