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
func (f *fetching) planWindow(ctx context.Context) error {
	run := &f.plan.Run
	counts, recent, err := f.countWindow(ctx)
	if err != nil {
		return err
	}
	f.held = rowsOf(counts.Parts)
	if timeless(counts.Parts) && run.Window.From.IsZero() {
		// The service keeps no time for this table, so that new rows cannot be
		// distinguished from old ones: each run is a full one.
		run.Kind = tvmexport.FullRun
		f.units = []planUnit{{Rows: counts.Parts[0].Rows}}
		f.expect(counts)
		return nil
	}
	f.warnOfAge(counts)
	f.noteAhead(counts)
	f.closeWindow(counts.Now)
	late, seen, err := f.late(ctx, counts.Parts, recent)
	if err != nil {
		return err
	}
	f.units = append(late, fillBins(from(counts.Parts, run.Window.From), run.Window, tvmexport.AllPartitions, time.Hour)...)
	f.untimed()
	if len(counts.Parts) == 0 {
		f.quiet(recent, seen)
	}
	f.expect(counts)
	return nil
}

// recent is the window that is counted again, from a whole hour to the
// watermark; zero if none is.
// ingestion_time() needs none: rows do not come late by the time at which they came.
func (f *fetching) recent() tvmexport.Window {
	at := f.plan.Run.Window.From
	if f.plan.Recount <= 0 || at.IsZero() || f.plan.Run.Table.Watermark == tvmexport.IngestionTime {
		return tvmexport.Window{}
	}
	return tvmexport.Window{
		From: at.Add(-f.plan.Recount).Truncate(time.Hour).Add(-tvmexport.Tick),
		To:   at,
	}
}

// late are the pieces of published windows that are asked for again; seen is
// what readers see of the recent ones.
func (f *fetching) late(ctx context.Context, parts []tvmexport.Count, recent tvmexport.Window) (_ []planUnit, seen []tvmexport.Count, err error) {
	var out []planUnit
	for _, w := range f.plan.Again {
		out = append(out, trimmed(fillBins(within(parts, w), w, tvmexport.AllPartitions, time.Hour))...)
	}
	if recent != (tvmexport.Window{}) {
		seen, err = f.steps.HourlyCounts(ctx, f.plan.Run.Table, recent)
		if err != nil {
			return nil, nil, err
		}
		hours, err := f.clipLastHour(ctx, recent.To, within(parts, recent), seen)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, coalesceHours(laggingHours(hours, seen, recent.To, f.plan.Again), hours, f.plan.Again, f.budget())...)
	}
	for i := range out {
		out[i].Late = true
	}
	return out, seen, nil
}

// clipLastHour changes the count of the watermark's hour to the rows up to the
// watermark. It makes a call only if the whole hour has more rows than readers
// see.
func (f *fetching) clipLastHour(ctx context.Context, at time.Time, parts, seen []tvmexport.Count) ([]tvmexport.Count, error) {
	i := slices.IndexFunc(parts, func(c tvmexport.Count) bool { return c.Start.Add(time.Hour - tvmexport.Tick).After(at) })
	if i < 0 || parts[i].Rows <= rowsAt(seen, parts[i].Start) {
		return parts, nil
	}
	counts, err := f.steps.Count(ctx, tvmexport.CountQuery{
		Table: f.plan.Run.Table, Window: tvmexport.Window{From: parts[i].Start.Add(-tvmexport.Tick), To: at}, Bin: time.Hour,
	})
	if err != nil {
		return nil, err
	}
	f.progress.Calls += counts.Calls
	parts = slices.Clone(parts)
	parts[i].Rows = rowsAt(counts.Parts, parts[i].Start)
	return parts, nil
}

// trimmed leaves out the pieces before the first and after the last one that
// has rows. Empty pieces between others stay: without a gap, one call can ask
// for all of them.
func trimmed(pieces []planUnit) []planUnit {
	pieces = slices.DeleteFunc(pieces, func(p planUnit) bool { return p.Window.Null })
	first := slices.IndexFunc(pieces, func(p planUnit) bool { return p.Rows > 0 })
	if first < 0 {
		return nil
	}
	last := len(pieces)
	for pieces[last-1].Rows == 0 {
		last--
	}
	return pieces[first:last]
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

// warnOfAge notes that rows of the source may have expired since the last run.
func (f *fetching) warnOfAge(c tvmexport.Counts) {
	at := f.plan.Run.Window.From
	if oldest := c.Now.Add(-sourceKeeps); !at.IsZero() && !c.Now.IsZero() && at.Before(oldest) && f.plan.Run.Previous != "" {
		f.note("the source keeps 30 days: rows between %s and %s may no longer exist there", at.UTC().Format(time.RFC3339), oldest.UTC().Format(time.RFC3339))
	}
}

// timeless says whether every row counted lacks a watermark.
func timeless(parts []tvmexport.Count) bool { return len(parts) == 1 && parts[0].Start.IsZero() }

// closeWindow sets the window's upper end: by the source's clock, less the lag
// that late rows are given, and never before its lower end.
func (f *fetching) closeWindow(now time.Time) {
	run := &f.plan.Run
	to := now.Add(-f.plan.Lag).Truncate(tvmexport.Tick)
	if !f.plan.Until.IsZero() && f.plan.Until.Before(to) {
		to = f.plan.Until
	}
	if to.Before(run.Window.From) {
		to = run.Window.From
	}
	run.Window.To, run.Watermark = to, to
}

// untimed asks for the rows without a watermark where readers see some and the
// plan shows none.
func (f *fetching) untimed() {
	if slices.ContainsFunc(f.units, func(p planUnit) bool { return p.Window.Null }) {
		return
	}
	if slices.ContainsFunc(f.plan.Known, func(k tvmexport.PartitionRecord) bool { return k.Window.Null && k.Rows > 0 }) {
		f.units = append(f.units, planUnit{Window: tvmexport.Window{Null: true}, Ask: true})
	}
}

// quiet asks for the windows of a plan that shows no row at all: the new one,
// in a full run also the rows without a watermark, and the hours counted again
// in which readers see some.
func (f *fetching) quiet(recent tvmexport.Window, seen []tvmexport.Count) {
	if f.plan.Run.Kind == tvmexport.FullRun && !slices.ContainsFunc(f.units, func(p planUnit) bool { return p.Window.Null }) {
		f.units = append(f.units, planUnit{Window: tvmexport.Window{Null: true}})
	}
	if recent != (tvmexport.Window{}) && rowsOf(seen) > 0 && !slices.ContainsFunc(f.plan.Again, recent.Overlaps) {
		f.units = append([]planUnit{{Window: recent, Late: true}}, f.units...)
	}
	askAll(f.units)
}
