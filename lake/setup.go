package lake

import (
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/lake/delta"
	"github.com/tvmexport/tvmexport/lake/store"
)

// Made is what Init has created.
type Made struct {
	Kind  string // table
	Name  string
	Table string // the source table that it belongs to; "" if none
}

// Init creates the tables that are missing. It refuses a store that
// does not keep the conditions of writes. there is how much exists already.
func (c *Client) Init(ctx context.Context, tables []tvmexport.Table) (made []Made, there int, err error) {
	if err := store.Probe(ctx, c.folder.store); err != nil {
		return nil, 0, err
	}
	if _, err := c.folder.understood(ctx, "init", ""); err != nil {
		return nil, 0, err
	}
	if err := c.folder.describe(ctx, ""); err != nil {
		return nil, 0, err
	}
	note := func(created bool, m Made) {
		if created {
			made = append(made, m)
		} else {
			there++
		}
	}
	for _, own := range []struct {
		name    string
		columns []tvmexport.Column
	}{
		{ConfigurationTable, configurationColumns}, {AuditTable, auditColumns}, {RunsTable, runsColumns}, {PartitionsTable, partitionsColumns},
	} {
		created, err := c.folder.create(ctx, own.name, own.columns)
		if err != nil {
			return made, there, err
		}
		note(created, Made{Kind: "table", Name: own.name})
	}
	for _, t := range tables {
		before, err := c.folder.snapshot(ctx, t.Name)
		if err != nil {
			return made, there, err
		}
		if !before.Exists() {
			if _, err := c.folder.syncSchema(ctx, t); err != nil {
				return made, there, err
			}
		}
		note(!before.Exists(), Made{Kind: "table", Name: t.Name, Table: t.Name})
	}
	return made, there, nil
}

// create creates a table about the export, if it does not exist.
func (f *folder) create(ctx context.Context, name string, columns []tvmexport.Column) (created bool, err error) {
	s, err := f.snapshot(ctx, name)
	if err != nil || s.Exists() {
		return false, err
	}
	m, err := f.metadata(name, s, columns)
	if err != nil {
		return false, err
	}
	done, err := f.table(name).Commit(ctx, s, func(_ context.Context, s *delta.Snapshot) (delta.Transaction, error) {
		if s.Exists() {
			return delta.Transaction{}, errMoved
		}
		created = true
		return delta.Transaction{Metadata: m, Operation: "CREATE TABLE"}, nil
	})
	if err == errMoved {
		return false, nil
	}
	if err == nil {
		f.keep(name, done.Snapshot)
	}
	return created, err
}

// Seed adds a row of MigrationConfiguration for each table that has none.
func (c *Client) Seed(ctx context.Context, tables []tvmexport.Table) error {
	rows, err := c.configuration.rows(ctx)
	if err != nil {
		return err
	}
	have := newest(rows)
	tables = slices.DeleteFunc(slices.Clone(tables), func(t tvmexport.Table) bool { _, ok := have[t.Name]; return ok })
	if len(tables) == 0 {
		return nil
	}
	return c.configuration.change(ctx, delta.Txn{}, func(rows []Configured, now time.Time) []Configured {
		have := newest(rows)
		for _, t := range tables {
			if _, ok := have[t.Name]; ok {
				continue
			}
			r := Configured{Table: t.Name, Into: t.Destination, Watermark: t.Watermark, Load: string(t.LoadType), Active: true, WrittenAt: now}
			if r.Load == "" {
				r.Load = string(tvmexport.Snapshot)
			}
			if r.Watermark == "" || r.Watermark == tvmexport.IngestionTime {
				r.Watermark = noWatermark
			}
			rows = append(rows, r)
		}
		return rows
	})
}

// Activate switches tables on or off. Their rows stay as they are otherwise.
func (c *Client) Activate(ctx context.Context, tables []string, active bool) error {
	return c.configuration.change(ctx, delta.Txn{}, func(rows []Configured, now time.Time) []Configured {
		for i := range rows {
			if slices.Contains(tables, rows[i].Table) && rows[i].Active != active {
				rows[i].Active, rows[i].WrittenAt = active, now
			}
		}
		return rows
	})
}
