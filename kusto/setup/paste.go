package setup

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Grants are the role commands of a script.
type Grants struct {
	Database  string
	Principal string // as Kusto names it: aadapp=ID;TENANT; "": the commands are comments
	ByTable   bool   // roles of single tables, and of the database only to read
}

// unknownPrincipal stands for the exporter in a script that does not know it.
const unknownPrincipal = "aadapp=APPLICATION;TENANT"

// principalForm is how Kusto names a principal
// (https://learn.microsoft.com/kusto/management/reference-security-principals).
var principalForm = regexp.MustCompile(`^(aadapp|aaduser|aadgroup)=[^\s;'"\\]+(;[^\s;'"\\]+)?$`)

// CheckPrincipal refuses what is no principal of Kusto.
func CheckPrincipal(principal string) error {
	if !principalForm.MatchString(strings.TrimSpace(principal)) {
		return conn.UsageError("init", "", fmt.Errorf("%q is no principal of Kusto: it has the form aadapp=APPLICATION;TENANT, aaduser=NAME@DOMAIN or aadgroup=ID;TENANT", principal))
	}
	return nil
}

// commands are the role commands for the exporter: those of the database, then those
// of what it alone uses, whose administrator it would be had it made them.
func (g Grants) commands(made []Command) []string {
	principal := strings.TrimSpace(g.Principal)
	if principal == "" {
		principal = unknownPrincipal
	}
	add := func(kind, name, role string) string {
		return fmt.Sprintf(".add %s %s %s (%s) 'tvmexport'", kind, name, role, kql.Literal(principal))
	}
	database := kql.Entity(g.Database)
	roles := []string{"users", "ingestors"}
	if g.ByTable {
		roles = []string{"viewers"}
	}
	var out []string
	for _, role := range roles {
		out = append(out, add("database", database, role))
	}
	for _, c := range made {
		switch {
		case c.Kind == MakeTable:
			if g.ByTable {
				out = append(out, add("table", kql.Ident(c.Name), "ingestors"))
			}
			if c.again != "" {
				out = append(out, add("table", kql.Ident(c.Name), "admins"))
			}
		case c.Kind == MakeFunction && c.update != "":
			out = append(out, add("function", kql.Ident(c.Name), "admins"))
		}
	}
	return out
}

// WriteScript writes the commands as one command that an administrator pastes into a
// query editor and runs. Run again, it changes nothing. It has no empty line, because
// editors run a text up to one
// (https://learn.microsoft.com/kusto/management/execute-database-script). Remarks are
// sentences at its beginning.
func WriteScript(w io.Writer, commands []Command, g Grants, remarks ...string) error {
	lines := []string{".execute database script with (ThrowOnErrors=true) <|", "//"}
	for _, r := range append([]string{"This script prepares a database for tvmexport. A database administrator runs it as a whole. Run again, it changes nothing."}, remarks...) {
		lines = append(lines, "// "+conn.Tidy(r))
	}
	of := ""
	section := func(title string) {
		if title != of {
			lines = append(lines, "//", "// "+title)
			of = title
		}
	}
	titles := map[string]string{}
	var rows, view []string
	for _, c := range commands {
		switch {
		case c.stays:
			continue
		case c.Kind == MakeFunction && c.update == "":
			view = append(view, c.repeatable())
			continue
		case c.Kind == MakeRows:
			rows = append(rows, c.repeatable())
			continue
		case c.Kind == MakeFunction, c.Kind == DropFunction:
			section("Functions for readers")
		case c.Kind == MakeTable:
			titles[c.Name] = c.Name + ": " + c.Why
			section(titles[c.Name])
		default:
			section(titles[c.Table])
		}
		lines = append(lines, c.repeatable())
	}
	mark := ""
	if g.Principal == "" {
		section("Roles of the exporter: put in its application and tenant, and remove the // in front of each command")
		mark = "// "
	} else {
		section("Roles of the exporter")
	}
	for _, text := range g.commands(commands) {
		lines = append(lines, mark+text)
	}
	section("A reader, for each of whom the command is repeated")
	lines = append(lines, fmt.Sprintf("// .add database %s viewers ('aaduser=NAME@DOMAIN') 'reader'", kql.Entity(g.Database)))
	if len(rows) > 0 {
		section("A row of " + kql.ConfigurationTable + " for each table that has none")
		lines = append(lines, rows...)
	}
	if len(view) > 0 { // last: where the original system has a materialized view of this name, nothing else fails
		section("The view of the original system on " + kql.ConfigurationTable + ". If it is there as a materialized view, this command fails, and nothing else is missing")
		lines = append(lines, view...)
	}
	text := strings.Join(lines, "\n") + "\n"
	if strings.Contains(text, "\n\n") {
		return conn.UsageError("init", "", fmt.Errorf("the script has an empty line"))
	}
	_, err := io.WriteString(w, text)
	return err
}
