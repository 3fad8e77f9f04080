package setup

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/conn"
)

// ResourceVerbs are the verbs that [WriteResourceScript] writes. A database script resource
// of Azure Resource Manager takes commands with these verbs, and .add, each on a line of
// its own or on several lines without an empty one
// (https://learn.microsoft.com/azure/data-explorer/database-script). Roles are resources of their
// own there, so .add is not needed.
var ResourceVerbs = []string{".create", ".create-or-alter", ".create-merge", ".alter", ".alter-merge"}

// WriteResourceScript writes the commands that a database script resource takes, in forms that
// change nothing the second time. It leaves three things to init: the rows of the configuration and
// the removal of a function, which need other verbs, and the view of the configuration, which
// the original system has under the same name.
func WriteResourceScript(w io.Writer, commands []Command) error {
	var b strings.Builder
	for _, c := range commands {
		if c.stays || c.Kind == MakeRows || c.Kind == DropFunction || c.Kind == MakeFunction && c.update == "" {
			continue
		}
		text := strings.TrimSpace(c.repeatable())
		verb, _, _ := strings.Cut(text, " ")
		if !slices.Contains(ResourceVerbs, verb) || strings.Contains(text, "\n\n") {
			return conn.UsageError("init", "", fmt.Errorf("the command that makes %s %s cannot be part of a database script resource", c.Kind, c.Name))
		}
		b.WriteString(text + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
