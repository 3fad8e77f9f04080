package engine

import (
	"context"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// planWindow plans a table that follows its watermark: new rows, the hours of the
// last days in which readers see fewer rows than the source has, and the windows
// to fetch again.
func (p *planner) planWindow(ctx context.Context) error {
	run := &p.Run
	counts, recent, err := p.countWindow(ctx)
	if err != nil {
		return err
	}
	p.held = rowsOf(counts.Parts)
	if timeless(counts.Parts) && run.Window.From.IsZero() {
		// The service keeps no time for this table, so that new rows cannot be
		// distinguished from old ones: each run is a full one.
		run.Kind = tvmexport.FullRun
		p.units = []planUnit{{Rows: counts.Parts[0].Rows}}
		p.counted = tallyOf(*run, p.units, counts)
		return nil
	}
	p.warnOfAge(counts)
	p.noteAhead(counts)
	p.closeWindow(counts.Now)
	if said := beginsLater(run.Window, p.Again, counts.Gone); said != "" {
		p.note("%s", said)
	}
	if p.gap = gapOf(p.Reached, run.Window, counts); p.gap != (tvmexport.Window{}) {
		p.note("%s", tvmexport.GapReason(p.gap))
	}
	late, seen, err := p.late(ctx, counts.Parts, recent)
	if err != nil {
		return err
	}
	p.units = append(late, fillBins(from(counts.Parts, run.Window.From), run.Window, tvmexport.AllPartitions, time.Hour)...)
	p.untimed()
	if len(counts.Parts) == 0 {
		p.quiet(recent, seen)
	}
	p.counted = tallyOf(*run, p.units, counts)
	return nil
}

// recent is the window that is counted again, from a whole hour to the
// watermark; zero if none is.
// ingestion_time() needs none: rows do not come late by the time at which they came.
func (p *planner) recent() tvmexport.Window {
	at := p.Run.Window.From
	if p.Recount <= 0 || at.IsZero() || p.Run.Table.Watermark == tvmexport.IngestionTime {
		return tvmexport.Window{}
	}
	return tvmexport.Window{
		From: at.Add(-p.Recount).Truncate(time.Hour).Add(-tvmexport.Tick),
		To:   at,
	}
}

// late are the units of published windows that are asked for again; seen is
// what readers see of the recent ones.
func (p *planner) late(ctx context.Context, parts []tvmexport.Count, recent tvmexport.Window) (_ []planUnit, seen []tvmexport.Count, err error) {
	var out []planUnit
	for _, w := range p.Again {
		out = append(out, trimmed(fillBins(within(parts, w), w, tvmexport.AllPartitions, time.Hour))...)
	}
	if recent != (tvmexport.Window{}) {
		seen, err = p.steps.HourlyCounts(ctx, p.Run.Table, recent)
		if err != nil {
			return nil, nil, err
		}
		hours, err := p.clipLastHour(ctx, recent.To, within(parts, recent), seen)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, coalesceHours(laggingHours(hours, seen, recent.To, p.Again), hours, p.Again, p.budget(p.RowBytes))...)
	}
	for i := range out {
		out[i].Late = true
	}
	return out, seen, nil
}

// clipLastHour changes the count of the watermark's hour to the rows up to the
// watermark. It makes a call only if the whole hour has more rows than readers
// see.
func (p *planner) clipLastHour(ctx context.Context, at time.Time, parts, seen []tvmexport.Count) ([]tvmexport.Count, error) {
	i := slices.IndexFunc(parts, func(c tvmexport.Count) bool { return c.Start.Add(time.Hour - tvmexport.Tick).After(at) })
	if i < 0 || parts[i].Rows <= rowsAt(seen, parts[i].Start) {
		return parts, nil
	}
	counts, err := p.count(ctx, tvmexport.CountQuery{
		Table: p.Run.Table, Window: tvmexport.Window{From: parts[i].Start.Add(-tvmexport.Tick), To: at}, Bin: time.Hour,
	})
	if err != nil {
		return nil, err
	}
	parts = slices.Clone(parts)
	parts[i].Rows = rowsAt(counts.Parts, parts[i].Start)
	return parts, nil
}

// trimmed leaves out the units before the first and after the last one that
// has rows. Empty units between others stay: without a gap, one call can ask
// for all of them.
func trimmed(units []planUnit) []planUnit {
	units = slices.DeleteFunc(units, func(p planUnit) bool { return p.Window.Null })
	first := slices.IndexFunc(units, func(p planUnit) bool { return p.Rows > 0 })
	if first < 0 {
		return nil
	}
	last := len(units)
	for units[last-1].Rows == 0 {
		last--
	}
	return units[first:last]
}

