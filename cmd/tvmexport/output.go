package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/spf13/cobra"
)

// output is standard output. It remembers that a write failed, because the
// printed result is then incomplete even if the caller ignored the error.
type output struct {
	io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.Writer.Write(p)
	if err != nil && o.err == nil {
		o.err = err
	}
	return n, err
}

// writingCommands are the commands that do more than print. A failed write does not undo
// their work, so it does not change their exit code.
var writingCommands = map[string]bool{
	"run": true, "repair": true, "refill": true, "init": true, "import": true, "serve": true,
}

// outcome is how a command ends whose output could not be written. It says so,
// but to a reader that has gone away. Where the output is all that there is, the
// command has failed.
func (o *output) outcome(command *cobra.Command, err error, stderr io.Writer) error {
	if o.err == nil {
		return err
	}
	if !errors.Is(o.err, syscall.EPIPE) {
		fmt.Fprintf(stderr, "tvmexport: the output was not written completely: %s\n", oneLine(o.err.Error()))
	}
	printing := command.Flags().Lookup("print") != nil && command.Flags().Changed("print")
	switch {
	case writingCommands[command.Name()] && !printing:
		if errors.Is(err, o.err) {
			return nil
		}
		return err
	case err == nil, errors.Is(err, o.err):
		return &reported{exitFailed}
	}
	return err
}

// remarks is where a command prints a sentence instead of a result: standard
// error if the result is JSON, because standard output then holds JSON only.
func (p *process) remarks(asJSON bool) io.Writer {
	if asJSON {
		return p.stderr
	}
	return p.stdout
}
