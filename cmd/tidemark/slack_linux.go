package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// slackMark is in the environment of a process that startWithSlack has started, which it does once.
const slackMark = "_TIDEMARK_TIMER_SLACK"

// startWithSlack lets the kernel wake this process up to slack later than it asks, so that it is woken less often: while system calls last, such as
// syncs, Go's monitor of threads (sysmon) asks to be woken every 20 microseconds, which takes up to a quarter of the CPU of small requests. A thread has
// the slack of the one that started it, and the monitor runs before any code of ours: so the program begins anew, in the same process, where the slack that it
// was started with is the kernel's own default. Whoever starts it with another one knows better. See prctl(2), PR_SET_TIMERSLACK.
//
// With one processor it is left alone: there nobody but the monitor goes on while a system call lasts. It returns without an error where the kernel does
// not have it, and does not return where the program begins anew.
func startWithSlack(slack time.Duration) error {
	const kernelDefault = 50 * time.Microsecond
	if slack <= 0 || runtime.GOMAXPROCS(0) == 1 || os.Getenv(slackMark) != "" || timerSlack() != kernelDefault {
		return nil
	}
	runtime.LockOSThread() // the slack is the thread's, which execve keeps
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0); err != nil || timerSlack() != slack {
		return nil
	}
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program, to start it with timer_slack: %w", err)
	}
	if err := syscall.Exec(program, os.Args, append(os.Environ(), slackMark+"=1")); err != nil {
		return fmt.Errorf("start %s anew, with timer_slack: %w", program, err)
	}
	return nil
}

// timerSlack is the calling thread's, 0 if the kernel does not say.
func timerSlack() time.Duration {
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return 0
	}
	return time.Duration(slack)
}
