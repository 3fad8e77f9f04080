//go:build !noemulator

package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

var messageOfAssert = regexp.MustCompile(`(?m)^(.*assert\(.*, )".*"\)$`)

// cmdReword is reword [OLD NEW]: all read functions are stored again as a version of
// the program would that words docstrings, comments and messages differently. With
// OLD and NEW, they also do something else.
func cmdReword(ts *testscript.TestScript, _ bool, args []string) {
	e := emulators.get(ts)
	answer, err := e.Command(context.Background(), "", ".show functions")
	ts.Check(err)
	var stored []struct{ Name, Parameters, Body, Folder string }
	ts.Check(answer.Decode(&stored))
	for _, f := range stored {
		if f.Folder != "tvmexport" || strings.HasPrefix(f.Name, "Vw") {
			continue
		}
		body := messageOfAssert.ReplaceAllString(f.Body, `$1'another (message)')`)
		body = strings.ReplaceAll(body, "\n", " // it's another version\n  ")
		if len(args) > 0 {
			body = strings.ReplaceAll(body, args[0], args[1])
		}
		ts.Check(e.command(fmt.Sprintf(".alter function with (docstring = 'another version', skipvalidation = 'true') %s%s %s", f.Name, f.Parameters, body)))
	}
	e.functions = e.functionCommands()
}

// cmdWrites is writes N: so many commands have written functions since the last reword.
func cmdWrites(ts *testscript.TestScript, _ bool, args []string) {
	e := emulators.get(ts)
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	if got := e.functionCommands() - e.functions; got != want {
		ts.Fatalf("%d commands wrote functions, want %d", got, want)
	}
}

// functionCommands counts the commands that have written stored functions.
func (r *running) functionCommands() (n int64) {
	for command, count := range r.Stats().Kusto.Commands {
		if strings.Contains(command, "function") && !strings.HasPrefix(command, ".show") {
			n += count
		}
	}
	return n
}
