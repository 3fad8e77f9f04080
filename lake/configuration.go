package lake

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/parquet"
)

// configuration is the table MigrationConfiguration. The newest row of a source table counts.
// It has one file: each change replaces it, and the log keeps the rows of before.
type configuration struct{ *folder }

var configurationColumns = []tvmexport.Column{
	{Name: "SourceTable", Type: "string"},
	{Name: "DestinationTable", Type: "string"},
	{Name: "WatermarkColumn", Type: "string"},
	{Name: "LastRefreshedTime", Type: "datetime"},
	{Name: "LastRefreshedTimeInString", Type: "string"},
	{Name: "LoadType", Type: "string"},
	{Name: "IsActive", Type: "bool"},
	{Name: "WrittenAt", Type: "datetime"},
	{Name: "Invocation", Type: "string"},
}

// Configured is a row of MigrationConfiguration.
type Configured struct {
	Table, Into, Watermark, Load string
	Refreshed                    time.Time
	Told                         string // Refreshed as text, to the tick
	Active                       bool
	WrittenAt                    time.Time
	Invocation                   string // that copied a watermark; "" for an order of people
}

const noWatermark = "None"

// rows are the rows of the newest version: of each source table the newest one last.
func (c *configuration) rows(ctx context.Context) ([]Configured, error) {
	s, err := c.snapshot(ctx, ConfigurationTable)
	if err != nil {
		return nil, err
	}
	return c.rowsOf(ctx, s)
}

func (c *configuration) rowsOf(ctx context.Context, s *delta.Snapshot) ([]Configured, error) {
	var out []Configured
	r := &reader{c.folder}
	for a := range s.Files() {
		for row, err := range r.rows(ctx, ConfigurationTable, a, configurationColumns) {
			if err != nil {
				return nil, err
			}
			word := func(i int) string { return string(row[i].Text()) }
			k := Configured{
				Table: word(0), Into: word(1), Watermark: word(2), Told: word(4), Load: word(5), Active: row[6].Bool(), Invocation: word(8),
				WrittenAt: a.Modified.Time(), // of a row by another engine
			}
			if !row[3].IsNull() {
				k.Refreshed = row[3].Time()
				if t, err := time.Parse(time.RFC3339Nano, k.Told); err == nil && t.Truncate(time.Microsecond).Equal(k.Refreshed) {
					k.Refreshed = t.UTC()
				}
			}
			if !row[7].IsNull() {
				k.WrittenAt = row[7].Time()
			}
			out = append(out, k)
		}
	}
	slices.SortStableFunc(out, func(a, b Configured) int { return a.WrittenAt.Compare(b.WrittenAt) })
	return out, nil
}

// newest is the newest row of each source table.
func newest(rows []Configured) map[string]Configured {
	out := map[string]Configured{}
	for _, r := range rows {
		out[r.Table] = r
	}
	return out
}

// orderedSince is the watermark that somebody ordered for a table since a time; zero: nobody did.
func orderedSince(rows []Configured, table string, since time.Time) time.Time {
	r, ok := newest(rows)[table]
	if !ok || r.Invocation != "" || !r.WrittenAt.After(since) {
		return time.Time{}
	}
	return r.Refreshed
}

// orders implements tvmexport.Orders.
func (c *configuration) orders(ctx context.Context) ([]tvmexport.Order, error) {
	s, err := c.snapshot(ctx, ConfigurationTable)
	if err != nil {
		return nil, err
	}
	if !s.Exists() {
		return nil, &tvmexport.Error{
			Op: "read configuration", Action: tvmexport.Stop, Cause: tvmexport.Rejected,
			Err:  fmt.Errorf("the folder %s has no table %s", c.store.Location(""), ConfigurationTable),
			Hint: "run tvmexport init",
		}
	}
	rows, err := c.rowsOf(ctx, s)
	if err != nil {
		return nil, err
	}
	now := newest(rows)
	var out []tvmexport.Order
	for _, name := range slices.Sorted(maps.Keys(now)) {
		out = append(out, orderOf(now[name]))
	}
	tvmexport.RefuseCollisions(out)
	return out, nil
}

