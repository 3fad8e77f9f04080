package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// FullRequested is the FullReason of a run whose request asks for all rows.
const FullRequested = "a full run was requested"

// StartIgnored ends the note of a run that ignores the watermark of an operator.
const StartIgnored = "a request with this start uses it"

// plan decides what a run is, within what the destination can do.
func (s *Settings) plan(id tvmexport.RunID, t tvmexport.Table, o tvmexport.Order, h tvmexport.History) (Plan, error) {
	p, err := s.mode(id, t, o, h)
	if !s.LateRows && err == nil {
		err = p.withoutLateRows()
	}
	return p, err
}

// mode decides what a run fetches: everything, the rows after the watermark, or the
// parts to repair.
func (s *Settings) mode(id tvmexport.RunID, t tvmexport.Table, o tvmexport.Order, h tvmexport.History) (Plan, error) {
	p := Plan{
		Run:    tvmexport.Run{ID: id, Table: t, Kind: tvmexport.FullRun, StartedAt: h.Now},
		Limits: s.Limits, Known: h.Partitions, Before: stateBefore(h), Depth: h.Depth,
		Lag: s.Lag, Until: s.To, Recount: s.Recount, Consistent: s.Consistent, StepBytes: s.StepBytes,
	}
	p.Run.Tenant = s.Tenant
	if p.Lists = s.Lists; p.Lists && t.LoadType != tvmexport.Snapshot {
		return p, unsupportedSource("plan", t.Name, "lists whole states and cannot tell what is new", "set the table's LoadType to Snapshot")
	}
	p.Requested = s.Full
	if h.Last != nil {
		p.Run.Previous, p.Reached = h.Last.ID, h.Last.Watermark
	}
	for _, r := range h.Partitions {
		p.Last += r.Rows
	}
	if f := h.Fetched; f.Rows > 0 && f.Bytes > 0 {
		p.RowBytes = float64(f.Bytes) / float64(f.Rows)
	}
	lost := lossesBeyond(h.Losses, h.Last)
	p.Losses, p.Apart = h.Losses, h.Losses.Ledger()
	elsewhere, err := moved(t, h.Last)
	if err != nil && !s.Full {
		return p, err
	}
	var repair Repair
	repairing := s.Repair != nil
	if repairing {
		repair = *s.Repair
	}
	if t.LoadType == tvmexport.Snapshot {
		if err := checkRetention(t, h, s.FullEvery); err != nil {
			return p, err
		}
		if s.Full {
			p.FullReason = FullRequested
			return p, nil
		}
		p.FullReason = fullReason(t, h, s.FullEvery, p.Limits.Rows)
		if why := cmp.Or(elsewhere, fullReasonOfLosses(lost, repairing)); why != "" {
			p.FullReason = cmp.Or(p.FullReason, why)
			p.note("%s: the whole table is fetched", why)
		}
		if p.Lists {
			p.FullReason = cmp.Or(p.FullReason, "the source lists the whole table")
		}
		if p.FullReason == "" {
			p.Run.Kind = tvmexport.DeltaRun
			if repairing {
				p.Only = repair.Partitions
			}
			if slices.Contains(p.Only, tvmexport.AllPartitions) {
				p.Run.Kind, p.Only, p.FullReason = tvmexport.FullRun, nil, "the whole table is repaired"
			}
		}
		return p, nil
	}
	if s.Full || h.Last == nil && t.LoadType == tvmexport.FullThenIncr {
		return p, nil
	}
	if h.Last != nil && h.Last.Watermark.IsZero() {
		p.followsState(h, lost)
		return p, nil
	}
	at := o.From
	if h.Last != nil {
		at = h.Last.Watermark
	} else if begin, full := p.begins(o, h); full && s.From.IsZero() {
		return p, nil
	} else if full {
		at = begin
	}
	p.Run.Kind = tvmexport.DeltaRun
	p.From, p.Again = s.From, repair.Windows
	p.Run.Window.From = at
	if h.Last != nil && h.Last.Kind == tvmexport.LegacyRun {
		p.reconcile()
	}
	if h.Last != nil {
		if err := p.recover(lost); err != nil || p.Run.Kind == tvmexport.FullRun {
			return p, err
		}
	}
	ordered := orderedWatermark(h)
	if (lost.Ledger() || lost.Unknown) && ordered.After(at) {
		p.note("the watermark %s in MigrationConfiguration is later than the last committed run in the ledger, and ledger rows are missing: the run ignores it; %s", ordered.UTC().Format(time.RFC3339), StartIgnored)
		ordered = time.Time{}
	}
	for _, ordered := range []time.Time{ordered, s.From} {
		switch {
		case ordered.IsZero():
		case h.Last != nil && ordered.Before(at):
			p.Again = append(p.Again, tvmexport.Window{From: ordered, To: at})
		default:
			p.Run.Window.From = ordered
		}
	}
	p.Again = asAgain(p.Again, p.Run.Window)
	return p, nil
}

