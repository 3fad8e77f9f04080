package setup

import (
	"context"
	"errors"
	"fmt"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/conn"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/views"
)

// SyncSchema implements tvmexport.Destination. What differs is found by one look at
// the database, so that it costs two commands where nothing does.
func (c *Installer) SyncSchema(ctx context.Context, t tvmexport.Table) ([]string, error) {
	if err := conn.CheckNames(t); err != nil {
		return nil, err
	}
	inv, err := c.conn.Schema(ctx, "fit", true)
	if err != nil {
		return nil, err
	}
	if err := taken(t, inv); err != nil {
		return nil, conn.RefusedError("fit", t.Name, err, "rename it, or set layout to raw")
	}
	lacks, err := c.ledger.Placements(ctx, []tvmexport.Table{t}, inv)
	if err != nil {
		return nil, err
	}
	setup := Missing(fitting(t, c.setup.withDefaults(), inv, lacks), inv, Details{})
	for _, note := range setup.Notes {
		c.conn.Log.WarnContext(ctx, "kusto: "+note, "table", t.Name)
	}
	var changes []string
	for _, cmd := range setup.Made {
		if _, err := c.conn.Command(ctx, conn.Statement{Op: "fit", Table: t.Name, Text: cmd.Text, Idempotent: true}); err != nil && !exists(err) {
			switch {
			case cmd.optional:
				c.conn.Log.InfoContext(ctx, "kusto: left undone", "what", string(cmd.Kind)+" "+cmd.Name, "table", cmd.Table, "error", err)
			case (cmd.Kind == MakeFunction || cmd.Kind == DropFunction) && tvmexport.CauseOf(err) == tvmexport.Permission:
				changes = append(changes, fmt.Sprintf("no permission to alter function %s; it was not changed: let its administrator run tvmexport init", cmd.Name))
			default:
				return changes, forAdministrator(err, cmd)
			}
			continue
		}
		changes = append(changes, changed(cmd, inv)...)
	}
	if len(setup.Made) > 0 {
		c.ledger.Forget(t)
	}
	return changes, nil
}

// forAdministrator names the command that somebody else has to run.
func forAdministrator(err error, cmd Command) error {
	var e *tvmexport.Error
	if errors.As(err, &e) && e.Cause == tvmexport.Permission {
		e.Hint = "let an administrator of the table run: " + cmd.Text
	}
	return err
}

// fitting are the commands that make the typed table and the read functions
// fit the columns that t shows.
func fitting(t tvmexport.Table, o Options, inv conn.Schema, lacks map[string]views.MissingRuns) []Command {
	existing := inv.Shapes()
	var out []Command
	if views.IsTyped(t) {
		out = append(out, makeTyped(t, existing))
		if _, there := inv.Tables[t.Typed()]; !there {
			out = append(out, o.policies(t.Typed(), o.TypedRetention)...)
		}
	}
	out = append(out, functionsOf(t, o, existing, lacks[t.Name])...)
	return append(out, enriched([]tvmexport.Table{t}, o, inv)...)
}

// changed says what a command has changed, a sentence for each column.
func changed(cmd Command, inv conn.Schema) []string {
	switch cmd.Kind {
	case DropFunction:
		return []string{fmt.Sprintf("function %s was removed", cmd.Name)}
	case MakeFunction:
		if _, there := inv.Functions[cmd.Name]; there {
			return []string{fmt.Sprintf("function %s was updated", cmd.Name)}
		}
		return []string{fmt.Sprintf("function %s was created", cmd.Name)}
	case MakeTable:
		have, there := inv.Tables[cmd.Name]
		if !there {
			return []string{fmt.Sprintf("table %s was created", cmd.Name)}
		}
		var out []string
		for _, c := range without(cmd.columns, have.Columns) {
			out = append(out, fmt.Sprintf("column %s:%s was added to table %s", c.Name, c.Kind, cmd.Name))
		}
		return out
	}
	return nil
}

// taken says why the typed table cannot be used: somebody else made it.
func taken(t tvmexport.Table, inv conn.Schema) error {
	found, there := inv.Tables[t.Typed()]
	if !views.IsTyped(t) || !there {
		return nil
	}
	if found.Folder != kql.Folder || views.IsForeign(found.Columns) {
		return fmt.Errorf("table %s was not created by tvmexport", t.Typed())
	}
	return nil
}
