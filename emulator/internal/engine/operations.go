package engine

import (
	"slices"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/internal/engine/command"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// mayKnow says whether the caller may see what p did in a database: what the
// caller did too, or anything as the database's admin or monitor.
func (s *session) mayKnow(p Principal, db string) bool {
	caller := s.call.Principal
	if equalFold(p.AppID, caller.AppID) && equalFold(p.TenantID, caller.TenantID) {
		return true
	}
	d, err := s.e.databases.find(db)
	if err != nil {
		return s.e.databases.isAdmin(caller)
	}
	sc := s.e.databases.scope(d)
	return sc.permits(caller, Admin) || sc.state.holds(caller, Monitor)
}

// showOperations has the columns of the page on .show operations, the newest first.
func showOperations(s *session, c *command.ShowOperations) (*rows, error) {
	r := &rows{columns: []value.Column{
		guidColumn("OperationId"), stringColumn("Operation"), stringColumn("NodeId"), timeColumn("StartedOn"),
		timeColumn("LastUpdatedOn"), timespanColumn("Duration"), stringColumn("State"), stringColumn("Status"),
		guidColumn("RootActivityId"), boolColumn("ShouldRetry"), stringColumn("Database"), stringColumn("Principal"),
		stringColumn("User"), timeColumn("AdminEpochStartTime"),
	}}
	for _, o := range s.e.log.list(c.IDs...) {
		if !s.mayKnow(o.principal, o.database) {
			continue
		}
		activity, err := uuid.Parse(o.activityID)
		if err != nil {
			activity = o.id
		}
		r.add(guidValue(o.id), value.NewString(o.kind), value.NewString("KEngine000000"), timeValue(o.started),
			timeValue(o.updated), durationValue(o.updated.Sub(o.started)), value.NewString(o.state), value.NewString(o.status),
			guidValue(activity), value.NewBool(o.shouldRetry), value.NewString(o.database), value.NewString(o.principal.FQN()),
			value.NewString(o.principal.Name), value.Null(value.DateTime))
	}
	return r, nil
}

// showOperationDetails is the result of the command that the operation was.
func showOperationDetails(s *session, c *command.ShowOperationDetails) (*rows, error) {
	o, ok := s.e.log.find(c.ID)
	if !ok || !s.mayKnow(o.principal, o.database) {
		return nil, notFound(CodeEntityNotFound, "Operation", c.ID.String())
	}
	if o.details == nil {
		return nil, badRequest("Operation '%s' has no details: its state is %s", c.ID, o.state)
	}
	return o.details, nil
}

// showFailures has the columns of the page on .show ingestion failures, the
// newest first.
func showFailures(s *session, c *command.ShowFailures) (*rows, error) {
	r := &rows{columns: []value.Column{
		guidColumn("OperationId"), stringColumn("Database"), stringColumn("Table"), timeColumn("FailedOn"),
		stringColumn("IngestionSourcePath"), stringColumn("Details"), stringColumn("FailureKind"), guidColumn("RootActivityId"),
		stringColumn("OperationKind"), boolColumn("OriginatesFromUpdatePolicy"), stringColumn("ErrorCode"), stringColumn("Principal"),
		boolColumn("ShouldRetry"), stringColumn("User"), stringColumn("IngestionProperties"),
	}}
	all := s.e.log.failed()
	slices.Reverse(all)
	for _, f := range all {
		if c.OperationID != uuid.Nil && f.OperationID != c.OperationID || !s.mayKnow(f.Principal, f.Database) {
			continue
		}
		activity, err := uuid.Parse(f.RootActivityID)
		if err != nil {
			activity = f.OperationID
		}
		r.add(guidValue(f.OperationID), value.NewString(f.Database), value.NewString(f.Table), timeValue(f.FailedOn),
			value.NewString(f.IngestionSourcePath), value.NewString(f.Details), value.NewString(f.FailureKind), guidValue(activity),
			value.NewString(f.OperationKind), value.NewBool(f.OriginatesFromUpdatePolicy), value.NewString(f.ErrorCode),
			value.NewString(f.Principal.FQN()), value.NewBool(f.ShouldRetry), value.NewString(f.Principal.Name),
			value.NewString(f.IngestionProperties))
	}
	return r, nil
}
