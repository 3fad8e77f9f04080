package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/internal/config"
)

func (p *process) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print or validate a configuration",
		Long: `config prints a complete configuration with comments (example), validates one
(validate), and prints the JSON schema that editors use for checks and completion
(schema). tvmexport reads the file of --config, or tvmexport.yaml in the working
directory, or only environment variables (tvmexport help environment).`,
		Example: `  tvmexport config example > tvmexport.yaml
  tvmexport config validate
  tvmexport config schema > tvmexport.schema.json`,
		Args: noArguments,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		&cobra.Command{
			Use:     "example",
			Short:   "Print a complete configuration file with comments",
			Long:    "example prints every key with its default and an explanation. Omitted keys have\ntheir default.",
			Example: "  tvmexport config example > tvmexport.yaml",
			Args:    noArguments,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(p.stdout, config.Example)
				return err
			},
		},
		&cobra.Command{
			Use:   "schema",
			Short: "Print the JSON schema of configuration files, for editors",
			Long: `schema prints the JSON schema (draft 2020-12) of configuration files. Editors that
use the YAML language server check and complete with it. The first line of the
configuration file refers to it:

    # yaml-language-server: $schema=tvmexport.schema.json`,
			Example: "  tvmexport config schema > tvmexport.schema.json",
			Args:    noArguments,
			RunE: func(*cobra.Command, []string) error {
				text, err := config.Schema()
				if err != nil {
					return err
				}
				_, err = p.stdout.Write(text)
				return err
			},
		},
		&cobra.Command{
			Use:   "validate",
			Short: "Validate the configuration",
			Long: `validate reads the configuration, its ${NAME} references and the TVMEXPORT_
variables that override it. It reports each error with file, line and column, and
the nearest known key. It also reports unknown TVMEXPORT_ variables, placeholders
such as ${NAME} that were not replaced, and invalid settings of serve.
It makes no network call; tvmexport check does.`,
			Example: "  tvmexport config validate --config prod.yaml",
			Args:    noArguments,
			RunE: func(*cobra.Command, []string) error {
				if err := p.validate(); err != nil {
					var several config.Mistakes
					if errors.As(err, &several) {
						fmt.Fprintln(p.stderr, several)
						return &reported{exitUsage}
					}
					return err
				}
				file := p.configFile()
				if file == "" {
					file = "the environment"
				}
				if _, err := fmt.Fprintf(p.stdout, "%s: ok\n", file); err != nil {
					return err
				}
				_, members, err := config.Load(p.configFile(), p.env)
				for _, m := range members {
					fmt.Fprintf(p.stdout, "%s: ok\n", m.Name)
				}
				return err
			},
		},
	)
	return c
}
