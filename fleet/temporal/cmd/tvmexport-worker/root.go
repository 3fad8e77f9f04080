package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/fleet/temporal/connect"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/nearest"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// defaultConfig is read when it is there and no other file was named.
const defaultConfig = "tvmexport.yaml"

func rootCommand(p *process) *cobra.Command {
	root := &cobra.Command{
		Use:   "tvmexport-worker",
		Short: "Export tenants on a Temporal cluster",
		Long: `tvmexport-worker exports the tenants of tvmexport's configuration on a Temporal
cluster. It reads the same file and the same variables (fleet.engine: temporal).
tvmexport fleet apply and tvmexport fleet status start it too.

Exit codes are those of tvmexport: 0 done; 1 failed; 2 usage or configuration; 3 partly
done; 4 sign-in or permission; 5 out of time.`,
		Example:       "  tvmexport-worker run\n  tvmexport-worker apply --dry-run\n  tvmexport-worker status",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          noArguments,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return wiring.Usage(fmt.Errorf("%w; see %s --help", err, c.CommandPath()))
	})
	root.SetVersionTemplate(versionLine() + "\n")
	flags := root.PersistentFlags()
	flags.StringVar(&p.flags.config, "config", "", "configuration `file` (default "+defaultConfig+" if it exists)")
	flags.StringVar(&p.flags.logFormat, "log-format", "text", "`format` of the log on standard error: text or json")
	flags.StringVar(&p.flags.logLevel, "log-level", "warn", "minimum log `level`: debug, info, warn or error")
	root.AddCommand(applyCommand(p), statusCommand(p), versionCommand(p))
	root.CompletionOptions.HiddenDefaultCmd = true
	return root
}

func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasParent() {
		return wiring.Usage(fmt.Errorf("%s takes no arguments, but there is %q; see %s --help", c.CommandPath(), args[0], c.CommandPath()))
	}
	return wiring.Usage(fmt.Errorf("unknown command %q; see tvmexport-worker --help", args[0]))
}

// logger is the log on standard error.
func (p *process) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(p.flags.logLevel)); err != nil {
		return nil, wiring.Usage(fmt.Errorf("--log-level is %q; it must be debug, info, warn or error", p.flags.logLevel))
	}
	o := &slog.HandlerOptions{Level: level}
	switch p.flags.logFormat {
	case "text":
		return slog.New(slog.NewTextHandler(p.stderr, o)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(p.stderr, o)), nil
	}
	return nil, wiring.Usage(fmt.Errorf("--log-format is %q; it must be text or json", p.flags.logFormat))
}

// configuration reads the configuration and its tenants, all of them by name.
func (p *process) configuration() (config.Config, []config.Member, error) {
	file := p.flags.config
	if _, err := os.Stat(defaultConfig); file == "" && err == nil {
		file = defaultConfig
	}
	top, members, err := config.Load(file, p.env)
	switch {
	case err != nil:
		return top, nil, wiring.Usage(err)
	case top.Fleet.Engine != config.Distributed:
		return top, nil, wiring.Usage(fmt.Errorf("fleet.engine is %q; set it to temporal to export the tenants on a Temporal cluster", top.Fleet.Engine))
	}
	if top.Fleet.Temporal, err = connect.Settings(top.Fleet.Temporal, p.env); err != nil {
		return top, nil, wiring.Usage(err)
	}
	for i, m := range members {
		if m.Err == nil {
			members[i].Err = wiring.Check(m.Config)
		}
	}
	return top, members, nil
}

// selected are the members of these names, all of them if there is none.
func selected(members []config.Member, names []string) ([]config.Member, error) {
	if len(names) == 0 {
		return members, nil
	}
	var known []string
	for _, m := range members {
		known = append(known, m.Name)
	}
	var out []config.Member
	for i, name := range names {
		at := slices.Index(known, name)
		switch {
		case at < 0 && nearest.Of(name, known, len(name)/2+1) != "":
			return nil, wiring.Usage(fmt.Errorf("the configuration has no tenant %q; did you mean %s?", name, nearest.Of(name, known, len(name)/2+1)))
		case at < 0:
			return nil, wiring.Usage(fmt.Errorf("the configuration has no tenant %q", name))
		case slices.Contains(names[:i], name):
			return nil, wiring.Usage(errors.New("--tenant " + name + " is given twice"))
		}
		out = append(out, members[at])
	}
	return out, nil
}
