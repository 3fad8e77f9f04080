package kusto

import (
	"io"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/fleet"
	"github.com/tvmexport/tvmexport/kusto/ledger"
	"github.com/tvmexport/tvmexport/kusto/reconcile"
	"github.com/tvmexport/tvmexport/kusto/setup"
	"github.com/tvmexport/tvmexport/kusto/takeover"
)

// The types of the parts, for programs that import this package alone.
type (
	Status      = ledger.Status
	TableStatus = ledger.TableStatus
	Audit       = ledger.Audit
	RunRecord   = ledger.RunRecord
	LedgerRow   = ledger.Row

	ScriptOptions = setup.Options
	ScriptGrants  = setup.Grants
	Command       = setup.Command
	CommandKind   = setup.CommandKind
	Planned       = setup.Planned

	Reconciliation = reconcile.Question
	Reconciled     = reconcile.Result
	Side           = reconcile.Side

	FleetOptions = fleet.Options
	FleetTenant  = fleet.Tenant
	FleetResult  = fleet.Result
	Tenancy      = fleet.Tenancy

	Takeover   = takeover.Takeover
	LegacyDay  = takeover.LegacyDay
	LegacyRuns = takeover.LegacyRuns
)

// The kinds of commands, in the order in which a script needs them.
const (
	MakeTable    = setup.MakeTable
	MakePolicy   = setup.MakePolicy
	MakeMapping  = setup.MakeMapping
	MakeFunction = setup.MakeFunction
	MakeRows     = setup.MakeRows
	DropFunction = setup.DropFunction
)

// Script returns the commands that an empty database needs for the tables, see [setup.Script].
func Script(tables []tvmexport.Table, o ScriptOptions) ([]Command, error) {
	return setup.Script(tables, o)
}

// WriteResourceScript writes the commands for a database script resource, see [setup.WriteResourceScript].
func WriteResourceScript(w io.Writer, commands []Command) error {
	return setup.WriteResourceScript(w, commands)
}

// WriteScript writes the commands as one command to paste, see [setup.WriteScript].
func WriteScript(w io.Writer, commands []Command, g ScriptGrants, remarks ...string) error {
	return setup.WriteScript(w, commands, g, remarks...)
}

// CheckPrincipal refuses what is no principal of Kusto.
func CheckPrincipal(principal string) error { return setup.CheckPrincipal(principal) }

// SharedPolicies returns the tables whose policies a script sets without knowing who
// made them, see [setup.SharedPolicies].
func SharedPolicies(commands []Command) []string { return setup.SharedPolicies(commands) }

// WriteCommands writes the commands as one text, see [setup.WriteCommands].
func WriteCommands(w io.Writer, commands []Command) error { return setup.WriteCommands(w, commands) }

// WriteFleetScript writes what makes the database of a fleet as one command to paste, see
// [fleet.Script] and [fleet.WriteScript].
func WriteFleetScript(w io.Writer, o FleetOptions) error {
	commands, err := fleet.Script(o)
	if err != nil {
		return err
	}
	return fleet.WriteScript(w, o.Database, commands)
}

// Overhead returns the commands that an invocation sends for all its tables together.
func Overhead() []string { return setup.Overhead() }

// Compare compares the days of a taken-over table with the source, see [takeover.Compare].
func Compare(days []LegacyDay, source []tvmexport.Count, have map[time.Time]int64) []LegacyDay {
	return takeover.Compare(days, source, have)
}

// Gaps returns the windows that a taken-over table lacks, see [takeover.Gaps].
func Gaps(days []LegacyDay) []tvmexport.Window { return takeover.Gaps(days) }
