package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version and revision are set by the linker (-X main.version=... -X main.revision=...).
// What the linker did not set is read from the build information of the binary, which
// go install MODULE@VERSION and a build inside a Git clone write.
var version, revision string

func init() {
	info, _ := debug.ReadBuildInfo()
	version, revision = buildStamp(version, revision, info)
}

// buildStamp completes the version and the revision from the build information, which can be nil.
func buildStamp(version, revision string, info *debug.BuildInfo) (string, string) {
	if info == nil {
		info = &debug.BuildInfo{}
	}
	if v := info.Main.Version; version == "" && v != "(devel)" {
		version = v
	}
	if revision == "" {
		revision = builtRevision(info.Settings)
	}
	if m := pseudoVersion.FindStringSubmatch(version); revision == "" && m != nil {
		revision = m[1]
	}
	if version == "" {
		version = "development"
	}
	if revision == "" {
		revision = "unknown"
	}
	return version, revision
}

// pseudoVersion matches the versions that Go gives to commits without a tag. They end with the first 12 digits of the
// commit, which is all that go install from a module proxy knows of it.
var pseudoVersion = regexp.MustCompile(`^v\d+\.\d+\.\d+-(?:.*\.)?\d{14}-([0-9a-f]{12})(?:\+\w+)?$`)

// builtRevision is the commit that was built, marked if files differed from it.
func builtRevision(settings []debug.BuildSetting) string {
	var commit, mark string
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			mark = "-dirty"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + mark
}

// versionLine is what version and --version print.
func versionLine() string {
	return fmt.Sprintf("tvmexport %s (revision %s, %s %s/%s)", version, revision, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// versionInfo is what version --json prints.
type versionInfo struct {
	Version  string `json:"version"`
	Revision string `json:"revision"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (p *process) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  tvmexport version\n  tvmexport version --json",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return json.NewEncoder(p.stdout).Encode(versionInfo{version, revision, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintln(p.stdout, versionLine())
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON, one line")
	return c
}
