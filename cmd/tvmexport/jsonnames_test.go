//go:build !noemulator

package main

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
	"github.com/tvmexport/tvmexport/internal/jsonnames"
)

// What commands print as JSON has these names and types. Scripts of users read them.
func TestPrintedNames(t *testing.T) {
	var lines []string
	for _, c := range []struct {
		command string
		line    any
	}{
		{"run", resultLine{}},
		{"status", statusLine{}},
		{"verify", comparisonLine{}},
		{"reconcile", reconciledLine{}},
		{"plan", planLine{}},
		{"plan(total)", planTotal{}},
		{"check", findingLine{}},
		{"tables", tableLine{}},
		{"version", versionInfo{}},
		{"schedule", scheduleLine{}},
		{"refill", refilledLine{}},
		{"import", takeoverLine{}},
		{"emulator", emulator.Ready{}},
		{"emulator(stats)", emulator.Stats{}},
		{"emulator(truth)", emulator.Digest{}},
	} {
		lines = append(lines, jsonnames.Of(c.command, c.line)...)
	}
	jsonnames.Kept(t, "printed_names", lines)
}
