package engine

import (
	"time"

	"github.com/tvmexport/tvmexport"
)

// Settings are what the decisions of a table's run depend on, besides what the source and
// the destination hold.
type Settings struct {
	Full   bool      // see Request, as the next three
	From   time.Time // lower end of the watermark window
	To     time.Time // upper end
	Repair *Repair   // of the table; nil: none was asked for

	Tenant     string // see Exporter, as the others down to StepBytes
	Limits     tvmexport.Limits
	Lag        time.Duration
	Recount    time.Duration
	Resume     time.Duration
	Consistent bool
	FullEvery  time.Duration
	StepBytes  int64

	Lists    bool // the source lists units instead of counting rows
	Keeps    bool // the source knows the columns of the table only since it has read it
	LateRows bool // the destination is a tvmexport.LateRowCounter
}

// settings are those of a table's run.
func (e *Exporter) settings(req Request, table string) Settings {
	s := Settings{
		Full: req.Full, From: req.From, To: req.To,
		Tenant: e.Tenant, Limits: e.limits(), Lag: e.Lag, Recount: e.Recount, Resume: e.Resume,
		Consistent: e.Consistent, FullEvery: e.FullEvery, StepBytes: e.StepBytes,
		Lists: e.lists(table), Keeps: e.keeps(table),
	}
	if r, ok := req.Repair[table]; ok {
		s.Repair = &r
	}
	_, s.LateRows = tvmexport.Ability[tvmexport.LateRowCounter](e.Destination)
	return s
}
