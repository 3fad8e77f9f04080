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
		Short: "Print or check a configuration",
		Long: `config prints a complete configuration with comments (example), says where one is
not sound (validate), and prints the JSON schema by which editors check and complete
one (schema). tvmexport reads the file that --config names, else tvmexport.yaml in
the working folder, else variables alone (tvmexport help environment).`,
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
			Long:    "example prints every key with its default and what it is for. Keys that are left\nout have their default.",
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
speak with the YAML language server check and complete by it; the first line of
the file names it:

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
			Short: "Say whether the configuration is sound, or where it is not",
			Long: `validate reads the configuration, its ${NAME} references and the TVMEXPORT_
variables over it, and names each mistake by file, line and column, with the nearest
known key. It also names TVMEXPORT_ variables that no key reads, placeholders such
as ${NAME} that nothing has replaced, and settings of serve that cannot be used.
It makes no call; tvmexport check does.`,
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
				_, err := fmt.Fprintf(p.stdout, "%s: ok\n", file)
				return err
			},
		},
	)
	return c
}
