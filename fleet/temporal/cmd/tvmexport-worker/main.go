// Command tvmexport-worker exports tenants on a Temporal cluster. See tvmexport-worker help.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/signin"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a reader that goes away does not end a worker
	signin.DropEmptyVariables()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := &process{args: os.Args[1:], stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, env: os.LookupEnv, connect: dial}
	code := p.run(ctx)
	stop()
	os.Exit(code)
}

// process is the surroundings of a command, as values.
type process struct {
	args   []string
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	env    config.Lookup

	connect func(ctx context.Context, p *process, top config.Config) (*cluster, error)
	flags   flags
}

// flags are those of all commands.
type flags struct {
	config    string
	logFormat string
	logLevel  string
}

// run carries out the command line and returns the exit code.
func (p *process) run(ctx context.Context) int {
	root := rootCommand(p)
	root.SetArgs(p.args)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	if said, ok := err.(*reported); ok {
		return said.code
	}
	fmt.Fprintf(p.stderr, "tvmexport-worker: %s\n", oneLine(err.Error()))
	return exitCode(err)
}
