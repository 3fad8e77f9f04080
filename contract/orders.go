package contract

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tvmexport/tvmexport"
)

// Configure appends a row to the configuration, in the place of the one that
// the table had.
func (d *Destination) Configure(row ConfigRow) {
	d.mu.Lock()
	defer d.mu.Unlock()
	o := tvmexport.Order{
		Table: row.Table, Into: cmp.Or(row.Into, row.Table+"Raw"), Column: row.Watermark, From: row.From, Active: row.Active,
	}
	if strings.EqualFold(o.Column, "None") {
		o.Column = ""
	}
	o.Load, o.Err = tvmexport.ParseLoadType(cmp.Or(row.Load, string(tvmexport.Snapshot)))
	o.Err = errors.Join(o.Err, tvmexport.CheckIdentifier("table", o.Table), tvmexport.CheckIdentifier("table", o.Into))
	d.List = slices.DeleteFunc(slices.Clone(d.List), func(old tvmexport.Order) bool { return old.Table == o.Table })
	d.List = append(d.List, o)
	slices.SortFunc(d.List, func(a, b tvmexport.Order) int { return cmp.Compare(a.Table, b.Table) })
}

// Orders implements tvmexport.Destination.
func (d *Destination) Orders(context.Context) ([]tvmexport.Order, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.List), nil
}

// CheckTables implements tvmexport.Destination: what is configured is there.
func (d *Destination) CheckTables(_ context.Context, tables []tvmexport.Table) (map[string]error, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	failed := map[string]error{}
	for _, t := range tables {
		if !slices.ContainsFunc(d.List, func(o tvmexport.Order) bool { return o.Table == t.Name }) {
			failed[t.Name] = &tvmexport.Error{
				Op: "check", Table: t.Name, Cause: tvmexport.Rejected,
				Err: errors.New("the table is not there"), Hint: "configure it",
			}
		}
	}
	return failed, nil
}
