//go:build noemulator

package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

const (
	// withEmulator says whether this build has the commands emulator and demo.
	withEmulator = false
	// firstExample is the first line of the examples in the help.
	firstExample = ""
)

func (p *process) emulatorCommand() *cobra.Command { return absentCommand("emulator") }

func (p *process) demoCommand() *cobra.Command { return absentCommand("demo") }

// absentCommand is a hidden command that says why it is not part of this build. It accepts
// any arguments, so that flags do not hide the reason.
func absentCommand(name string) *cobra.Command {
	return &cobra.Command{
		Use: name, Hidden: true, DisableFlagParsing: true,
		Short: "Not part of this build",
		RunE: func(*cobra.Command, []string) error {
			return usage(fmt.Errorf("this build has no emulator (build tag noemulator), so the command %s is not available; use a build without that tag, for example that of make build", name))
		},
	}
}
