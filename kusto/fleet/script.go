package fleet

import (
	"io"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Kind says what a command makes or changes.
type Kind string

// The kinds of commands.
const (
	MakeGroup    Kind = "entity group"
	MakeFunction Kind = "function"
)

// Command is one management command for the fleet's database.
type Command struct {
	Kind Kind
	Name string
	Text string
	does string // of a function: its parameters and its body
	doc  string // of a function
}

// Script returns the commands that make the fleet's database what the options say, regardless of what
// it has. Run again, they change nothing. Only with Remove the group loses a database.
func Script(o Options) ([]Command, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	all := o.entities()
	out := []Command{{Kind: MakeGroup, Name: Group, Text: createGroup(all)}}
	if o.Remove {
		out = append(out, Command{Kind: MakeGroup, Name: Group, Text: groupText(".alter", all)})
	} else {
		out = append(out, Command{Kind: MakeGroup, Name: Group, Text: groupText(".alter-merge", all)})
	}
	return append(out, o.makeFunctions()...), nil
}

func (o Options) entities() []string {
	out := make([]string, len(o.Tenants))
	for i, t := range o.Tenants {
		out[i] = o.entity(t)
	}
	return out
}

// createGroup makes the group where there is none
// (https://learn.microsoft.com/kusto/management/create-entity-group).
func createGroup(entities []string) string {
	return ".create entity_group " + Group + " ifnotexists (" + strings.Join(entities, ", ") + ")"
}

func groupText(verb string, entities []string) string {
	return verb + " entity_group " + Group + " (" + strings.Join(entities, ", ") + ")"
}

func (o Options) makeFunctions() []Command {
	var out []Command
	for _, f := range o.functions() {
		out = append(out, Command{Kind: MakeFunction, Name: f.name, Text: f.create(), does: f.text(), doc: f.doc})
	}
	return out
}

// WriteScript writes the commands as one command that an administrator of the fleet's database
// pastes into a query editor and runs. It has no empty line, because editors run a text up to one.
func WriteScript(w io.Writer, database string, commands []Command) error {
	lines := []string{
		".execute database script with (ThrowOnErrors=true) <|",
		"//",
		"// This script prepares the database " + kql.Ident(database) + " for reading across tenants. An administrator of the database runs it as a whole.",
		"// Run again, it changes nothing.",
		"//",
		"// Who reads needs the role viewers on this database and on the database of each tenant:",
		"// .add database " + kql.Entity(database) + " viewers ('aaduser=NAME@DOMAIN') 'reader'",
	}
	for _, c := range commands {
		lines = append(lines, c.Text)
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
