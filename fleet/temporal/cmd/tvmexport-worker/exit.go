package main

import (
	"strings"

	"github.com/tvmexport/tvmexport"
)

// The exit codes are those of tvmexport.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitPartly     = 3
	exitPermission = 4
	exitQuota      = 5
)

// exitCode is the code for an error of a whole command.
func exitCode(err error) int {
	switch tvmexport.CauseOf(err) {
	case tvmexport.Usage:
		return exitUsage
	case tvmexport.Permission:
		return exitPermission
	case tvmexport.Quota:
		return exitQuota
	}
	return exitFailed
}

// reported is the end of a command that has said itself what went wrong.
type reported struct{ code int }

func (r *reported) Error() string { return "see above" }

// oneLine keeps a message on one line, so that it is one sentence in any log.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
