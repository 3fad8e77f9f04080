package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// count makes the plan: how many rows lie where, by one call.
func (f *fetching) count(ctx context.Context) error {
	f.size = f.plan.RowBytes
	plan := f.planState
	if t := f.plan.Run.Table; t.Watermark != "" && t.LoadType != tvmexport.Snapshot {
		plan = f.planWindow
	}
	if err := plan(ctx); err != nil {
		return err
	}
	f.adopted, f.pieces = adopt(f.pieces, fresh(f.pieces, f.plan.Leftovers))
	for _, b := range f.adopted {
		f.progress.Resumed += b.Rows
		f.progress.Fetched += b.Rows
	}
	if n := f.progress.Resumed; n > 0 {
		f.note("%d rows were taken over from run %s, which had landed them and ended before it published", n, f.plan.Leftovers[0].Run.ID)
	}
	for _, p := range f.pieces {
		f.total += p.Rows
	}
	run := f.plan.Run
	f.progress.Run = run
	announcePlanned(f.hooks, run, f.total, int(f.total/f.budget())+1)
	return nil
}

// planState plans a table that is a state: the partitions of the whole table,
// or of those that differ from what readers see, or those that are to be
// replaced.
func (f *fetching) planState(ctx context.Context) error {
	run := &f.plan.Run
	q := tvmexport.CountQuery{Table: run.Table, Depth: maxStateDepth, Print: true}
	depth := -1 // by the number of rows
	switch {
	case run.Table.Key.IsRow():
		q.Within, q.Depth = tvmexport.Whole.ByRowHash(), 2
	case run.Kind == tvmexport.DeltaRun:
		depth = f.plan.Depth
	case len(f.plan.Leftovers) > 0:
		depth = f.plan.Leftovers[0].Run.Depth
	case f.plan.Last > 0:
		q.Depth = max(StateDepth(2*f.plan.Last, f.plan.Limits.Rows), 1)
	}
	if depth >= 0 {
		q.Depth = max(depth, 1)
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil {
		return err
	}
	f.progress.Calls += counts.Calls
	f.pieces = piecesOf(counts.Parts, tvmexport.Window{})
	f.held = rowsOf(counts.Parts)
	f.weaken(counts)
	if q.Within == tvmexport.Whole {
		var rows int64
		for _, p := range f.pieces {
			rows += p.Rows
		}
		if depth < 0 {
			depth = min(q.Depth, StateDepth(rows, f.plan.Limits.Rows))
		}
		run.Depth = depth
		f.pieces = Coarsen(f.pieces, depth)
	}
	if run.Kind == tvmexport.DeltaRun {
		f.remember(f.pieces)
		f.only()
		f.expect(counts)
		return nil
	}
	// Of the parts of a large table so many are empty that the count has to
	// do as the answer that says so.
	switch {
	case q.Within != tvmexport.Whole:
		f.pieces = Complete(f.pieces, q.Within, tvmexport.Window{}, q.Depth)
	case run.Depth <= maxDepth:
		f.pieces = Complete(f.pieces, tvmexport.Whole, tvmexport.Window{}, run.Depth)
	}
	f.remember(f.pieces)
	f.unseen(held(f.plan.Known))
	insist(f.pieces)
	f.expect(counts)
	f.progress.Parts, f.progress.Changed = len(f.pieces), len(f.pieces)
	return nil
}

// weaken makes a full run of a delta whose count tells nothing of what has
// changed.
func (f *fetching) weaken(c tvmexport.Counts) {
	run := &f.plan.Run
	if run.Kind != tvmexport.DeltaRun || f.plan.Only != nil || !slices.ContainsFunc(c.Parts, func(p tvmexport.Count) bool { return !p.Print.Known }) {
		return
	}
	run.Kind = tvmexport.FullRun
	f.plan.Leftovers = nil // they are of a delta
	f.plan.Whole = "the service computes no fingerprints"
	f.progress.Whole = f.plan.Whole
	f.note("the service computes no fingerprints, so that nothing tells what has changed: the whole table is fetched")
}

// remember keeps the fingerprints of pieces. What was not counted has no rows.
func (f *fetching) remember(pieces []Piece) {
	if f.prints == nil {
		f.prints = make(map[tvmexport.Partition]tvmexport.Fingerprint, len(pieces))
	}
	for _, p := range pieces {
		f.prints[p.Partition] = p.Print
	}
}

// only leaves the pieces that a delta replaces: those that were asked for, or
// that differ from what readers see.
func (f *fetching) only() {
	f.asked = f.plan.Only
	if f.asked == nil {
		f.asked = changedSince(f.pieces, f.plan.Known, f.plan.Run)
	}
	f.progress.Parts, f.progress.Changed = len(f.pieces), len(f.asked)
	wanted := make(map[tvmexport.Partition]bool, len(f.asked))
	for _, p := range f.asked {
		wanted[p] = true
	}
	f.pieces = slices.DeleteFunc(f.pieces, func(p Piece) bool { return !wanted[f.plan.Run.Label(p.Partition)] })
	f.unseen(f.asked)
}

// planWindow plans a table that follows its watermark: what is new, the hours
// of the last days in which readers see fewer rows than the source holds, and
// the windows that are to be asked for again.
func (f *fetching) planWindow(ctx context.Context) error {
	run := &f.plan.Run
	counts, recent, err := f.countWindow(ctx)
	if err != nil {
		return err
	}
	f.held = rowsOf(counts.Parts)
	if timeless(counts.Parts) && run.Window.From.IsZero() {
		// The service keeps no time for this table, so that nothing can be
		// told from before: each run is a full one.
		run.Kind = tvmexport.FullRun
		f.pieces = []Piece{{Rows: counts.Parts[0].Rows}}
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
	f.pieces = append(late, tile(from(counts.Parts, run.Window.From), run.Window, tvmexport.Whole, time.Hour)...)
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
func (f *fetching) late(ctx context.Context, parts []tvmexport.Count, recent tvmexport.Window) (_ []Piece, seen []tvmexport.Count, err error) {
	var out []Piece
	for _, w := range f.plan.Again {
		out = append(out, trimmed(tile(within(parts, w), w, tvmexport.Whole, time.Hour))...)
	}
	if recent != (tvmexport.Window{}) {
		seen, err = f.steps.Hours(ctx, f.plan.Run.Table, recent)
		if err != nil {
			return nil, nil, err
		}
		hours, err := f.upTo(ctx, recent.To, within(parts, recent), seen)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, joined(behind(hours, seen, recent.To, f.plan.Again), hours, f.plan.Again, f.budget())...)
	}
	for i := range out {
		out[i].Late = true
	}
	return out, seen, nil
}

// trimmed leaves out the pieces before the first and after the last one that
// has rows. Empty pieces between others stay: without a gap, one call can ask
// for all of them.
func trimmed(pieces []Piece) []Piece {
	pieces = slices.DeleteFunc(pieces, func(p Piece) bool { return p.Window.Null })
	first := slices.IndexFunc(pieces, func(p Piece) bool { return p.Rows > 0 })
	if first < 0 {
		return nil
	}
	last := len(pieces)
	for pieces[last-1].Rows == 0 {
		last--
	}
	return pieces[first:last]
}

// upTo makes the count of the hour that the watermark lies in one of the rows
// up to it, by a call of its own where the hour as a whole holds more rows than
// readers see.
func (f *fetching) upTo(ctx context.Context, at time.Time, parts, seen []tvmexport.Count) ([]tvmexport.Count, error) {
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

// rowsAt is the count of the hour that begins at start.
func rowsAt(parts []tvmexport.Count, start time.Time) (rows int64) {
	for _, c := range parts {
		if c.Start.Equal(start) {
			rows += c.Rows
		}
	}
	return rows
}

// behind are the hours, the last one up to the watermark, in which the source
// holds more rows than readers see, but for those within windows that are
// asked for anyway.
func behind(source, seen []tvmexport.Count, to time.Time, but []tvmexport.Window) []Piece {
	var out []Piece
	for _, c := range source {
		w := tvmexport.Window{From: c.Start.Add(-tvmexport.Tick), To: c.Start.Add(time.Hour - tvmexport.Tick)}
		if w.To.After(to) {
			w.To = to
		}
		if c.Rows > rowsAt(seen, c.Start) && !slices.ContainsFunc(but, w.Overlaps) {
			out = append(out, Piece{Window: w, Rows: c.Rows})
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

// warnOfAge notes that rows may have aged out of the source since the last run.
func (f *fetching) warnOfAge(c tvmexport.Counts) {
	at := f.plan.Run.Window.From
	if oldest := c.Now.Add(-sourceKeeps); !at.IsZero() && !c.Now.IsZero() && at.Before(oldest) && f.plan.Run.Previous != "" {
		f.note("the source keeps 30 days: rows between %s and %s can be lost to it", at.UTC().Format(time.RFC3339), oldest.UTC().Format(time.RFC3339))
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

func rowsOf(parts []tvmexport.Count) int64 {
	var rows int64
	for _, p := range parts {
		rows += p.Rows
	}
	return rows
}

func piecesOf(parts []tvmexport.Count, w tvmexport.Window) []Piece {
	out := make([]Piece, 0, len(parts))
	for _, c := range parts {
		out = append(out, Piece{Window: w, Partition: c.Partition, Rows: c.Rows, OneKey: c.OneKey, Print: c.Print})
	}
	return out
}

// refine counts a piece that one call cannot carry more finely: in steps of
// time while it is wider than a second, then by the digits of the key, and
// where one key holds all its rows by the hash of the whole row.
func (f *fetching) refine(ctx context.Context, p Piece) ([]Piece, error) {
	q := tvmexport.CountQuery{
		Table: f.plan.Run.Table, Window: p.Window, Within: p.Partition,
		Depth: max(1, DepthFor(p.Rows, f.plan.Limits.Rows)),
	}
	if width := widthOf(p.Window); width > narrow {
		q.Bin = max(time.Second, (width / 60).Truncate(time.Second))
	}
	q.Print = q.Bin == 0 && f.prints != nil
	row, hashed := p.Partition.RowHash()
	if q.Bin == 0 && (p.OneKey || f.oneKey[p.Partition] || p.Partition.Depth() >= maxKeyDigits || p.Partition.Rest()) && !hashed {
		q.Within = p.Partition.ByRowHash()
	}
	if len(row) >= maxRowDigits {
		return nil, &tvmexport.Error{
			Op: "plan", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Refused,
			Err:  fmt.Errorf("more than %d identical rows (partition %s): no query can tell them apart", f.plan.Limits.Rows, p.Partition),
			Hint: "look at the table in the portal for a fault in the data",
		}
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil {
		return nil, err
	}
	f.progress.Calls += counts.Calls
	var pieces []Piece
	if q.Bin > 0 {
		pieces = tile(counts.Parts, p.Window, p.Partition, q.Bin)
	} else {
		pieces = piecesOf(counts.Parts, p.Window)
		for _, p := range pieces {
			if p.OneKey {
				f.oneKey[p.Partition] = true
			}
		}
		pieces = Complete(pieces, q.Within, p.Window, q.Depth)
	}
	for i := range pieces {
		pieces[i].Late = p.Late
	}
	if q.Print {
		f.remember(pieces)
	}
	return pieces, nil
}

const (
	maxKeyDigits = 64 // of a SHA-256; a DeviceId has 40
	maxRowDigits = 8
)