// rowsAt is the count of the hour that begins at start.
func rowsAt(parts []tvmexport.Count, start time.Time) (rows int64) {
	for _, c := range parts {
		if c.Start.Equal(start) {
			rows += c.Rows
		}
	}
	return rows
}

// laggingHours returns the hours, up to the one of the watermark, in which the
// source has more rows than readers see. It omits hours within windows that are
// fetched anyway.
func laggingHours(source, seen []tvmexport.Count, to time.Time, but []tvmexport.Window) []planUnit {
	var out []planUnit
	for _, c := range source {
		w := tvmexport.Window{From: c.Start.Add(-tvmexport.Tick), To: c.Start.Add(time.Hour - tvmexport.Tick)}
		if w.To.After(to) {
			w.To = to
		}
		if c.Rows > rowsAt(seen, c.Start) && !slices.ContainsFunc(but, w.Overlaps) {
			out = append(out, planUnit{Window: w, Rows: c.Rows})
		}
	}
	return out
}

// within are the hours that end after the window begins and begin before it ends.
func within(parts []tvmexport.Count, w tvmexport.Window) []tvmexport.Count {
	var out []tvmexport.Count
	for _, c := range parts {
		if !c.Start.IsZero() && c.Start.Add(time.Hour-tvmexport.Tick).After(w.From) && !c.Start.After(w.To) {
			out = append(out, c)
		}
	}
	return out
}

// from are the hours that end after at, and the rows without a watermark.
func from(parts []tvmexport.Count, at time.Time) []tvmexport.Count {
	return slices.DeleteFunc(slices.Clone(parts), func(c tvmexport.Count) bool {
		return !c.Start.IsZero() && !c.Start.Add(time.Hour-tvmexport.Tick).After(at)
	})
}

// sourceKeeps is how long Advanced Hunting keeps events
// (https://learn.microsoft.com/defender-xdr/advanced-hunting-overview).
const sourceKeeps = 30 * 24 * time.Hour

// warnOfAge notes that rows of the source may have expired since the last run, where the
// source does not say it.
func (p *planner) warnOfAge(c tvmexport.Counts) {
	at := p.Run.Window.From
	if c.Gone != (tvmexport.Window{}) {
		return // the source knows better
	}
	if oldest := c.Now.Add(-sourceKeeps); !at.IsZero() && !c.Now.IsZero() && at.Before(oldest) && p.Run.Previous != "" {
		p.note("the source keeps 30 days: rows between %s and %s may no longer exist there", at.UTC().Format(time.RFC3339), oldest.UTC().Format(time.RFC3339))
	}
}

// timeless says whether every row counted lacks a watermark.
func timeless(parts []tvmexport.Count) bool { return len(parts) == 1 && parts[0].Start.IsZero() }

// closeWindow sets the window's upper end: by the source's clock, less the lag
// that late rows are given, and never before its lower end.
func (p *planner) closeWindow(now time.Time) {
	run := &p.Run
	to := now.Add(-p.Lag).Truncate(tvmexport.Tick)
	if !p.Until.IsZero() && p.Until.Before(to) {
		to = p.Until
	}
	if to.Before(run.Window.From) {
		to = run.Window.From
	}
	run.Window.To, run.Watermark = to, to
}

// untimed asks for the rows without a watermark where readers see some and the
// plan shows none.
func (p *planner) untimed() {
	if slices.ContainsFunc(p.units, func(p planUnit) bool { return p.Window.Null }) {
		return
	}
	if slices.ContainsFunc(p.Known, func(k tvmexport.PartitionRecord) bool { return k.Window.Null && k.Rows > 0 }) {
		p.units = append(p.units, planUnit{Window: tvmexport.Window{Null: true}, Ask: true})
	}
}

// quiet asks for the windows of a plan that shows no row at all: the new one,
// in a full run also the rows without a watermark, and the hours counted again
// in which readers see some.
func (p *planner) quiet(recent tvmexport.Window, seen []tvmexport.Count) {
	if p.Run.Kind == tvmexport.FullRun && !slices.ContainsFunc(p.units, func(p planUnit) bool { return p.Window.Null }) {
		p.units = append(p.units, planUnit{Window: tvmexport.Window{Null: true}})
	}
	if recent != (tvmexport.Window{}) && rowsOf(seen) > 0 && !slices.ContainsFunc(p.Again, recent.Overlaps) {
		p.units = append([]planUnit{{Window: recent, Late: true}}, p.units...)
	}
	askAll(p.units)
}
