package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// Comparison is how what readers see of a table compares with the source.
type Comparison struct {
	Table       tvmexport.Table
	Run         tvmexport.RunID  // the newest committed run
	Window      tvmexport.Window // of the watermark, that was compared; zero: the table does not follow one
	Parts       int              // compared
	Rows        int64            // at the source, in those parts
	Differences []Difference
	Notes       []string // what limits the comparison, a sentence each
	Err         error    // why it could not be made
}

// Difference is a part in which source and readers differ.
type Difference struct {
	Partition tvmexport.Partition // of a Snapshot
	Window    tvmexport.Window    // of a table that follows a watermark
	Source    int64               // rows
	Readers   int64               // rows
	Recorded  int64               // rows that the ledger says were published; Missing where it keeps no such record
	Why       string
}

// Verify compares counts and, where the service computes them, fingerprints of
// each part. It writes nothing and takes no lease. With run, that run must be
// the newest committed one of every table compared.
func (e *Exporter) Verify(ctx context.Context, tables []string, run tvmexport.RunID) ([]Comparison, error) {
	state, ok := tvmexport.Ability[tvmexport.StateCounter](e.Destination)
	if !ok {
		return nil, unsupported("verify", "", "does not count the rows that readers see", "compare the tables with a query of the destination's own")
	}
	orders, err := e.orders(ctx)
	if err != nil {
		return nil, err
	}
	if orders, err = choose(orders, tables); err != nil {
		return nil, err
	}
	out := make([]Comparison, len(orders))
	var sound []tvmexport.Table
	for i, o := range orders {
		if out[i].Table, out[i].Err = e.table(ctx, o); out[i].Err == nil {
			sound = append(sound, out[i].Table)
		}
	}
	failed, err := checkTables(ctx, e.Destination, sound)
	if err != nil {
		return nil, err
	}
	sound = slices.DeleteFunc(sound, func(t tvmexport.Table) bool { return failed[t.Name] != nil }) // one table's failure is not another's
	history, err := e.Destination.History(ctx, sound)
	if err != nil {
		return nil, err
	}
	of := make([]comparedParts, len(out))
	var asked []int // of out, for which the source counts
	var queries []tvmexport.CountQuery
	for i := range out {
		c := &out[i]
		if c.Err = cmp.Or(c.Err, failed[c.Table.Name]); c.Err != nil {
			continue
		}
		h := history[c.Table.Name]
		c.Table = shapeOf(h.Last, c.Table)
		if c.Err = comparable(c.Table, h, run); c.Err != nil || e.lists(c.Table.Name) {
			continue
		}
		var notes []string
		of[i] = e.partsOf(c, h)
		of[i].query.Table, notes = comparedTable(of[i].query.Table)
		c.Notes = append(c.Notes, notes...)
		for _, r := range h.Partitions {
			of[i].query.Rows += r.Rows
		}
		of[i].query.Emptied = true // the comparison shows it
		defer e.release(c.Table.Name)
		asked, queries = append(asked, i), append(queries, of[i].query)
	}
	counts := make([]tvmexport.TableCounts, len(out))
	for n, r := range e.countAll(ctx, queries) {
		counts[asked[n]] = r
	}
	for i := range out {
		c, h := &out[i], history[out[i].Table.Name]
		if c.Err != nil {
			continue
		}
		c.Run = h.Last.ID
		if e.lists(c.Table.Name) {
			c.Err = c.compareRecorded(ctx, state, h)
		} else {
			c.Err = e.compare(ctx, state, c, h, compared{of[i], counts[i]})
		}
		c.lost(h)
	}
	return out, nil
}

// compared is what the source says of a table, and how it was asked.
type compared struct {
	comparedParts
	source tvmexport.TableCounts
}

