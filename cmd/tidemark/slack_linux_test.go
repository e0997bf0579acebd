package main

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What a process was started with says whether it has begun anew: another's slack can be read by few.
func TestServerBeginsAnewWithItsSlack(t *testing.T) {
	t.Parallel()
	if timerSlack() != 50*time.Microsecond {
		t.Skip("the tests were started with a timer slack of their own, which the server leaves as it is")
	}
	for name, c := range map[string]struct {
		environ []string
		anew    bool
	}{
		"by itself":     {[]string{"GOMAXPROCS=2"}, true},
		"asked not to":  {[]string{"GOMAXPROCS=2", "TIDEMARK_TIMER_SLACK=0"}, false},
		"one processor": {[]string{"GOMAXPROCS=1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, t.TempDir(), c.environ...)
			environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", d.cmd.Process.Pid))
			require.NoError(t, err)
			require.Equal(t, c.anew, bytes.Contains(environ, []byte(slackMark+"=1")))
			d.stop(t)
		})
	}
}
