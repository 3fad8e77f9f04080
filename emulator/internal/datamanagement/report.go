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

	// failureUnknown is what a row without a failure has: the Java client reads no other
	// value there, and no empty one.
	failureUnknown = "Unknown"
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
	ids := newReportIDs()
	again := !f.Permanent && d.attempts+1 < maxAttempts
	kind := failurePermanent
	switch {
	case again:
		kind = failureTransient
	case !f.Permanent:
		kind = failureExhausted
	}
	s.reports.record(d, f, kind, ids)
	if again {
		s.retry(d)
		return
	}
	s.count(func(x *Stats) { x.Failed++ })
	s.reports.failed(d, f, kind, ids)
}

// reports tells clients what became of their blobs.
type reports struct {
	engine     *engine.Engine
	storage    Storage
	identities identities
	now        func() time.Time // in UTC
}

// reportIDs are the ids under which an attempt to ingest is found.
type reportIDs struct{ operation, activity uuid.UUID }

func newReportIDs() reportIDs { return reportIDs{uuid.New(), uuid.New()} }

// record puts a failure where .show ingestion failures finds it.
func (s reports) record(d *delivery, f *Failure, kind string, ids reportIDs) {
	principal, err := s.identities.principalOf(d.Properties.Identity)
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
	s.engine.RecordIngestionFailure(engine.IngestionFailure{
		OperationID: ids.operation, Database: d.Database, Table: d.Table, IngestionSourcePath: d.source(),
		Details: f.Details, FailureKind: kind, RootActivityID: ids.activity.String(), OperationKind: "DataIngestPull",
		OriginatesFromUpdatePolicy: f.FromUpdatePolicy, ErrorCode: f.Code, Principal: principal,
		ShouldRetry: !f.Permanent, IngestionProperties: string(properties),
	})
}

// final is the final state of a blob, as the status table and the queues have it.
type final struct {
	level  ReportLevel // FailuresOnly goes to everybody who wants any report
	state  map[string]any
	queue  string
	notice notice
}

func (s reports) failed(d *delivery, f *Failure, kind string, ids reportIDs) {
	s.send(d, ids, final{FailuresOnly, map[string]any{
		"Status": statusFailed, "FailureStatus": kind, "ErrorCode": f.Code, "Details": f.Details,
		"OriginatesFromUpdatePolicy": f.FromUpdatePolicy,
	}, FailedIngestionsQueue, notice{
		FailedOn: stamp(s.now()), Details: f.Details, ErrorCode: f.Code, FailureStatus: kind,
		OriginatesFromUpdatePolicy: f.FromUpdatePolicy, ShouldRetry: !f.Permanent,
	}})
}

func (s reports) succeeded(d *delivery, ids reportIDs) {
	s.send(d, ids, final{FailuresAndSuccesses, map[string]any{
		"Status": statusSucceeded, "FailureStatus": failureUnknown, "ErrorCode": failureUnknown, "Details": "",
	}, SuccessfulIngestionsQueue, notice{SucceededOn: stamp(s.now())}})
}

// skipped reports a blob that was already ingested: as a failure in the
// queue, which has no state for it, and as a state of its own in the table.
func (s reports) skipped(d *delivery, ids reportIDs) {
	const details = "Another stream with the same ingest-by tag was already ingested."
	s.send(d, ids, final{FailuresOnly, map[string]any{
		"Status": statusSkipped, "FailureStatus": failurePermanent, "ErrorCode": codeSkipped, "Details": details,
	}, FailedIngestionsQueue, notice{
		FailedOn: stamp(s.now()), Details: details, ErrorCode: codeSkipped, FailureStatus: failurePermanent,
	}})
}

// send writes to the table and the queue as the message wants it. Reports are
// best-effort, as the service's are: an error has no consequence.
func (s reports) send(d *delivery, ids reportIDs, f final) {
	if d.ReportLevel == None || f.level == FailuresAndSuccesses && d.ReportLevel != FailuresAndSuccesses {
		return
	}
	if d.Status.Table != "" && d.ReportMethod != ToQueue {
		f.state["OperationId"], f.state["ActivityId"], f.state["UpdatedOn"] = ids.operation, ids.activity, s.now()
		f.state["Database"], f.state["Table"], f.state["IngestionSourcePath"] = d.Database, d.Table, d.source()
		if id, err := uuid.Parse(d.Status.PartitionKey); err == nil {
			f.state["IngestionSourceId"] = id
		}
		_ = s.storage.UpdateStatus(d.Status.Table, d.Status.PartitionKey, d.Status.RowKey, f.state)
	}
	if d.ReportMethod != ToTable {
		n := f.notice
		n.OperationID, n.RootActivityID = ids.operation, ids.activity
		n.Database, n.Table, n.IngestionSourceID, n.IngestionSourcePath = d.Database, d.Table, d.ID, d.source()
		if text, err := json.Marshal(n); err == nil {
			_ = s.storage.Notify(f.queue, base64.StdEncoding.EncodeToString(text))
		}
	}
}

// stamp is a time with seven digits, as the service writes it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z") }
