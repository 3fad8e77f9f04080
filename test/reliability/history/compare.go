package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// schema reads what getschema answers.
func schema(rows iter.Seq2[[]byte, error]) ([]tvmexport.Column, error) {
	type column struct {
		ColumnName, ColumnType string
		ColumnOrdinal          int
	}
	var list []column
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		var c column
		if err := json.Unmarshal(row, &c); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b column) int { return a.ColumnOrdinal - b.ColumnOrdinal })
	out := make([]tvmexport.Column, len(list))
	for i, c := range list {
		out[i] = tvmexport.Column{Name: c.ColumnName, Type: c.ColumnType}
	}
	return out, nil
}

// shown are the columns that a call of a function has.
func (c *chronicle) shown(ctx context.Context, call string) ([]tvmexport.Column, error) {
	return schema(c.rig.Emulator.LandedRows(ctx, "", call+" | getschema"))
}

// query is the query over the source of a day that must give what a function
// with the columns shown gives of that day: the table by itself where the
// columns are the same. Else values are of the type that is shown now, and a
// column that the source did not have is empty where it is text and null
// otherwise, which is left out of a row. What has to be shown and is not is an
// error.
func (c *chronicle) query(e entry, table string, shown []tvmexport.Column) (string, error) {
	then := e.columns[table]
	if slices.Equal(sorted(then), sorted(shown)) {
		return table, nil
	}
	for _, column := range then {
		known := typeOf(c.entries[0].columns[table], column.Name) != ""
		switch is := typeOf(shown, column.Name) != ""; {
		case c.frozen && !known && is:
			return "", fmt.Errorf("the column %s of %s is shown, and it appeared after the first day", column.Name, table)
		case (!c.frozen || known) && !is:
			return "", fmt.Errorf("the column %s of %s, day %d, is not shown", column.Name, table, e.day)
		}
	}
	var list []string
	for _, column := range shown {
		switch typeOf(then, column.Name) {
		case column.Type:
			list = append(list, column.Name)
		case "":
			if column.Type == "string" {
				list = append(list, column.Name+` = ""`)
			}
		default:
			list = append(list, fmt.Sprintf("%s = to%s(%s)", column.Name, column.Type, column.Name))
		}
	}
	return table + " | project " + strings.Join(list, ", "), nil
}

func sorted(columns []tvmexport.Column) []tvmexport.Column {
	return slices.SortedFunc(slices.Values(columns), func(a, b tvmexport.Column) int { return strings.Compare(a.Name, b.Name) })
}

func typeOf(columns []tvmexport.Column, name string) string {
	for _, c := range columns {
		if c.Name == name {
			return c.Type
		}
	}
	return ""
}

// differs says how what a function shows differs from a table as it was on a
// day; "" if it does not.
func (c *chronicle) differs(ctx context.Context, e entry, table, call string) (string, error) {
	shown, err := c.shown(ctx, call)
	if err != nil {
		return "", err
	}
	query, err := c.query(e, table, shown)
	if err != nil {
		return err.Error(), nil
	}
	want := e.truth[table]
	if query != table {
		if want, err = e.state.Truth(ctx, query); err != nil {
			return "", err
		}
	}
	got, err := c.rig.Emulator.Landed(ctx, "", call)
	if err != nil || got == want {
		return "", err
	}
	source, err := gather(e.state.Rows(ctx, query))
	if err != nil {
		return "", err
	}
	landed, err := gather(c.rig.Emulator.LandedRows(ctx, "", call))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s of day %d: %d rows, the source had %d%s", call, e.day, got.Rows, want.Rows, source.minus(landed)), nil
}
