package engine

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Exporter exports tables. Fields are set before the first Run.
type Exporter struct {
	Source      tvmexport.Source            // a CountingSource or a ListingSource; its quota is shared through the ledger if it is a Meter
	Sources     map[string]tvmexport.Source // by table, where it is not Source; quotas of their Endpoints are shared through the ledger if they are Meters
	Destination tvmexport.Destination
	Describe    func(table string) (tvmexport.Table, bool) // the catalogue; nil knows no table
	Policy      func(table string) tvmexport.ColumnPolicy  // which columns are published; nil: all
	Compress    Compressor
	Hooks       tvmexport.Hooks
	Advise      func(error) error // completes the hint of a table's error before it is announced and audited; nil: errors stay as they are

	Owner      string           // of leases: host and process
	Term       time.Duration    // of leases, if their owner dies; 0 is 3 minutes
	Limits     tvmexport.Limits // of one answer; zero is DocumentedLimits
	Lag        time.Duration    // how far watermarks stay behind the source's clock
	Recount    time.Duration    // how far back published hours are counted again for late rows
	Resume     time.Duration    // how old what an unfinished run landed may be to be taken over
	Consistent bool             // a Snapshot must be the state of one moment
	FullEvery  time.Duration    // how long a run fetches only what changed in a Snapshot, before all of it is fetched again; 0 is 7 days
	Tenant     string           // that the source's sign-in belongs to; "" if it is not known
	TenantName string           // in the configuration of a fleet, for the audit; "" for one tenant
	Patience   Patience
	Tables     int   // tables at once that fetch and publish; 0 is 16
	Calls      int   // calls at once, over all tables; 0 is 4
	StepBytes  int64 // of one publishing command; 0 is about 1 GB
}

// audited is an error as the audit has it: audits of many tenants are read together.
func (e *Exporter) audited(err error) error {
	if err == nil || e.TenantName == "" {
		return err
	}
	return fmt.Errorf("tenant %s: %w", e.TenantName, err)
}

// Request is what one invocation is asked for.
type Request struct {
	Tables []string  // by source name; empty: all active ones
	Full   bool      // everything, also where a table is loaded incrementally
	From   time.Time // lower end of the watermark window, instead of the last watermark
	To     time.Time // upper end, instead of the source's clock

	Repair map[string]Repair // by table: ask again for these parts only

	// ActiveOnly leaves out named tables that are switched off, or whose order is
	// gone, when the run begins.
	ActiveOnly bool
}

// Repair is a part of a table that a run fetches again: partitions of a Snapshot,
// or windows of a table that follows a watermark.
type Repair struct {
	Partitions []tvmexport.Partition
	Windows    []tvmexport.Window
}

// Report is how an invocation ended.
type Report struct {
	Started  time.Time
	Took     time.Duration
	Outcomes []Result // in the order of the configuration
}

// Result is how one table's run ended.
type Result struct {
	Table tvmexport.Table
	Progress
	Finished int64         // rows of an earlier run whose publication was finished
	Took     time.Duration // of the run, until its commit; without the wait for its turn among the tables
	Err      error         // nil: committed
}

// Run exports the requested tables once. Its error concerns the whole run. The
// failure of a table is in the table's Result and does not stop the others.
func (e *Exporter) Run(ctx context.Context, req Request) (Report, error) {
	started := time.Now()
	v := &invocation{exporter: e, owner: e.Owner + " " + newID(), request: req}
	orders, err := v.begin(ctx)
	if err != nil {
		return Report{}, err
	}
	orders, err = req.choose(orders)
	if err != nil {
		return Report{}, err
	}
	if len(orders) == 0 {
		return Report{Started: started}, nil
	}
	if e.Hooks.Chosen != nil {
		e.Hooks.Chosen(tableNames(orders))
	}
	v.orders, v.results, v.ended = orders, make([]Result, len(orders)), make([]time.Time, len(orders))
	defer v.grace.watch(ctx)()
	v.carryOut(ctx)
	if err := v.newer(); err != nil && len(v.leased) == 0 {
		return Report{}, err // before anything began, for one reason
	}
	for i, o := range orders {
		v.results[i].Notes = append(orderNotes(o), v.results[i].Notes...)
	}
	err = v.close(ctx)
	return Report{Started: started, Took: time.Since(started), Outcomes: v.results}, err
}

func tableNames(orders []tvmexport.Order) []string {
	names := make([]string, len(orders))
	for i, o := range orders {
		names[i] = o.Table
	}
	return names
}

// describe is what the catalogue knows of a table.
func (e *Exporter) describe(name string) (tvmexport.Table, bool) {
	if e.Describe == nil {
		return tvmexport.Table{Name: name}, false
	}
	return e.Describe(name)
}

// table makes the table of an order from the catalogue, or from the source's
// own schema where the catalogue does not know it.
func (e *Exporter) table(ctx context.Context, o tvmexport.Order) (tvmexport.Table, error) {
	t, ok := e.describe(o.Table)
	t.Name, t.Destination, t.LoadType, t.Watermark = o.Table, o.Into, o.Load, o.Column
	if o.Err != nil && !errors.Is(o.Err, tvmexport.ErrSharedDestination) {
		return t, o.Err
	}
	if source := e.source(o.Table); !ok && source != nil { // else what the ledger says of the table has to do
		columns, err := source.Columns(ctx, o.Table)
		if err != nil {
			return t, err
		}
		t.Columns = columns
		if slices.Contains(columns, tvmexport.Column{Name: "DeviceId", Type: "string"}) {
			t.Key.Column = "DeviceId"
		}
	}
	if o.Err != nil { // after the source was asked: a table that it does not know is the better reason
		return t, o.Err
	}
	if t.LoadType != tvmexport.Snapshot && t.Watermark == "" {
		t.Watermark = tvmexport.IngestionTime
	}
	if e.Policy != nil {
		return t.WithPolicy(e.Policy(t.Name))
	}
	return t, nil
}

func newID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func newRunID() tvmexport.RunID {
	return tvmexport.RunID(time.Now().UTC().Format("20060102T150405Z") + "-" + newID())
}
