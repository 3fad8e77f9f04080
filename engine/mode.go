package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// plan decides what a run is: everything, what the watermark has passed, or
// the parts that are to be repaired.
func (v *invocation) plan(t tvmexport.Table, o tvmexport.Order, h tvmexport.History) (Plan, error) {
	p := Plan{
		Run:    tvmexport.Run{ID: newRunID(), Table: t, Kind: tvmexport.FullRun, StartedAt: h.Now},
		Limits: v.limits(), Known: h.Partitions, Depth: h.Depth,
		Lag: v.Lag, Until: v.request.To, Recount: v.Recount, Consistent: v.Consistent, StepBytes: v.StepBytes,
	}
	p.Run.Tenant = v.Tenant
	if h.Last != nil {
		p.Run.Previous = h.Last.ID
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
	if err != nil && !v.request.Full {
		return p, err
	}
	repair, repairing := v.request.Repair[t.Name]
	if t.LoadType == tvmexport.Snapshot {
		if err := checkRetention(t, h, v.FullEvery); err != nil {
			return p, err
		}
		if v.request.Full {
			p.Whole = "it was asked for"
			return p, nil
		}
		p.Whole = wholeBecause(t, h, v.FullEvery, p.Limits.Rows)
		if why := cmp.Or(elsewhere, wholeBecauseOfLosses(lost, repairing)); why != "" {
			p.Whole = cmp.Or(p.Whole, why)
			p.note("%s: all of the table is fetched", why)
		}
		if p.Whole == "" {
			p.Run.Kind = tvmexport.DeltaRun
			if repairing {
				p.Only = repair.Partitions
			}
			if slices.Contains(p.Only, tvmexport.Whole) {
				p.Run.Kind, p.Only, p.Whole = tvmexport.FullRun, nil, "all of it is to be repaired"
			}
		}
		return p, nil
	}
	if v.request.Full || h.Last == nil && t.LoadType == tvmexport.FullThenIncr || h.Last != nil && h.Last.Watermark.IsZero() {
		return p, nil
	}
	at := o.From
	if h.Last != nil {
		at = h.Last.Watermark
	} else if begin, full := p.begins(o, h); full && v.request.From.IsZero() {
		return p, nil
	} else if full {
		at = begin
	}
	p.Run.Kind = tvmexport.DeltaRun
	p.From, p.Again = v.request.From, repair.Windows
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
		p.note("the watermark %s in MigrationConfiguration is ahead of the last committed run that the ledger knows, and rows of the ledger are missing: the run does not follow it; run --from sets the start", ordered.UTC().Format(time.RFC3339))
		ordered = time.Time{}
	}
	for _, ordered := range []time.Time{ordered, v.request.From} {
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

// historyAfter is the history once a publication was finished, apart from its Losses.
func historyAfter(h tvmexport.History, p tvmexport.Publication) tvmexport.History {
	fetched := tvmexport.Volume{Rows: p.Rows, Bytes: p.Bytes}
	h.Last = &tvmexport.Committed{
		ID: p.Run.ID, Previous: p.Run.Previous, Kind: p.Run.Kind, At: h.Now, Watermark: p.Run.Watermark, Rows: p.Rows, Bytes: p.Bytes,
		Definition: p.Run.Table.Definition(), Columns: p.Run.Table.Columns, Shown: p.Run.Table.Visible(),
		Unread: p.Unread, Unlike: p.Unlike,
		Destination: p.Run.Table.Destination, Losses: p.Losses,
	}
	if p.Run.Kind == tvmexport.FullRun {
		h.Losses = tvmexport.Losses{}
		h.Partitions, h.Depth, h.FullAt, h.Fetched = p.Partitions, p.Run.Depth, h.Now, fetched
		return h
	}
	h.Fetched.Rows += fetched.Rows
	h.Fetched.Bytes += fetched.Bytes
	replaced := make(map[tvmexport.Partition]bool, len(p.Partitions))
	for _, r := range p.Partitions {
		replaced[r.Partition] = true
	}
	effective := append([]tvmexport.PartitionRecord(nil), p.Partitions...)
	for _, r := range h.Partitions {
		if !replaced[r.Partition] {
			effective = append(effective, r)
		}
	}
	h.Partitions = effective
	h.Ordered = time.Time{}
	return h
}
