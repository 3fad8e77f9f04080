package engine

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Ingestion is one batch of rows for one table. All of it is committed, or
// nothing.
type Ingestion struct {
	Principal Principal
	Database  string
	Table     string
	// Rows hold the table's visible columns in table order. They are read
	// once. A row is used only until the next one is asked for. An error of
	// the sequence is the ingestion's error.
	Rows iter.Seq2[[]value.Value, error]
	// Tags go on the new extents: "ingest-by:x", "drop-by:y", others.
	Tags []string
	// IfNotExists are values of ingest-by: tags, without that prefix: if any
	// extent of the table carries one of them nothing is ingested.
	IfNotExists []string
	// CreationTime is the extents' creation time; zero is now.
	CreationTime time.Time
	// OperationID is found in operations and failures; uuid.Nil makes one up.
	OperationID uuid.UUID
	ActivityID  string
}

// IngestResult is what an Ingestion did.
type IngestResult struct {
	Skipped     bool        // a tag of IfNotExists was there
	ExtentIDs   []uuid.UUID // in the named table; empty where no rows came
	RowCount    int64       // rows in the named table's new extents
	OperationID uuid.UUID
}

// Ingest loads a batch and runs the update policies of its table. A failing
// transactional policy fails the ingestion; another is recorded as an
// ingestion failure. The error is a *Error unless ctx ended or Rows failed,
// whose error it is then.
func (e *Engine) Ingest(ctx context.Context, in Ingestion) (IngestResult, error) {
	if err := e.Authorize(in.Principal, in.Database, in.Table, Ingestor); err != nil {
		return IngestResult{}, err
	}
	d, err := e.databases.find(in.Database)
	if err != nil {
		return IngestResult{}, err
	}
	if in.OperationID == uuid.Nil {
		in.OperationID = newID()
	}
	e.log.begin(operation{
		id: in.OperationID, kind: "DataIngestPull", database: d.name, principal: in.Principal,
		activityID: in.ActivityID, started: e.now(),
	})
	done, err := e.loader.load(ctx, d, load{
		principal: in.Principal, table: in.Table, tags: in.Tags, ifNotExists: in.IfNotExists,
		created: in.CreationTime, operation: in.OperationID,
	}, in.Rows)
	e.log.end(in.OperationID, e.now(), nil, err)
	result := IngestResult{Skipped: done.skipped, RowCount: done.rows, OperationID: in.OperationID}
	for _, x := range done.extents {
		result.ExtentIDs = append(result.ExtentIDs, x.ID)
	}
	return result, err
}

// IngestionFailure is one row of .show ingestion failures. See
// https://learn.microsoft.com/kusto/management/ingestion-failures.
type IngestionFailure struct {
	OperationID                uuid.UUID
	Database                   string
	Table                      string
	FailedOn                   time.Time // zero is now
	IngestionSourcePath        string    // the blob's address without its signature
	Details                    string
	FailureKind                string // Permanent or Transient
	RootActivityID             string
	OperationKind              string // DataIngestPull, UpdatePolicy, ...
	OriginatesFromUpdatePolicy bool
	ErrorCode                  string // BadRequest_..., Stream_...
	Principal                  Principal
	ShouldRetry                bool
	IngestionProperties        string // JSON
}

// RecordIngestionFailure adds a row to .show ingestion failures.
func (e *Engine) RecordIngestionFailure(f IngestionFailure) {
	if f.FailedOn.IsZero() {
		f.FailedOn = e.now()
	}
	e.log.fail(f)
}
