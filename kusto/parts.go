package kusto

import "github.com/tvmexport/tvmexport/kusto/ledger"

// What package ledger reports.
type (
	Status      = ledger.Status
	TableStatus = ledger.TableStatus
	Audit       = ledger.Audit
	RunRecord   = ledger.RunRecord
	LedgerRow   = ledger.Row
)
