package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/tvmexport/tvmexport/config"
)

func (p *process) configCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "Print or check a configuration",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		&cobra.Command{
			Use:     "example",
			Short:   "Print a complete configuration file with comments",
			Example: "  tvmexport config example > tvmexport.yaml",
			Args:    noArguments,
			RunE: func(*cobra.Command, []string) error {
				_, err := fmt.Fprint(p.stdout, config.Example)
				return err
			},
		},
		&cobra.Command{
			Use:     "validate",
			Short:   "Say whether the configuration is sound, or where it is not",
			Example: "  tvmexport config validate --config prod.yaml",
			Args:    noArguments,
			RunE: func(*cobra.Command, []string) error {
				if _, err := p.configuration(); err != nil {
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
