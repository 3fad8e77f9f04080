package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and revision are set by the linker (-X main.version=... -X main.revision=...).
var version, revision = "development", ""

func versionCommand(p *process) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(p.stdout, versionLine())
			return err
		},
	}
}

func versionLine() string {
	return fmt.Sprintf("tvmexport-worker %s (%s), %s, %s/%s", version, revisionOf(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// revisionOf is the commit that the program was built from.
func revisionOf() string {
	if revision != "" {
		return revision
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}

// buildOf names this build among the workers of a cluster. Runs stay with the build that
// began them, so builds of different commits have different names.
func buildOf() string {
	return version + "-" + revisionOf()[:min(12, len(revisionOf()))]
}