// comparable says why a table cannot be compared.
func comparable(t tvmexport.Table, h tvmexport.History, run tvmexport.RunID) error {
	fail := func(code tvmexport.Code, hint, format string, args ...any) error {
		return &tvmexport.Error{Op: "verify", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Hint: hint, Code: code, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case h.Publishing != nil:
		return fail(tvmexport.UnfinishedPublication, "the next run finishes it", "the publication of run %s has not finished", h.Publishing.Run.ID)
	case h.Last == nil:
		return fail(tvmexport.NoCommittedRun, "export the table first", "the ledger has no committed run")
	case run != "" && h.Last.ID != run:
		return fail(tvmexport.RunNotNewest, "name no run to compare the rows that readers see now", "run %s is not the newest committed run, which is %s: its state no longer exists at the source", run, h.Last.ID)
	}
	return nil
}

func (e *Exporter) compare(ctx context.Context, state tvmexport.StateCounter, c *Comparison, h tvmexport.History, with compared) error {
	parts, source := with.comparedParts, with.source
	c.Notes = addNotes(c.Notes, source.Notes)
	if source.Err != nil {
		return source.Err
	}
	if c.Window = parts.query.Window; parts.query.Bin > 0 {
		c.Window = kept(c.Window, source.Gone)
		if c.Window == (tvmexport.Window{}) {
			c.Notes = append(c.Notes, fmt.Sprintf("the source no longer has events up to the watermark, %s: nothing was compared", parts.query.Window.To.UTC().Format(time.RFC3339)))
			return nil
		}
	}
	if c.Window != parts.query.Window {
		c.Notes = append(c.Notes, fmt.Sprintf("the source no longer has earlier events: those after %s and up to %s were compared",
			c.Window.From.UTC().Format(time.RFC3339), c.Window.To.UTC().Format(time.RFC3339)))
		parts.query.Window = c.Window
		var err error
		if source.Counts, err = checkedCount(ctx, e.source(c.Table.Name), parts.query); err != nil {
			return err
		}
	}
	readers, err := state.State(ctx, parts.query)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(source.Parts, func(p tvmexport.Count) bool { return !p.Fingerprint.Known }) {
		c.Notes = append(c.Notes, "the service computes no fingerprints: only counts were compared")
	}
	c.differ(source.Parts, readers, parts)
	return e.tellUnread(ctx, state, c, parts, unlikeColumns(h.Last))
}

// comparedParts are the parts of a table that are compared.
type comparedParts struct {
	query    tvmexport.CountQuery          // that both sides are asked
	recorded map[tvmexport.Partition]int64 // rows of the parts in the ledger; nil: it has none of such parts
}

// partsOf chooses the parts of a table by which it is compared.
func (e *Exporter) partsOf(c *Comparison, h tvmexport.History) comparedParts {
	t := c.Table
	q := tvmexport.CountQuery{Table: t, Fingerprints: true}
	if t.Watermark != "" && t.LoadType != tvmexport.Snapshot && !h.Last.Watermark.IsZero() {
		if t.Watermark == tvmexport.IngestionTime {
			c.Notes = append(c.Notes, "rows do not have ingestion_time(), which the table follows: the table was compared as a whole")
			q.Window = tvmexport.Window{To: h.Last.Watermark}
			return comparedParts{query: q}
		}
		q.Bin = time.Hour
		// The oldest day is about to expire at the source.
		q.Window = tvmexport.Window{From: h.Now.Add(-sourceKeeps + 24*time.Hour).Truncate(time.Hour).Add(-tvmexport.Tick), To: h.Last.Watermark}
		if h.Since.After(q.Window.From) && !h.Losses.Ledger() {
			q.Window.From = h.Since
		}
		return comparedParts{query: q}
	}
	if t.Key.IsRow() {
		return comparedParts{query: q}
	}
	if visibility := t.KeyVisibility(); visibility != "" {
		c.Notes = append(c.Notes, "published rows do not contain the key of partitions, which is "+visibility+": the table was compared as a whole")
		rows := int64(0)
		for _, r := range h.Partitions {
			rows += r.Rows
		}
		return comparedParts{q, map[tvmexport.Partition]int64{tvmexport.AllPartitions: rows}}
	}
	q.Depth = h.Depth
	recorded := make(map[tvmexport.Partition]int64, len(h.Partitions))
	for _, r := range h.Partitions {
		recorded[r.Partition] += r.Rows
	}
	return comparedParts{q, recorded}
}

type partKey struct {
	partition tvmexport.Partition
	start     int64
}

func byPart(list []tvmexport.Count) map[partKey]tvmexport.Count {
	out := make(map[partKey]tvmexport.Count, len(list))
	for _, p := range list {
		key := partKey{partition: p.Partition}
		if !p.Start.IsZero() {
			key.start = p.Start.UnixNano()
		}
		out[key] = p
	}
	return out
}

// differ fills in the differences, in the order of the parts.
func (c *Comparison) differ(source, readers []tvmexport.Count, parts comparedParts) {
	q, recorded := parts.query, parts.recorded
	theirs, ours := byPart(source), byPart(readers)
	for k, p := range ours {
		if _, ok := theirs[k]; !ok {
			theirs[k] = tvmexport.Count{Partition: p.Partition, Start: p.Start, Fingerprint: tvmexport.EmptyFingerprint}
		}
	}
	for p, rows := range recorded {
		if _, ok := theirs[partKey{partition: p}]; !ok && rows > 0 {
			theirs[partKey{partition: p}] = tvmexport.Count{Partition: p, Fingerprint: tvmexport.EmptyFingerprint}
		}
	}
	for k, s := range theirs {
		r, ok := ours[k]
		if !ok {
			r.Fingerprint = tvmexport.EmptyFingerprint
		}
		c.Parts++
		c.Rows += s.Rows
		d := Difference{Partition: s.Partition, Source: s.Rows, Readers: r.Rows, Recorded: tvmexport.Missing}
		if q.Bin > 0 && !s.Start.IsZero() {
			d.Window = tvmexport.Window{From: later(s.Start.Add(-tvmexport.Tick), q.Window.From), To: earlier(s.Start.Add(q.Bin-tvmexport.Tick), q.Window.To)}
		}
		if recorded != nil {
			d.Recorded = recorded[s.Partition]
		}
		same := s.Rows == r.Rows && (!s.Fingerprint.Known || !r.Fingerprint.Known || s.Fingerprint.Same(r.Fingerprint))
		if d.Why = d.explain(same, c.Run); d.Why != "" {
			c.Differences = append(c.Differences, d)
		}
	}
	slices.SortFunc(c.Differences, func(a, b Difference) int {
		return cmp.Or(a.Window.From.Compare(b.Window.From), cmp.Compare(a.Partition, b.Partition))
	})
}

// explain says in what way a part differs; "" if it does not.
func (d Difference) explain(same bool, run tvmexport.RunID) string {
	switch {
	case d.Recorded != tvmexport.Missing && d.Readers < d.Recorded:
		return fmt.Sprintf("%d rows of run %s or earlier runs are gone from the published table", d.Recorded-d.Readers, run)
	case d.Recorded != tvmexport.Missing && d.Readers > d.Recorded:
		return fmt.Sprintf("the published table has %d rows that no run published", d.Readers-d.Recorded)
	case same:
		return ""
	case d.Recorded != tvmexport.Missing && d.Source == d.Readers:
		return "the rows differ in content: the source has changed since the run, or rows were changed manually"
	case d.Recorded != tvmexport.Missing && d.Source > d.Readers:
		return many(d.Source-d.Readers, "row of the source is", "rows of the source are") + " not published: the source has changed since the run, or the run missed them"
	case d.Recorded != tvmexport.Missing:
		return many(d.Readers-d.Source, "published row is", "published rows are") + " no longer at the source: the source has changed since the run"
	case d.Source > d.Readers:
		return many(d.Source-d.Readers, "row is", "rows are") + " missing"
	case d.Source < d.Readers:
		return many(d.Readers-d.Source, "row is", "rows are") + " there that the source does not have"
	}
	return "the rows differ in content"
}

// many is a number of what one or many are called.
func many(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Repair is the repair of a table's differences: the parts that a run has to ask
// for again. ok is false where there are none.
func (c Comparison) Repair() (r Repair, ok bool) {
	for _, d := range c.Differences {
		if d.Window != (tvmexport.Window{}) {
			r.Windows = append(r.Windows, d.Window)
			continue
		}
		r.Partitions = append(r.Partitions, d.Partition)
	}
	return r, len(c.Differences) > 0
}
