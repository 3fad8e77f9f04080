package engine

import (
	"context"
	"iter"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/kql/value"
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
}

// IngestResult is what an Ingestion did.
type IngestResult struct {
	Skipped   bool        // a tag of IfNotExists was there
	ExtentIDs []uuid.UUID // in the named table; empty where no rows came
	RowCount  int64       // rows in the named table's new extents
}

// Ingest loads a batch and runs the update policies of its table. A failing
// transactional policy fails the ingestion; another is recorded as an
// ingestion failure. The error is a *Error unless ctx ended or Rows failed.
func (e *Engine) Ingest(ctx context.Context, in Ingestion) (IngestResult, error) {
	return IngestResult{}, nil
}

// IngestionFailure is one row of .show ingestion failures.
type IngestionFailure struct {
	OperationID                uuid.UUID
	Database                   string
	Table                      string
	FailedOn                   time.Time // zero is now
	IngestionSourcePath        string    // blob address without its signature
	Details                    string
	FailureKind                string // Permanent or Transient
	RootActivityID             string
	OperationKind              string // DataIngestPull, ...
	OriginatesFromUpdatePolicy bool
	ErrorCode                  string // BadRequest_..., Stream_...
	Principal                  Principal
	ShouldRetry                bool
	User                       string
	IngestionProperties        string // JSON
}

// RecordIngestionFailure adds a row to .show ingestion failures.
func (e *Engine) RecordIngestionFailure(f IngestionFailure) {}
