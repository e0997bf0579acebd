// Command tidemark is the whole product in one program: the server, the SQL shell, the loader and the demonstration.
//
// Each command is one file. Failures go to standard error in one line that names the fix; the exit status is 1, or 2 when the
// command line itself was wrong.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tidemarkdb/tidemark/server/client"
	"github.com/tidemarkdb/tidemark/server/config"
)

const (
	exitFailed = 1
	exitUsage  = 2
)

// errSilent ends a command unsuccessfully after it has said why itself.
var errSilent = errors.New("failed")

func main() {
	os.Exit(run(os.Args[1:], &process{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ(), slacken: startWithSlack}))
}

// process is what a command knows of the world around it.
type process struct {
	stdin   io.Reader
	stdout  io.Writer
	stderr  io.Writer
	environ []string
	// slacken starts the program anew with a timer slack, if it is to have one; nil leaves it as it is.
	slacken func(slack time.Duration) error
}

// getenv returns the last setting of a variable, or nothing.
func (p *process) getenv(name string) string {
	value := ""
	for _, pair := range p.environ {
		if v, ok := strings.CutPrefix(pair, name+"="); ok {
			value = v
		}
	}
	return value
}

// client connects to the server that the flag, the environment or the default names, in that order.
func (p *process) client(flag string) (*client.Client, error) {
	for _, url := range []string{flag, p.getenv("TIDEMARK_URL")} {
		if url != "" {
			return client.New(url)
		}
	}
	return client.New(client.DefaultURL)
}

// commands is the command line.
type commands struct {
	Serve   serveCmd          `cmd:"" help:"Run the server."`
	Demo    demoCmd           `cmd:"" help:"Run a server with events playing into it, and watch them."`
	SQL     sqlCmd            `cmd:"" name:"sql" help:"Run SQL, or open the SQL shell."`
	Load    loadCmd           `cmd:"" help:"Send files of events to a stream."`
	Tail    tailCmd           `cmd:"" help:"Print a stream's events as they come."`
	Doctor  doctorCmd         `cmd:"" help:"Examine and mend a data directory."`
	Backup  backupCmd         `cmd:"" help:"Copy a data directory, with a list of hashes."`
	Restore restoreCmd        `cmd:"" help:"Bring a backup back, verified."`
	Replay  replayRejectedCmd `cmd:"" name:"replay-rejected" help:"Send a stream's rejected rows to it again."`
	Version versionCmd        `cmd:"" help:"Print the version."`
}

// run executes one command line and returns the exit status.
func run(args []string, p *process) int {
	var cli commands
	exited := -1
	parser, err := kong.New(&cli,
		kong.Name("tidemark"),
		kong.Description("An event store that answers SQL while the events arrive."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.ValueFormatter(helpWithDefault),
		kong.Bind(p),
		kong.Vars{"adminURL": client.DefaultAdminURL},
	)
	if err != nil {
		return fail(p, err, exitFailed)
	}
	ctx, err := parser.Parse(args)
	if exited >= 0 {
		return exited // help was printed
	}
	if err != nil {
		return fail(p, fmt.Errorf("%w; see `tidemark --help`", err), exitUsage)
	}
	if err := ctx.Run(p, ctx); err != nil {
		var ended *statusError
		if errors.As(err, &ended) {
			return fail(p, err, ended.status)
		}
		var usage *usageError
		if errors.As(err, &usage) {
			return fail(p, err, exitUsage)
		}
		return fail(p, err, exitFailed)
	}
	return 0
}

// fail prints an error as one line, whatever it is made of.
func fail(p *process, err error, status int) int {
	if !errors.Is(err, errSilent) {
		lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
		fmt.Fprintf(p.stderr, "tidemark: %s\n", strings.Join(lines, "; "))
	}
	return status
}

// usageError marks a command line that was understood and makes no sense.
type usageError struct{ text string }

// Error is the text.
func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// helpWithDefault shows, beside an option of the server, the value it has when nothing sets it.
func helpWithDefault(value *kong.Value) string {
	if key := value.Tag.Get("koanf"); key != "" {
		text, _ := config.Default().Value(key)
		return fmt.Sprintf("%s (default %s)", value.Help, text)
	}
	return kong.DefaultHelpValueFormatter(value)
}

func keyOf(flagName string) string { return strings.ReplaceAll(flagName, "-", "_") }
