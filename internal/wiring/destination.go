package wiring

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/kusto"
	"github.com/tvmexport/tvmexport/lake"
	"github.com/tvmexport/tvmexport/lake/store"
	"github.com/tvmexport/tvmexport/lake/store/blob"
	"github.com/tvmexport/tvmexport/lake/store/local"
)

// Reports reads the state of tables, their runs and the audit from the destination.
type Reports interface {
	Status(ctx context.Context) (kusto.Status, error)
	Runs(ctx context.Context, perTable int) (now time.Time, runs []kusto.RunRecord, err error)
	Record(ctx context.Context, table string, run tvmexport.RunID) ([]kusto.LedgerRow, []tvmexport.PartitionRecord, error)
	AuditLog(ctx context.Context, limit int) ([]kusto.Audit, error)
}

// Configuration reads and changes the table MigrationConfiguration.
type Configuration interface {
	Orders(ctx context.Context) ([]tvmexport.Order, error)
	Configure(ctx context.Context, tables []tvmexport.Table) error
	Activate(ctx context.Context, tables []string, active bool) error
}

// openLake opens the folder of a configuration.
func openLake(s Setup, signIn LazyCredential, client *http.Client) (*lake.Client, error) {
	to, err := openStore(s, signIn, client)
	if err != nil {
		return nil, err
	}
	return lake.New(lake.Options{Store: to, Retention: s.Config.Retention.Typed, Version: s.Version, Logger: s.Logger}), nil
}

// openStore opens a folder of a disk, which it creates, or of Azure Storage.
func openStore(s Setup, signIn LazyCredential, client *http.Client) (store.Store, error) {
	path := s.Config.Lake.Path
	scheme, _, isURL := strings.Cut(path, "://")
	switch {
	case !isURL:
		return local.Open(filepath.Clean(path))
	case !blob.Is(path):
		return nil, Usage(fmt.Errorf("lake.path is a URL with %s://: use a folder, https:// or abfss://", scheme))
	case strings.Contains(path, "?"): // the path is printed and logged
		return nil, Usage(errors.New("lake.path has a shared access signature: leave it out; the program signs in as kusto.auth and auth say"))
	}
	credential, err := signIn()
	if err != nil {
		return nil, err
	}
	return blob.Open(path, blob.Options{Credential: credential, HTTPClient: s.instrumented("lake", client)})
}

// Lakes says whether the rows of a configuration go to a folder.
func Lakes(c config.Config) bool { return c.Destination == config.ToLake }

// Sink is the destination.
func (x *Parts) Sink() tvmexport.Destination {
	if x.Lake != nil {
		return x.Lake
	}
	return x.Destination
}

// Reports reads the state of the destination.
func (x *Parts) Reports() Reports {
	if x.Lake != nil {
		return lakeReports{x.Lake.Reports()}
	}
	return x.Destination.Reports()
}

// Configuration reads and changes which tables are exported.
func (x *Parts) Configuration() Configuration {
	if x.Lake != nil {
		return lakeConfiguration{x.Lake}
	}
	return x.Destination.Configuration()
}

type lakeConfiguration struct{ *lake.Client }

func (c lakeConfiguration) Configure(ctx context.Context, tables []tvmexport.Table) error {
	return c.Seed(ctx, tables)
}

// lakeReports tells of a folder what Reports tells of a database.
type lakeReports struct{ of *lake.Reports }

func auditOf(a *lake.Audit) *kusto.Audit {
	if a == nil {
		return nil
	}
	return &kusto.Audit{Table: a.Table, At: a.At, Status: a.Status, Reason: a.Reason, Rows: a.Rows}
}

func (r lakeReports) Status(ctx context.Context) (out kusto.Status, err error) {
	list, now, newer, err := r.of.Status(ctx)
	out = kusto.Status{Now: now, Newer: newer}
	for _, t := range list {
		s := kusto.TableStatus{Order: t.Order, Last: t.Last, FullAt: t.FullAt, Publishing: t.Publishing, Holder: t.Holder, Audit: auditOf(t.Audit)}
		if t.Last != nil {
			s.Age = now.Sub(t.Last.At)
		}
		out.Tables = append(out.Tables, s)
	}
	return out, err
}

func (r lakeReports) Runs(ctx context.Context, perTable int) (now time.Time, runs []kusto.RunRecord, err error) {
	now, list, err := r.of.Runs(ctx, perTable)
	for _, t := range list {
		runs = append(runs, kusto.RunRecord{
			Table: t.Table, Run: t.ID, Previous: t.Previous, Owner: t.Owner, Kind: t.Kind, Load: t.Load, Committed: t.Committed,
			Began: t.Began, At: t.At, From: t.From, Watermark: t.Watermark, Rows: t.Rows, Bytes: t.Bytes, Calls: t.Calls,
			Took: t.Took, Reason: t.Reason, Effect: t.Effect,
		})
	}
	return now, runs, err
}

func (r lakeReports) Record(ctx context.Context, table string, run tvmexport.RunID) ([]kusto.LedgerRow, []tvmexport.PartitionRecord, error) {
	of, state, detail, parts, err := r.of.Record(ctx, table, run)
	if err != nil || state == "" {
		return nil, nil, err
	}
	row := kusto.LedgerRow{State: state, At: of.At, Rows: of.Rows, Bytes: of.Bytes, Calls: of.Calls, Owner: of.Owner, Detail: detail}
	return []kusto.LedgerRow{row}, parts, nil
}

func (r lakeReports) AuditLog(ctx context.Context, limit int) ([]kusto.Audit, error) {
	list, err := r.of.AuditLog(ctx, limit)
	out := make([]kusto.Audit, len(list))
	for i := range list {
		out[i] = *auditOf(&list[i])
	}
	return out, err
}