// Plan is the input of a run's flow.
type Plan struct {
	Run        tvmexport.Run
	Limits     tvmexport.Limits
	RowBytes   float64 // learned size of a row's JSON; 0 if nothing was learned yet
	Last       int64   // rows of the last committed run; 0 if unknown
	Known      []tvmexport.PartitionRecord
	Before     tvmexport.Effect      // of the runs before this one
	Depth      int                   // of Known
	FullReason string                // why a Snapshot is fetched completely
	Only       []tvmexport.Partition // of a Snapshot's delta: what it replaces; nil: what differs from Known
	Lag        time.Duration         // how far the watermark stays behind the source's clock
	Until      time.Time             // upper end of the window as ordered; zero: the source's clock less Lag
	Reached    time.Time             // watermark of the last committed run; zero: there is none
	Recount    time.Duration         // how far back published hours are counted again for late rows
	Again      []tvmexport.Window    // published windows that are asked for again
	Orphans    []tvmexport.OrphanedBatch
	Unlike     []string           // columns that have values in what readers keep which are not those of the source
	Losses     tvmexport.Losses   // that the run makes up for
	Apart      bool               // rows of the ledger are gone
	Live       []tvmexport.Column // the source's schema without hidden columns; answers are compared with it
	Loose      bool               // the answers have other columns than Live, which the source tells all the same
	Kept       bool               // Live is an assumption until the first count: the source knows the columns of rows that it has read
	Notes      []string           // what people should know of the plan, a sentence each
	Consistent bool               // the table must not move while it is read
	StepBytes  int64              // of one publishing command; 0 is about 1 GB
	Lists      bool               // the source lists units instead of counting rows
	Requested  bool               // all rows were requested
	Reconciles bool               // what readers lack of all that the source holds is published
	From       time.Time          // where the request itself says that the window begins; zero: it does not
}

func (p *Plan) note(format string, args ...any) {
	p.Notes = append(p.Notes, fmt.Sprintf(format, args...))
}

// defaultFullEvery is how long runs of a Snapshot fetch only what changed.
const defaultFullEvery = 7 * 24 * time.Hour

// agingOut is how long before its rows expire a full snapshot is replaced.
const agingOut = 24 * time.Hour

// fullReason returns why a Snapshot has to be fetched completely; "" if the changes
// since the last committed run are enough.
func fullReason(t tvmexport.Table, h tvmexport.History, every time.Duration, limit int64) string {
	every = cmp.Or(every, defaultFullEvery)
	switch {
	case h.Last == nil:
		return "first run"
	case !h.Lineage:
		return "published rows do not contain their partition"
	case h.FullAt.IsZero():
		return "there is no full snapshot to build on"
	case h.Last.Definition != t.Definition():
		return "the table's columns or definition have changed since the last run"
	case !h.Now.Before(h.FullAt.Add(every)):
		return fmt.Sprintf("the last full snapshot is from %s, and one is taken every %s", h.FullAt.UTC().Format(time.DateTime), days(every))
	case h.Retention > 0 && !h.Now.Before(h.FullAt.Add(h.Retention-agingOut)):
		return fmt.Sprintf("the last full snapshot, from %s, is about to expire", h.FullAt.UTC().Format(time.DateTime))
	case !slices.ContainsFunc(h.Partitions, func(r tvmexport.PartitionRecord) bool { return r.Fingerprint.Known }) && len(h.Partitions) > 0:
		return "the last run could not record fingerprints"
	}
	var rows int64
	for _, r := range h.Partitions {
		rows += r.Rows
	}
	// Twice the rows, or half of them, before the parts are made finer or coarser.
	if !t.Key.IsRow() && (stateDepth(rows/2, limit) > h.Depth || stateDepth(rows*2, limit) < h.Depth) {
		return fmt.Sprintf("the table of %d rows requires partitions of another size", rows)
	}
	return ""
}

// days spells a duration of whole days as such.
func days(d time.Duration) string {
	if d%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	}
	return d.String()
}

// checkRetention refuses a Snapshot if parts of it would expire before the next
// full run fetches them again.
func checkRetention(t tvmexport.Table, h tvmexport.History, every time.Duration) error {
	every = cmp.Or(every, defaultFullEvery)
	if h.Retention <= 0 || h.Retention >= every {
		return nil
	}
	return &tvmexport.Error{
		Op: "plan", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err:  fmt.Errorf("the destination keeps rows for %s, but a full snapshot is taken every %s: unchanged rows would expire", days(h.Retention), days(every)),
		Hint: fmt.Sprintf("raise the soft-delete period of its retention policy to at least %s, or take full snapshots more often", days(every)), Code: tvmexport.RetentionTooShort,
	}
}
