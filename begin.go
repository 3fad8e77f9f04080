package tvmexport

import (
	"slices"
	"time"
)

// plan decides what a run is: everything, what the watermark has passed, or
// the parts that are to be repaired.
func (v *invocation) plan(t Table, o Order, h History) (Plan, error) {
	p := Plan{
		Run:    Run{ID: newRunID(), Table: t, Kind: FullRun, StartedAt: h.Now},
		Limits: v.limits(), Known: h.Partitions, Depth: h.Depth,
		Lag: v.Lag, Until: v.request.To, Recount: v.Recount, Consistent: v.Consistent, StepBytes: v.StepBytes,
	}
	if last := h.Last; last != nil {
		p.Run.Previous = last.ID
		if last.Rows > 0 && last.Bytes > 0 {
			p.Last, p.RowBytes = last.Rows, float64(last.Bytes)/float64(last.Rows)
		}
	}
	repair, repairing := v.request.Repair[t.Name]
	if t.LoadType == Snapshot {
		if repairing && h.Last != nil && h.Lineage && !slices.Contains(repair.Partitions, Whole) {
			p.Run.Kind, p.Only = DeltaRun, repair.Partitions
		}
		return p, nil
	}
	if v.request.Full || h.Last == nil && t.LoadType == FullThenIncr || h.Last != nil && h.Last.Watermark.IsZero() {
		return p, nil
	}
	p.Run.Kind = DeltaRun
	p.Again = repair.Windows
	at := o.From
	if h.Last != nil {
		at = h.Last.Watermark
	}
	p.Run.Window.From = at
	if h.Last != nil && h.Last.Kind == LegacyRun {
		p.reconcile()
	}
	for _, ordered := range []time.Time{h.ordered(), v.request.From} {
		switch {
		case ordered.IsZero():
		case h.Last != nil && ordered.Before(at):
			p.Again = append(p.Again, Window{From: ordered, To: at})
		default:
			p.Run.Window.From = ordered
		}
	}
	return p, nil
}

// after is the history once a publication was finished.
func (h History) after(p Publication) History {
	h.Last = &Committed{
		ID: p.Run.ID, Previous: p.Run.Previous, Kind: p.Run.Kind, Watermark: p.Run.Watermark, Rows: p.Rows, Bytes: p.Bytes,
	}
	if p.Run.Kind == FullRun {
		h.Partitions, h.Depth = p.Partitions, p.Run.Depth
		return h
	}
	replaced := make(map[Partition]bool, len(p.Partitions))
	for _, r := range p.Partitions {
		replaced[r.Partition] = true
	}
	effective := append([]PartitionRecord(nil), p.Partitions...)
	for _, r := range h.Partitions {
		if !replaced[r.Partition] {
			effective = append(effective, r)
		}
	}
	h.Partitions = effective
	h.Ordered = time.Time{}
	return h
}