// orderOf is what a row asks for, or why it cannot be carried out.
func orderOf(row Configured) tvmexport.Order {
	o := tvmexport.Order{
		Table: row.Table, Into: cmp.Or(strings.TrimSpace(row.Into), row.Table+"Raw"), Column: strings.TrimSpace(row.Watermark),
		From: row.Refreshed, Active: row.Active,
	}
	if strings.EqualFold(o.Column, noWatermark) {
		o.Column = ""
	}
	var loadErr, columnErr error
	o.Load, loadErr = tvmexport.ParseLoadType(cmp.Or(strings.TrimSpace(row.Load), string(tvmexport.Snapshot)))
	switch {
	case strings.EqualFold(o.Column, tvmexport.IngestionTime):
		o.Column = tvmexport.IngestionTime
	case o.Column != "":
		columnErr = tvmexport.CheckIdentifier("watermark column", o.Column)
	}
	if o.Load == tvmexport.Snapshot && o.Column == tvmexport.IngestionTime {
		o.Column = ""
	}
	if o.Load == tvmexport.Snapshot {
		o.From = time.Time{} // when a run began: it says nothing of single rows
	}
	if err := errors.Join(tvmexport.CheckIdentifier("table", o.Table), tvmexport.CheckIdentifier("table", o.Into), loadErr, columnErr); err != nil {
		o.Err = &tvmexport.Error{
			Op: "configuration", Table: o.Table, Action: tvmexport.Stop, Cause: tvmexport.Usage,
			Err: err, Hint: "tvmexport tables add writes a corrected row",
		}
	}
	return o
}

// change replaces the rows by those that edit makes of them.
func (c *configuration) change(ctx context.Context, txn delta.Txn, edit func([]Configured, time.Time) []Configured) error {
	s, err := c.snapshot(ctx, ConfigurationTable)
	if err != nil {
		return err
	}
	done, err := c.table(ConfigurationTable).Commit(ctx, s, func(ctx context.Context, s *delta.Snapshot) (x delta.Transaction, err error) {
		x.Txn = txn
		if !s.Exists() {
			if x.Metadata, err = c.metadata(ConfigurationTable, s, configurationColumns); err != nil {
				return x, err
			}
		}
		if v, ok := s.Txn(txn.AppID); ok && txn.AppID != "" && v >= txn.Version {
			return x, nil
		}
		rows, err := c.rowsOf(ctx, s)
		if err != nil {
			return x, err
		}
		now, err := c.now(ctx)
		if err != nil {
			return x, err
		}
		if n := len(rows); n > 0 && !now.After(rows[n-1].WrittenAt) {
			now = rows[n-1].WrittenAt.Add(time.Microsecond)
		}
		var out [][]parquet.Value
		for _, r := range edit(rows, now) {
			told := r.Told
			if !r.Refreshed.IsZero() {
				told = r.Refreshed.UTC().Format("2006-01-02T15:04:05.0000000Z")
			}
			out = append(out, []parquet.Value{
				text(r.Table), text(r.Into), text(r.Watermark), moment(r.Refreshed), text(told), text(r.Load), parquet.Bool(r.Active),
				moment(r.WrittenAt), text(r.Invocation),
			})
		}
		for a := range s.Files() {
			x.Remove = append(x.Remove, a.Path)
		}
		if len(out) > 0 {
			a, err := c.writeFile(ctx, ConfigurationTable, configurationColumns, each(out))
			if err != nil {
				return x, err
			}
			x.Add = []delta.Add{a}
		}
		return x, nil
	})
	if err == nil {
		c.keep(ConfigurationTable, done.Snapshot)
	}
	return err
}

// Configure appends a row, as an order of people. WrittenAt and Invocation are filled in.
func (c *Client) Configure(ctx context.Context, rows ...Configured) error {
	return c.configuration.change(ctx, delta.Txn{}, func(have []Configured, now time.Time) []Configured {
		for _, r := range rows {
			r.WrittenAt, r.Invocation = now, ""
			have = append(slices.DeleteFunc(have, func(h Configured) bool { return h.Table == r.Table }), r)
		}
		return have
	})
}

// copyWatermarks writes how far the runs of an invocation reach. An order that came since a run began
// stays as it is.
func (c *configuration) copyWatermarks(ctx context.Context, invocation string, outcomes []tvmexport.Outcome) error {
	var copied []tvmexport.Outcome
	for _, o := range outcomes {
		if o.Err == nil && o.Run != "" && (!o.Watermark.IsZero() || !o.Began.IsZero()) {
			copied = append(copied, o)
		}
	}
	if len(copied) == 0 {
		return nil
	}
	return c.change(ctx, delta.Txn{AppID: "tvmexport/watermarks/" + invocation, Version: 1}, func(have []Configured, now time.Time) []Configured {
		for i, r := range have {
			at := slices.IndexFunc(copied, func(o tvmexport.Outcome) bool { return o.Table == r.Table })
			if at < 0 {
				continue
			}
			o := copied[at]
			if r.Invocation == "" && !o.Began.IsZero() && r.WrittenAt.After(o.Began) {
				continue
			}
			r.Refreshed = cmp.Or(o.Watermark, o.Began)
			r.WrittenAt, r.Invocation = now, invocation
			have[i] = r
		}
		return have
	})
}
