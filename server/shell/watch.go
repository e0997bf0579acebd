package shell

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"time"
)

const (
	// defaultWatch is a pace that a person can read.
	defaultWatch = 2 * time.Second
	// leastWatch keeps a slip of the finger from becoming a load test.
	leastWatch = 100 * time.Millisecond
)

// watch repeats a query until it is interrupted or fails.
func (s *Shell) watch(ctx context.Context, args string) error {
	interval, sql, err := parseWatch(args)
	if err != nil {
		return err
	}
	if sql == "" {
		sql = s.last
	}
	if sql == "" {
		return mistakef("run one first, or write it after the interval", "no query to repeat")
	}
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	watching, fail := context.WithCancel(ctx)
	defer fail()
	s.every(watching, interval, func() {
		fmt.Fprintf(s.out, "%s (every %s)\n", s.clock().Format(time.DateTime), interval)
		if err = s.run(watching, Statement{Text: sql, Line: 1, Column: 1}); err != nil {
			fail()
		}
	})
	return err
}

// parseWatch reads an optional interval, a duration or a number of seconds, and an optional statement.
func parseWatch(args string) (time.Duration, string, error) {
	word, rest, _ := strings.Cut(args, " ")
	word = strings.TrimRight(word, ";")
	if word == "" || word[0] < '0' || word[0] > '9' {
		return defaultWatch, strings.TrimRight(args, "; "), nil
	}
	interval, err := time.ParseDuration(word)
	if err != nil {
		interval, err = time.ParseDuration(word + "s")
	}
	if err != nil || interval < leastWatch {
		return 0, "", mistakef("", "%q is not an interval of at least %s; write it as in 1s", word, leastWatch)
	}
	return interval, strings.TrimRight(rest, "; "), nil
}
