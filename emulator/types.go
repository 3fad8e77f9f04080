package emulator

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/assessment"
	"github.com/tvmexport/tvmexport/emulator/internal/defender"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// Quota is what advanced hunting allows the tenant: rows and bytes of an answer,
// calls per minute and per hour, processing time, running time, the range of
// event data, and bytes of a request. A zero field is no limit.
type Quota = defender.Quota

// DocumentedQuota is the quota of Microsoft's documentation.
func DocumentedQuota() Quota { return defender.Documented() }

// NoQuota limits nothing but the range of event data, which is 30 days.
func NoQuota() Quota { return defender.Off() }

// ParseQuota reads the name of a quota: "documented", which "" means too, or "off".
func ParseQuota(name string) (Quota, error) { return defender.ParseQuota(name) }

// Wire selects the forms of hunting answers that real services were seen to send
// and that documentation does not settle. The zero value is the usual form.
type Wire = defender.Wire

// ExportQuota is what the export assessment APIs allow: calls per minute and per hour, for
// pages and for lists of files. A zero field is no limit.
type ExportQuota = assessment.Quota

// ExportStats counts what was asked of one data set of the export assessment APIs.
type ExportStats = assessment.Stats

// HuntingStats counts the calls of one hunting endpoint and what they were answered.
type HuntingStats = defender.Stats

// Change is the number of devices that Advance or Move changed, added and retired.
type Change = tenant.Change

// Drift is a change of a table's schema: exactly one of Add, Drop, Retype and Nest.
type Drift = tenant.Drift

// NewColumn is a column and its type, for Drift.
type NewColumn = tenant.NewColumn

// NewKey is a key that the objects of a dynamic column get, for Drift.
type NewKey = tenant.NewKey

// Tenant is a synthetic tenant: the source of the data. Its methods are safe for
// concurrent use.
type Tenant struct {
	organisation *organisation
	all          *organisations
}

// Name is the tenant's name in the options and in the control API.
func (t Tenant) Name() string { return t.organisation.Name }

// ID is the id of the tenant in Entra.
func (t Tenant) ID() string { return t.organisation.ID }

// Database is the name of the database for the tenant's data.
func (t Tenant) Database() string { return t.organisation.Database }

// State is the source as it is now.
func (t Tenant) State() State { return t.organisation.state() }

// Advance lets days pass, one after the other: software is patched, CVEs are
// published, devices join and leave, events happen and expire. It moves Now and
// Edge, and with them the clock of the Kusto engine, but not the expiry of tokens. Of several
// tenants, the one that is furthest ahead sets the engine's clock. It does nothing when days is
// not positive.
func (t Tenant) Advance(days int) Change { return t.all.advance(t.organisation, days, 0) }

// AdvanceHours lets hours pass. Every six hours a quarter of what a day changes does, and
// the export APIs get a new snapshot; the last hour of a day ends it, as Advance does.
func (t Tenant) AdvanceHours(hours int) Change { return t.all.advance(t.organisation, 0, hours) }

// Move changes a share of the devices, 0 to 1, at once, as may happen during a
// read. At least one device changes, one joins and one leaves when share is
// positive; otherwise Move does nothing.
func (t Tenant) Move(share float64) Change { return t.organisation.data.Move(share) }

// Silence makes a device stop reporting from the next day on. What it reported expires:
// after 7 days what belongs to users, after 30 days its vulnerabilities, after 31 the rest.
func (t Tenant) Silence(deviceID string) error { return t.organisation.data.Silence(deviceID) }

// Reinstall makes a device stop reporting, as Silence does, and lets another one with the
// same name join, whose id it returns.
func (t Tenant) Reinstall(deviceID string) (newID string, err error) {
	return t.organisation.data.Reinstall(deviceID)
}

// Retire makes a device leave at once, as one that is excluded does: nothing of it is shown
// any more.
func (t Tenant) Retire(deviceID string) error { return t.organisation.data.Retire(deviceID) }

// Drift changes the schema of a table of current state from now on and returns its
// columns. If the change is not possible, the error says why and nothing changes.
func (t Tenant) Drift(table string, d Drift) ([]NewColumn, error) {
	columns, err := t.organisation.data.Drift(table, d)
	if err != nil {
		return nil, err
	}
	now := make([]NewColumn, 0, len(columns))
	for _, c := range columns {
		now = append(now, NewColumn{Name: c.Name, Type: c.Kind.String()})
	}
	return now, nil
}

// Insert adds rows to a table of events at once, such as late rows or duplicates.
// A row is a JSON object; columns that it leaves out are null, or "" for strings.
func (t Tenant) Insert(table string, rows ...json.RawMessage) error {
	return t.organisation.data.Insert(table, rows...)
}

// Now is the tenant's time: the wall clock plus the days that Advance let pass.
func (t Tenant) Now() time.Time { return t.organisation.data.Now() }

// Edge is the end of the events: no event has a Timestamp at or after it.
func (t Tenant) Edge() time.Time { return t.organisation.data.Edge() }

// TableNames are the names of the tenant's tables, sorted.
func TableNames() []string { return tenant.TableNames() }

// Answer is a result as JSON: numbers for int, long and real, true and false for bool,
// null, the value itself for dynamic, and text for all other types, datetimes as ISO 8601
// in UTC with seven fraction digits.
type Answer struct {
	Columns []string
	Rows    [][]json.RawMessage // each with a value per column
}

// Decode reads the rows into target, a pointer to a slice of structs or maps, by the
// names of the columns, as encoding/json does with an array of objects.
func (a Answer) Decode(target any) error {
	objects := make([]map[string]json.RawMessage, 0, len(a.Rows))
	for _, row := range a.Rows {
		o := make(map[string]json.RawMessage, len(row))
		for i, v := range row {
			o[a.Columns[i]] = v
		}
		objects = append(objects, o)
	}
	text, err := json.Marshal(objects)
	if err != nil {
		return fmt.Errorf("decode an answer: %w", err)
	}
	if err := json.Unmarshal(text, target); err != nil {
		return fmt.Errorf("decode an answer with the columns %q: %w", a.Columns, err)
	}
	return nil
}

// answer reads a result whole.
func (r result) answer() (Answer, error) {
	var a Answer
	for _, c := range r.columns {
		a.Columns = append(a.Columns, c.Name)
	}
	for row, err := range r.rows {
		if err != nil {
			return a, fmt.Errorf("after %d rows: %w", len(a.Rows), err)
		}
		values := make([]json.RawMessage, 0, len(row))
		for _, v := range row {
			values = append(values, v.AppendJSON(nil))
		}
		a.Rows = append(a.Rows, values)
	}
	return a, nil
}
