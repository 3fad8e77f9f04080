package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tvmexport/tvmexport/internal/config"
)

// workerProgram is the program that works with Temporal. This one does not contain it:
// the libraries would more than double its size.
const workerProgram = "tvmexport-worker"

func fleetCommand(p *process) *cobra.Command {
	c := &cobra.Command{
		Use:   "fleet",
		Short: "Schedule the tenants on a Temporal cluster",
		Long: `fleet works with the Temporal cluster of the configuration (fleet.engine: temporal). It
starts the program tvmexport-worker, which is next to tvmexport or in PATH; make worker
builds it. It keeps the schedules. The worker that exports on these schedules is not part
of this version yet: use fleet.engine: local, and tvmexport serve.`,
		Example: "  tvmexport fleet apply --dry-run\n  tvmexport fleet status",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(fleetApplyCommand(p), fleetStatusCommand(p))
	return c
}

func fleetApplyCommand(p *process) *cobra.Command {
	c := &cobra.Command{
		Use:   "apply",
		Short: "Create, change and pause the schedules of the tenants",
		Long: `apply compares the schedules on the Temporal cluster with the tenants of the
configuration and prints the difference: schedules that it will create, change, pause or
resume. It asks before it changes them; --yes answers. The schedules of tenants that are
no longer configured are paused and never deleted. A schedule that somebody else paused
stays paused.`,
		Example: "  tvmexport fleet apply --dry-run\n  tvmexport fleet apply --yes",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return startWorkerProgram(c, p) },
	}
	flags := c.Flags()
	flags.Bool("dry-run", false, "print the difference; change nothing")
	flags.Bool("yes", false, "make the changes without asking")
	flags.Bool("json", false, "print the difference as JSON, one line per schedule")
	flags.StringArray("tenant", nil, "`name` of a tenant of the configuration (repeatable; default: all tenants, and those that are gone)")
	return c
}

func fleetStatusCommand(p *process) *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show schedules, runs and newest commits of the tenants",
		Long: `status shows for each tenant the state of its schedule on the Temporal cluster, when it
runs next, whether it runs now, how its last run ended, and the age of the oldest of its
tables according to the ledger. Exit code 3: a tenant lacks a schedule, its last run
failed, or its ledger cannot be read.`,
		Example: "  tvmexport fleet status\n  tvmexport fleet status --json | jq -r 'select(.lastRun == \"failed\") | .tenant'",
		Args:    noArguments,
		RunE:    func(c *cobra.Command, _ []string) error { return startWorkerProgram(c, p) },
	}
	flags := c.Flags()
	flags.Bool("json", false, "print the result as JSON, one line per tenant")
	flags.StringArray("tenant", nil, "`name` of a tenant of the configuration (repeatable; default: all tenants)")
	return c
}

// startWorkerProgram carries out a command by the other program, with the flags of the command line.
func startWorkerProgram(c *cobra.Command, p *process) error {
	path, err := findWorkerProgram()
	if err != nil {
		return usage(fmt.Errorf("fleet %s: %w", c.Name(), err))
	}
	worker := exec.CommandContext(c.Context(), path, append([]string{c.Name()}, given(c.Flags())...)...)
	worker.Stdin, worker.Stdout, worker.Stderr, worker.Env = p.stdin, through(p.stdout), p.stderr, p.environment
	worker.Cancel = func() error { return worker.Process.Signal(syscall.SIGTERM) }
	worker.WaitDelay = workerEnds
	err = worker.Run()
	var ended *exec.ExitError
	switch {
	case context.Cause(c.Context()) != nil:
		return context.Cause(c.Context())
	case errors.As(err, &ended) && ended.ExitCode() > 0:
		return &reported{ended.ExitCode()}
	case err != nil:
		return fmt.Errorf("fleet %s: %s: %w", c.Name(), path, err)
	}
	return nil
}

// workerEnds is how long the other program may take to end after a signal.
const workerEnds = 30 * time.Second

// findWorkerProgram finds the other program: next to this one, else in PATH.
func findWorkerProgram() (string, error) {
	name := workerProgram
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	if own, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(own); err == nil {
			own = real
		}
		if path, err := exec.LookPath(filepath.Join(filepath.Dir(own), name)); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("the program %s is needed, and is neither next to tvmexport nor in PATH; build it with make worker", workerProgram)
	}
	return path, nil
}

// given are the flags of the command line, as arguments.
func given(flags *pflag.FlagSet) []string {
	var out []string
	flags.Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			out = append(out, "--"+f.Name+"="+v)
		}
	})
	return out
}

// through is the file behind an output, which another program can write to itself.
func through(w io.Writer) io.Writer {
	if o, ok := w.(*output); ok {
		return o.Writer
	}
	return w
}

// exportsHere refuses to export on a schedule where workers do.
func exportsHere(f config.Fleet) error {
	if f.Engine != config.Distributed {
		return nil
	}
	return usage(errors.New("serve: fleet.engine is temporal: workers would export the tenants on the schedules of tvmexport fleet apply, and serve would export them too; set fleet.engine to local"))
}
