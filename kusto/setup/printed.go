package setup

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// Printed returns the commands of a script that makes of the database what
// [Installer.Init] makes of it, in order, and what it leaves out. Each command can be
// repeated and then changes nothing. What exists is repeated too, so that the script
// is complete for another database. It changes nothing itself.
func (c *Installer) Printed(ctx context.Context, tables []tvmexport.Table, o Options) ([]Command, []string, error) {
	f, err := c.look(ctx, tables, o)
	if err != nil {
		return nil, nil, err
	}
	if found, ok := f.inv.Tables[kql.RunsTable]; ok && kql.Missing(found.Columns, kql.RunsColumns) == "" {
		if err := c.understood(ctx, "init"); err != nil {
			return nil, nil, err
		}
	}
	commands, notes := withoutOthers(f.commands, f.inv, f.details)
	for _, t := range f.tables {
		notes = append(notes, misfits(t, f.inv)...)
	}
	return commands, notes, nil
}

// withoutOthers leaves out the commands that Init does not send because they would change
// what somebody else made or decided.
func withoutOthers(commands []Command, inv conn.Schema, d Details) (out []Command, notes []string) {
	for _, cmd := range commands {
		table, there := inv.Tables[cmd.target()]
		foreign := there && table.Folder != kql.Folder
		key := [2]string{cmd.Table, cmd.Name}
		switch cmd.Kind {
		case MakeTable:
			if foreign && cmd.again != "" {
				notes = append(notes, fmt.Sprintf("table %s was not created by tvmexport and was not changed", cmd.Name))
				continue
			}
			if text := Extension(cmd.Name, table.Columns, cmd.columns); there && !foreign && text != "" {
				cmd.Text, cmd.again = text, text
			}
		case MakeMapping:
			if foreign || there && cmd.Name == kql.RecordsMapping && !sameMapping(cmd, d.mapped[key]) {
				continue
			}
		case MakePolicy:
			if foreign || d.differs[key] {
				continue
			}
		case MakeFunction:
			found, exists := inv.Functions[cmd.Name]
			if exists && found.Folder != kql.Folder && cmd.update == "" {
				continue
			}
			_, done, note := functionCommand(cmd, inv)
			if note != "" {
				notes = append(notes, note)
				continue
			}
			cmd.stays = exists && done && (found.Text != cmd.does || found.Doc != cmd.doc)
		}
		out = append(out, cmd)
	}
	return out, append(notes, d.notes...)
}

// sameMapping says whether a mapping does what the one of the command does, or is not
// there.
func sameMapping(cmd Command, text string) bool {
	if text == "" {
		return true
	}
	found, err := kql.ReadMapping(text)
	return err == nil && kql.SameMapping(found, cmd.paths)
}

// repeatable is the command in a form that changes nothing the second time.
func (c Command) repeatable() string { return cmp.Or(c.again, c.Text) }

// SharedPolicies returns the published tables of the original's names whose retention
// the commands set. Made without a look at the database, they do not know whether
// somebody else made the tables.
func SharedPolicies(commands []Command) []string {
	var out []string
	for _, c := range commands {
		if c.Kind == MakeTable && c.again == "" && !isShared(c.Name) && slices.ContainsFunc(commands, func(p Command) bool { return p.Kind == MakePolicy && p.Table == c.Name && p.Name == "retention" }) {
			out = append(out, c.Name)
		}
	}
	return out
}
