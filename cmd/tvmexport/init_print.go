package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/wiring"
	"github.com/tvmexport/tvmexport/kusto"
)

// lookTime is how long a script waits for the database that it would fit.
const lookTime = 15 * time.Second

// printScript prints the script of init. It needs no configuration, but keeps to one
// that is there.
func (p *process) printScript(ctx context.Context, tables []tvmexport.Table, f initFlags) error {
	g := kusto.ScriptGrants{Principal: strings.TrimSpace(f.principal)}
	write := func(commands []kusto.Command, remarks ...string) error {
		return kusto.WriteScript(p.stdout, commands, g, remarks...)
	}
	switch f.place {
	case "editor":
	case "arm":
		if f.principal != "" || f.roles != "database" {
			return usage(errors.New("--principal and --roles are for --for editor: a template gives roles by resources (Microsoft.Kusto/clusters/databases/principalAssignments)"))
		}
		write = func(commands []kusto.Command, _ ...string) error {
			return kusto.WriteResourceScript(p.stdout, commands)
		}
	default:
		return usage(fmt.Errorf("--for %q is unknown: use editor or arm", f.place))
	}
	switch f.roles {
	case "database":
	case "table":
		g.ByTable = true
	default:
		return usage(fmt.Errorf("--roles %q is unknown: use database or table", f.roles))
	}
	if f.principal != "" {
		if err := kusto.CheckPrincipal(f.principal); err != nil {
			return err
		}
	}
	c, err := settingsOf(p)
	configured := err == nil
	if !configured {
		c, _ = config.Parse("", nil, p.env) // the name of the database is enough
	} else if tables, err = wiring.WithPolicies(tables, c); err != nil {
		return err
	}
	if configured && wiring.Lakes(c) {
		return notOfLakes("init --print")
	}
	if g.Database = c.Kusto.Database; g.Database == "" {
		if g.Principal != "" && p.configFile() != "" {
			return err
		}
		if g.Principal != "" {
			return usage(errors.New("--principal needs the name of the database: set kusto.database or TVMEXPORT_KUSTO_DATABASE"))
		}
		g.Database = "NAME"
	}
	if configured {
		if commands, notes, err := p.fittingCommands(ctx, c, tables); err == nil {
			for _, note := range notes {
				fmt.Fprintf(p.stderr, "note: %s\n", note)
			}
			return write(commands, append([]string{"It leaves alone what others created in the database " + g.Database + "."}, notes...)...)
		} else if tvmexport.CauseOf(err) == tvmexport.Usage || ctx.Err() != nil {
			return err
		} else {
			fmt.Fprintf(p.stderr, "note: the database %s could not be read, so the script is for one in which none of the tables exists: %v\n", g.Database, err)
		}
	}
	var o kusto.ScriptOptions
	if configured {
		o = wiring.ScriptOptions(c)
	}
	commands, err := kusto.Script(tables, o)
	if err != nil {
		return err
	}
	remarks := []string{"It is for a database in which none of the tables exists."}
	if shared := kusto.SharedPolicies(commands); len(shared) > 0 {
		remarks = append(remarks, fmt.Sprintf("If another program made one of the tables %s, remove the commands with its policies first: rows older than its new retention would be dropped.", strings.Join(shared, ", ")))
	}
	return write(commands, remarks...)
}

// fittingCommands are the commands of init for the database as it is.
func (p *process) fittingCommands(ctx context.Context, c config.Config, tables []tvmexport.Table) ([]kusto.Command, []string, error) {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	x, err := p.open(ctx, c)
	if err != nil {
		return nil, nil, errors.New(err.Error()) // of any cause, it is no reason to print nothing
	}
	defer x.Close()
	if tables, err = x.Destination.Setup().Ordered(ctx, tables); err != nil {
		return nil, nil, err
	}
	return x.Destination.Setup().Printed(ctx, tables, wiring.ScriptOptions(c))
}
