package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// With the build tag noemulator, no package of the emulator is part of the program.
func TestNoEmulatorPackages(t *testing.T) {
	list := func(tags string) []string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-tags", tags, ".").Output()
		if err != nil {
			t.Fatalf("go list -tags %q: %v", tags, err)
		}
		var found []string
		for name := range strings.Lines(string(out)) {
			if strings.HasPrefix(name, "github.com/tvmexport/tvmexport/emulator") {
				found = append(found, strings.TrimSpace(name))
			}
		}
		return found
	}
	if got := list("noemulator"); len(got) > 0 {
		t.Errorf("the build without the emulator has %v", got)
	}
	if got := list(""); len(got) == 0 {
		t.Error("the usual build has no package of the emulator: the test looks for the wrong name")
	}
}

// The program as the container image has it: it prints the version that the linker was given. The commands of the
// emulator say in one line that they are not available, with any arguments, and help lists neither.
func TestNoEmulatorCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it links the program a second time; make test runs it")
	}
	program := filepath.Join(t.TempDir(), "tvmexport")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-tags", "noemulator",
		"-ldflags", "-s -w -X main.version=v9.8.7 -X main.revision=0123abcd", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build -tags noemulator: %v\n%s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), program, "version").Output(); err != nil || !strings.HasPrefix(string(out), "tvmexport v9.8.7 (revision 0123abcd, ") {
		t.Errorf("version: %q, %v", out, err)
	}
	for _, line := range []string{"demo", "demo --devices 3", "emulator --dir x", "emulator --help"} {
		args := strings.Fields(line)
		c := exec.CommandContext(t.Context(), program, args...)
		var said strings.Builder
		c.Stderr = &said
		_ = c.Run() // the exit code is checked below
		if code := c.ProcessState.ExitCode(); code != exitUsage {
			t.Errorf("%s exits with %d, want %d", line, code, exitUsage)
		}
		if got := said.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "no emulator") || !strings.Contains(got, "command "+args[0]+" is not available") {
			t.Errorf("%s: %q", line, got)
		}
	}
	help, err := exec.CommandContext(t.Context(), program).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"Try it", "tvmexport demo", "\n  emulator "} {
		if strings.Contains(string(help), absent) {
			t.Errorf("help shows %q:\n%s", absent, help)
		}
	}
}
