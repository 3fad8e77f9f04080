package datamanagement

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine"
)

// The final states of a blob, as status tables name them. See
// https://learn.microsoft.com/kusto/api/netfx/kusto-ingest-client-status.
const (
	statusSucceeded = "Succeeded"
	statusFailed    = "Failed"
	statusSkipped   = "Skipped"

	failurePermanent = "Permanent"
	failureTransient = "Transient"
	failureExhausted = "Exhausted"
)

// notice is a message of the queues with failures and successes: the fields of
// https://learn.microsoft.com/kusto/api/netfx/kusto-ingest-client-rest.
type notice struct {
	OperationID                uuid.UUID `json:"OperationId"`
	Database                   string
	Table                      string
	FailedOn                   string `json:",omitempty"`
	SucceededOn                string `json:",omitempty"`
	IngestionSourceID          string `json:"IngestionSourceId"`
	IngestionSourcePath        string
	Details                    string    `json:",omitempty"`
	ErrorCode                  string    `json:",omitempty"`
	FailureStatus              string    `json:",omitempty"`
	RootActivityID             uuid.UUID `json:"RootActivityId"`
	OriginatesFromUpdatePolicy bool      `json:",omitempty"`
	ShouldRetry                bool      `json:",omitempty"`
}

// fail reports a blob that failed, or has it tried again.
func (s *Service) fail(d *delivery, f *Failure) {
	operation, activity := uuid.New(), uuid.New()
	again := !f.Permanent && d.attempts+1 < maxAttempts
	kind := failurePermanent
	switch {
	case again:
		kind = failureTransient
	case !f.Permanent:
		kind = failureExhausted
	}
	s.record(d, f, kind, operation, activity)
	if again {
		s.retry(d)
		return
	}
	s.count(func(x *Stats) { x.Failed++ })
	s.report(d, FailuresOnly, FailedIngestionsQueue, map[string]any{
		"Status": statusFailed, "FailureStatus": kind, "ErrorCode": f.Code, "Details": f.Details,
		"OriginatesFromUpdatePolicy": f.FromUpdatePolicy,
	}, notice{
		FailedOn: stamp(s.now()), Details: f.Details, ErrorCode: f.Code, FailureStatus: kind,
		OriginatesFromUpdatePolicy: f.FromUpdatePolicy, ShouldRetry: !f.Permanent,
	}, operation, activity)
}

// record puts a failure where .show ingestion failures finds it.
func (s *Service) record(d *delivery, f *Failure, kind string, operation, activity uuid.UUID) {
	principal, err := s.principalOf(d.Properties.Identity)
	if err != nil && !d.unread {
		return // the engine never heard of it
	}
	properties, err := json.Marshal(map[string]any{
		"Format": d.Properties.Format, "IngestionMappingReference": d.Properties.MappingReference, "Tags": d.Properties.Tags,
		"IngestIfNotExists": d.Properties.IfNotExists,
	})
	if err != nil {
		properties = nil
	}
	if kind == failureExhausted {
		kind = failureTransient
	}
	s.o.Engine.RecordIngestionFailure(engine.IngestionFailure{
		OperationID: operation, Database: d.Database, Table: d.Table, IngestionSourcePath: d.source(),
		Details: f.Details, FailureKind: kind, RootActivityID: activity.String(), OperationKind: "DataIngestPull",
		OriginatesFromUpdatePolicy: f.FromUpdatePolicy, ErrorCode: f.Code, Principal: principal,
		ShouldRetry: !f.Permanent, IngestionProperties: string(properties),
	})
}

func (s *Service) reportSuccess(d *delivery, operation, activity uuid.UUID) {
	s.report(d, FailuresAndSuccesses, SuccessfulIngestionsQueue,
		map[string]any{"Status": statusSucceeded, "FailureStatus": "", "ErrorCode": "", "Details": ""},
		notice{SucceededOn: stamp(s.now())}, operation, activity)
}

// reportSkipped reports a blob that was already ingested: as a failure in the
// queue, which has no state for it, and as a state of its own in the table.
func (s *Service) reportSkipped(d *delivery, operation, activity uuid.UUID) {
	const details = "Another stream with the same ingest-by tag was already ingested."
	s.report(d, FailuresOnly, FailedIngestionsQueue, map[string]any{
		"Status": statusSkipped, "FailureStatus": failurePermanent, "ErrorCode": codeSkipped, "Details": details,
	}, notice{FailedOn: stamp(s.now()), Details: details, ErrorCode: codeSkipped, FailureStatus: failurePermanent}, operation, activity)
}

// report writes to the table and the queue as the message wants it. What is of the
// level FailuresOnly goes to everybody who wants anything. Reports are best-effort,
// as the service's are: an error has no consequence.
func (s *Service) report(d *delivery, level ReportLevel, queue string, state map[string]any, n notice, operation, activity uuid.UUID) {
	if d.ReportLevel == None || level == FailuresAndSuccesses && d.ReportLevel != FailuresAndSuccesses {
		return
	}
	n.OperationID, n.RootActivityID = operation, activity
	n.Database, n.Table, n.IngestionSourceID, n.IngestionSourcePath = d.Database, d.Table, d.ID, d.source()
	if d.Status.Table != "" && d.ReportMethod != ToQueue {
		state["OperationId"], state["ActivityId"], state["UpdatedOn"] = operation, activity, s.now()
		state["Database"], state["Table"], state["IngestionSourcePath"] = d.Database, d.Table, d.source()
		if id, err := uuid.Parse(d.Status.PartitionKey); err == nil {
			state["IngestionSourceId"] = id
		}
		_ = s.o.Storage.UpdateStatus(d.Status.Table, d.Status.PartitionKey, d.Status.RowKey, state)
	}
	if d.ReportMethod != ToTable {
		if text, err := json.Marshal(n); err == nil {
			_ = s.o.Storage.Notify(queue, base64.StdEncoding.EncodeToString(text))
		}
	}
}

// stamp is a time with seven digits, as the service writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
