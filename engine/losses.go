package engine

import (
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// lossesBeyond are the losses that a commit did not know yet: it was made in spite of
// those that it knew, and made up for them.
func lossesBeyond(l tvmexport.Losses, last *tvmexport.Committed) tvmexport.Losses {
	if last == nil {
		return l
	}
	out := tvmexport.Losses{
		Strange: max(l.Strange-last.Losses.Strange, 0), Holes: max(l.Holes-last.Losses.Holes, 0),
		Records: max(l.Records-last.Losses.Records, 0), Rows: max(l.Rows-last.Losses.Rows, 0), Copied: l.Copied, Unknown: l.Unknown,
	}
	if out.Rows > 0 {
		out.Short = l.Short
	}
	return out
}

// lostEverything says whether no published table holds a row of a committed run.
func lostEverything(l tvmexport.Losses, t tvmexport.Table) bool {
	held := int64(0)
	for _, s := range l.Short {
		held += s.Held
	}
	return held == 0 && len(l.Short) == publishedTables(t)
}

// lostAlike says whether every published table lacks as many rows as the others.
func lostAlike(l tvmexport.Losses, t tvmexport.Table) bool {
	for _, s := range l.Short {
		if s.Gone != l.Short[0].Gone {
			return false
		}
	}
	return len(l.Short) == publishedTables(t)
}

// publishedTables is how many tables the rows are published into.
func publishedTables(t tvmexport.Table) int {
	n := 0
	if t.Layout.Raw() {
		n++
	}
	if t.Layout.Typed() && len(t.Visible()) > 0 {
		n++
	}
	return max(n, 1)
}

// moved refuses a destination that is not the one of the last commit, where a
// full run would hide older events from readers; why is what a Snapshot says of
// its full run instead. Behind a run without a watermark the next one is full anyway.
func moved(t tvmexport.Table, last *tvmexport.Committed) (why string, err error) {
	if last == nil || last.Destination == "" || last.Destination == t.Destination || !t.Layout.Raw() {
		return "", nil
	}
	if t.LoadType == tvmexport.Snapshot {
		return fmt.Sprintf("the last run published into %s, but the configuration names %s", last.Destination, t.Destination), nil
	}
	if last.Watermark.IsZero() && last.Kind != tvmexport.LegacyRun {
		return "", nil
	}
	return "", &tvmexport.Error{
		Op: "plan", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Usage,
		Err: fmt.Errorf("MigrationConfiguration names the destination %s, but run %s and earlier runs published into %s", t.Destination, last.ID, last.Destination),
		Hint: fmt.Sprintf("set DestinationTable back to %s, or export the whole table, which publishes all rows of the source into %s and hides older rows from readers",
			last.Destination, t.Destination),
		Code: tvmexport.DestinationChanged,
	}
}

// refusalOf is why a run does not go on: the published tables do not lack the same
// rows. A run publishes into all of them, and one that holds a row already would
// hold it twice. nil: it goes on.
func refusalOf(l tvmexport.Losses, t tvmexport.Table) error {
	if lostAlike(l, t) {
		return nil
	}
	code, hint := tvmexport.PublishedRowsLost, "export the whole table, which publishes all rows of the source into each table and hides older rows from readers"
	if len(l.Short) == 1 && l.Short[0].Table == t.Typed() {
		code, hint = tvmexport.TypedRowsLost, fmt.Sprintf("rebuild the rows of %s from the records in %s", t.Typed(), t.Destination)
	}
	return &tvmexport.Error{
		Op: "plan", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
		Err: fmt.Errorf("%s: it was cleared, dropped or changed", l), Hint: hint, Code: code,
	}
}

// fullReasonOfLosses returns why a Snapshot is fetched completely after losses; ""
// if that is not needed. A repair fetches lost rows itself.
func fullReasonOfLosses(l tvmexport.Losses, repairing bool) string {
	if l.Ledger() || l.Rows > 0 && !repairing {
		return l.String()
	}
	return ""
}

// recover makes the run of a table that follows a watermark bring back what is
// gone: all of it by a full run where readers see nothing any more, else the
// rows that readers lack of all that the source still holds. It notes what it does.
func (p *Plan) recover(lost tvmexport.Losses) error {
	if !lost.Any() {
		return nil
	}
	if !lost.Ledger() && lostEverything(lost, p.Run.Table) {
		p.Run.Kind, p.Run.Window = tvmexport.FullRun, tvmexport.Window{}
		p.note("%s: the whole table is fetched again", lost)
		return nil
	}
	if lost.Rows > 0 {
		if err := refusalOf(lost, p.Run.Table); err != nil {
			return err
		}
	}
	p.reconcile()
	p.note("%s: rows that readers lack are published again", lost)
	return nil
}

// begins is where the first run of a table that follows a watermark begins: by
// the operator's order, but from the beginning where the order is the
// exporter's own copy or rows of earlier runs show that the ledger was lost.
func (p *Plan) begins(o tvmexport.Order, h tvmexport.History) (at time.Time, full bool) {
	switch {
	case h.Losses.Ledger():
		p.note("the ledger has no committed run, but %s: it was cleared or shortened, and the whole table is fetched again", h.Losses)
	case h.Losses.Copied && !o.From.IsZero():
		p.note("the ledger has no committed run, but a run wrote the watermark %s in MigrationConfiguration: the whole table is fetched again", o.From.UTC().Format(time.RFC3339))
	default:
		if !o.From.IsZero() && !o.From.After(h.Now.Add(clockSkew)) { // a time in the future is set back
			p.note("the ledger has no committed run: rows after %s, the LastRefreshedTime in MigrationConfiguration, are exported, and older rows are not fetched", o.From.UTC().Format(time.RFC3339))
		}
		return o.From, false
	}
	return time.Time{}, true
}

// followsState makes the first run behind runs without a watermark, such as those of a
// Snapshot, a full one: the time that they left in the configuration says nothing of
// single rows. If an operator has changed the table and written a time behind the last
// run, the run fetches the rows after it, and readers see those alone.
func (p *Plan) followsState(h tvmexport.History, lost tvmexport.Losses) {
	at := orderedWatermark(h)
	if at.IsZero() || h.Last.Kind == tvmexport.LegacyRun || h.Last.Definition == p.Run.Table.Definition() {
		return
	}
	const form = "the last run, of %s, exported the table without a watermark, and LastRefreshedTime in MigrationConfiguration says %s: "
	if !at.After(h.Last.StartedAt) || lost.Ledger() || lost.Unknown {
		p.note(form+"the whole table is fetched", h.Last.StartedAt.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
		return
	}
	p.Run.Window.From, p.Recount = at, 0
	p.note(form+"rows after it are exported, older rows are not fetched, and readers do not see them any more", h.Last.StartedAt.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339))
}

// reuseOrphans takes over what interrupted runs landed. Without the ledger nothing
// tells it from what was published.
func (p *Plan) reuseOrphans(left []tvmexport.OrphanedBatch, age time.Duration) {
	if p.Apart {
		return
	}
	left = slices.DeleteFunc(slices.Clone(left), func(o tvmexport.OrphanedBatch) bool {
		return o.Batch.Slice.Unit.IsZero() == p.Lists // partitions say nothing of a unit's rows
	})
	p.Orphans = resumable(p.Run, left, age)
}

// lost adds what is gone of the table that the configuration names, where
// readers look at another one, and of the ledger.
func (c *Comparison) lost(h tvmexport.History) {
	if c.Err != nil {
		return
	}
	lost := lossesBeyond(h.Losses, h.Last)
	for _, s := range lost.Short {
		if !s.Readers {
			c.Differences = append(c.Differences, Difference{
				Source: s.Recorded, Readers: s.Held, Recorded: s.Recorded,
				Why: fmt.Sprintf("%d rows of committed runs are gone from %s, or were published into another table", s.Gone, s.Table),
			})
		}
	}
	if lost.Ledger() {
		c.Differences = append(c.Differences, Difference{Recorded: tvmexport.Missing, Why: lost.String()})
	}
	if was := h.Last.Destination; was != "" && was != c.Table.Destination && c.Table.Layout.Raw() {
		c.Notes = append(c.Notes, fmt.Sprintf("the last run published into %s, but the configuration names %s", was, c.Table.Destination))
	}
}
