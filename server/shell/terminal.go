package shell

import (
	"errors"
	"os"

	"github.com/reeflective/readline"
)

// terminal reads statements from the real terminal with line editing.
type terminal struct {
	rl *readline.Shell
}

func newTerminal(c *completer, historyFile string) *terminal {
	rl := readline.NewShell()
	rl.Prompt.Primary(func() string { return "tidemark> " })
	rl.Prompt.Secondary(func() string { return "       -> " })
	rl.AcceptMultiline = func(line []rune) bool { return Complete(string(line)) }
	rl.Completer = func(line []rune, cursor int) readline.Completions {
		word, found := c.candidates(line, cursor)
		out := readline.CompleteValues(found...)
		out.PREFIX = word
		return out
	}
	if ownHistory(historyFile) {
		rl.History.AddFromFile("history", historyFile)
	}
	return &terminal{rl: rl}
}

// ownHistory makes the history file readable by its owner only, since statements may hold private values. Without a file the
// shell remembers lines until it ends.
func ownHistory(path string) bool {
	if path == "" {
		return false
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return false
	}
	return f.Close() == nil
}

// ReadLine reads until a statement is complete.
func (t *terminal) ReadLine() (string, error) {
	line, err := t.rl.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		return "", errInterrupted
	}
	return line, err
}
