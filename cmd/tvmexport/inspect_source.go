package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
	"github.com/tvmexport/tvmexport/internal/preflight"
	"github.com/tvmexport/tvmexport/internal/progress"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

// chosenTables are the tables to look at: those named, else the active ones,
// else those that init would make.
func (i *inspection) chosenTables() ([]tvmexport.Table, error) {
	if len(i.tables) > 0 {
		return i.tables, nil
	}
	if !i.made {
		tables, err := tablesNamed(i.flags.tables)
		if err != nil {
			return nil, err
		}
		if tables, err = wiring.WithPolicies(tables, i.parts.Config); err != nil {
			return nil, err
		}
		i.tables = tables
		return i.tables, nil
	}
	var ordered []tvmexport.Table
	for _, o := range i.orders {
		t, _ := wiring.Describe(i.parts.Config)(o.Table)
		t.Name, t.Destination, t.LoadType, t.Watermark = o.Table, o.Into, o.Load, o.Column
		if t.LoadType != tvmexport.Snapshot && t.Watermark == "" {
			t.Watermark = tvmexport.IngestionTime
		}
		t, err := t.WithPolicy(wiring.Policies(i.parts.Config)(t.Name))
		if err != nil {
			return nil, err
		}
		if o.Err == nil {
			ordered = append(ordered, t)
		}
	}
	i.tables = ordered
	return i.tables, nil
}

// sourceTables counts the rows of the tables of hunting, by one call where that is
// possible.
func (i *inspection) sourceTables(ctx context.Context) preflight.Result {
	tables, err := i.chosenTables()
	tables, _ = byHunting(tables)
	if err == nil && len(tables) == 0 {
		return preflight.Result{}
	}
	if err == nil {
		err = i.openSource(ctx)
	}
	if err != nil {
		return preflight.Found(preflight.Bad("", err, ""))
	}
	var out []preflight.Finding
	list := make([]tvmexport.CountQuery, len(tables))
	for n, t := range tables {
		list[n] = tvmexport.CountQuery{Table: t, Depth: depthOf(t)} // by the key's first digit, so that the key is looked at too
	}
	record := i.shareQuota(ctx)
	counts := i.source.CountTables(ctx, list)
	record()
	for n, t := range tables {
		if counts[n].Err != nil {
			out = append(out, i.absent(ctx, t, counts[n].Err))
			continue
		}
		rows := int64(0)
		for _, part := range counts[n].Parts {
			rows += part.Rows
		}
		f := preflight.Good(t.Name, "%s rows", progress.Count(rows))
		if column := t.Watermark; column != "" && column != tvmexport.IngestionTime && len(t.Columns) > 0 &&
			!slices.ContainsFunc(t.Columns, func(c tvmexport.Column) bool { return c.Name == column && c.Type == "datetime" }) {
			f = preflight.Finding{
				About: t.Name, Status: preflight.Broken, Cause: tvmexport.Usage,
				Text: fmt.Sprintf("the watermark column %s is not a datetime column of the table", column),
				Fix:  i.order(ctx, t.Name, "WatermarkColumn", timeColumn(t.Name)),
			}
		}
		out = append(out, f)
	}
	return preflight.Found(out...)
}

// depthOf is 1 where the table has a key of columns.
func depthOf(t tvmexport.Table) int {
	if t.Key.Column == "" && len(t.Key.Hashed) == 0 {
		return 0
	}
	return 1
}

func timeColumn(table string) string {
	if info, ok := catalog.Lookup(table); ok && info.TimeColumn != "" {
		return info.TimeColumn
	}
	return "None"
}

// absent is about a table that could not be counted.
func (i *inspection) absent(ctx context.Context, t tvmexport.Table, err error) preflight.Finding {
	f := preflight.Bad(t.Name, err, "")
	if tvmexport.CauseOf(err) != tvmexport.Rejected {
		return f
	}
	i.unknown[t.Name] = true
	if _, known := catalog.Lookup(t.Name); known || !i.made {
		f.Fix += "; until then: " + i.order(ctx, t.Name, "IsActive", false)
		return f
	}
	f.Cause = tvmexport.Usage
	near := ""
	if n := catalog.Nearest(t.Name); n != "" {
		near = ", and export the intended table: tvmexport init --table " + n
	}
	f.Fix = "deactivate the table: " + i.order(ctx, t.Name, "IsActive", false) + near
	return f
}

// order is the command that changes a table's configuration row.
func (i *inspection) order(ctx context.Context, table, column string, value any) string {
	if i.parts.Lake != nil {
		return "tvmexport tables pause " + table
	}
	text, err := i.parts.Destination.Inspect().OrderText(ctx, table, column, value)
	if err != nil {
		return fmt.Sprintf("set %s of %s to %v in MigrationConfiguration", column, table, value)
	}
	return text
}
