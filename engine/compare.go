package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tvmexport/tvmexport"
)

// tally is what was counted of the parts of a run: of a Snapshot its partitions,
// of a table that follows its watermark its windows.
type tally struct {
	run     tvmexport.Run
	at      time.Time // the source's clock at the count
	parts   *tallyParts
	windows []planUnit
}

// tallyParts are the counts of the partitions of a Snapshot, and what was found since.
type tallyParts struct {
	table countedParts
	later map[tvmexport.Partition]partCount
}

// of is what was counted of a partition, lastly.
func (t *tallyParts) of(p tvmexport.Partition) partCount {
	if c, ok := t.later[p]; ok {
		return c
	}
	if i, ok := t.table.find(p); ok {
		return t.table[i].partCount
	}
	return partCount{}
}

func (t *tallyParts) set(p tvmexport.Partition, c partCount) {
	if t.later == nil {
		t.later = map[tvmexport.Partition]partCount{}
	}
	t.later[p] = c
}

// filled calls yield with each partition that has rows.
func (t *tallyParts) filled(yield func(tvmexport.Partition, partCount) bool) {
	for _, c := range t.table {
		if _, ok := t.later[c.partition]; !ok && c.rows > 0 && !yield(c.partition, c.partCount) {
			return
		}
	}
	for p, c := range t.later {
		if c.rows > 0 && !yield(p, c) {
			return
		}
	}
}

// tallyOf keeps counts for the comparison with the fetched rows. A service that
// counts no parts gives nothing to compare.
func tallyOf(run tvmexport.Run, units []planUnit, c tvmexport.Counts) tally {
	t := tally{run: run, at: c.Now}
	switch {
	case c.Even:
	case run.Table.Watermark != "" && run.Table.LoadType != tvmexport.Snapshot:
		t.windows = slices.Clone(units)
	default:
		t.parts = &tallyParts{}
		if comparedBy(run, units) {
			t.parts.table = countedPartsOf(units)
		} else {
			t.parts.later = countedBy(run, units)
		}
	}
	return t
}

// comparedBy says whether units are the partitions in which the run compares rows, in
// order.
func comparedBy(run tvmexport.Run, units []planUnit) bool {
	for i, u := range units {
		if run.Label(u.Partition) != u.Partition || i > 0 && units[i-1].Partition >= u.Partition {
			return false
		}
	}
	return true
}

// compareRounds is how often parts are asked for again whose rows differ from
// their count though it did not change.
const compareRounds = 3

// compare compares the fetched rows with the counts. If they differ, it counts the
// parts once more, by one call. A changed count explains the difference: the answer
// shows that state. If the count did not change, the part is fetched again; a second
// difference ends the run.
func compare(ctx context.Context, f *fetcher, have landed) (landed, error) {
	run, counted := f.Run, f.counted
	if f.Consistent && run.Table.LoadType == tvmexport.Snapshot {
		return have, nil // recheck counts all of it again
	}
	for round := 1; ; round++ {
		unexplained, err := counted.unexplained(ctx, f.stage, have.all(), f.fingerprints != nil)
		if err != nil || len(unexplained) == 0 {
			return have, err
		}
		if round > compareRounds {
			u := unexplained[0]
			return have, differs(run.Table, "in %d partitions of the table the fetched rows differ from the counts, also after %d more attempts; the first partition has %d rows, but %d were counted", len(unexplained), compareRounds, u.fetched, u.after)
		}
		rest, again := have.without(counted.hit(unexplained))
		if have, err = f.fetch(ctx, rest, unitList{}, again); err != nil {
			return have, err
		}
	}
}

func differs(t tvmexport.Table, format string, args ...any) error {
	return &tvmexport.Error{
		Op: "fetch", Table: t.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: fmt.Errorf(format, args...),
		Hint: "nothing was published; run again, and if this repeats open a case with Microsoft: counts and rows of the table contradict each other",
	}
}

// difference is a part of which another number of rows was fetched than counted.
type difference struct {
	partition tvmexport.Partition
	window    tvmexport.Window
	least     int64 // rows as counted before the fetch
	most      int64 // more than least where a count covers more than the window
	fetched   int64
	after     int64 // rows as counted after the fetch
	moved     bool  // the count has changed meanwhile
}

// explained says whether the source can have had the rows that were fetched
// between the two counts: as many as after, or a number between both.
func (d difference) explained() bool {
	between := min(d.least, d.after) <= d.fetched && d.fetched <= max(d.most, d.after)
	return d.fetched == d.after || d.moved && between
}

// unexplained counts again what differs, and returns what that does not explain.
// The tally is of the new counts then.
func (t *tally) unexplained(ctx context.Context, st stage, batches []tvmexport.BatchInfo, fingerprints bool) ([]difference, error) {
	list := t.differing(batches)
	if len(list) == 0 {
		return nil, nil
	}
	before := t.at
	var now time.Time
	var err error
	if t.windows != nil {
		now, err = countWindows(ctx, st, t.run.Table, list)
	} else {
		var even bool
		if now, even, err = t.countParts(ctx, st, list, fingerprints); even {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	for _, d := range list {
		if d.moved && !now.IsZero() && now.Equal(before) {
			return nil, differs(t.run.Table, "two counts at the same time, %s, contradict each other: %d rows and %d rows in one partition of the table", now.UTC().Format(time.RFC3339Nano), d.most, d.after)
		}
	}
	t.at = now
	for _, d := range list {
		t.recounted(d)
	}
	return slices.DeleteFunc(list, difference.explained), nil
}

// differing are the parts of which another number of rows was fetched than counted.
func (t *tally) differing(batches []tvmexport.BatchInfo) []difference {
	if t.windows != nil {
		return differingWindows(t.windows, batches)
	}
	if t.parts == nil {
		return nil
	}
	var out []difference
	met := map[tvmexport.Partition]bool{}
	for _, r := range recordsOf(batches, t.run) {
		met[r.Partition] = true
		if n := t.parts.of(r.Partition).rows; n != r.Rows {
			out = append(out, difference{partition: r.Partition, least: n, most: n, fetched: r.Rows})
		}
	}
	for p, r := range t.parts.filled {
		if !met[p] {
			out = append(out, difference{partition: p, least: r.rows, most: r.rows})
		}
	}
	slices.SortFunc(out, func(a, b difference) int { return cmp.Compare(a.partition, b.partition) })
	return out
}

// countParts counts partitions again, and notes in the list what it finds. even
// says that the service does not count parts any more.
func (t *tally) countParts(ctx context.Context, st stage, list []difference, fingerprints bool) (_ time.Time, even bool, err error) {
	q := tvmexport.CountQuery{Table: t.run.Table, Depth: max(t.run.Depth, 1), Fingerprints: fingerprints}
	switch {
	case t.run.Table.Key.IsRow():
		q.Within, q.Depth = tvmexport.AllPartitions.ByRowHash(), 2
	case len(list) <= mostPartitions:
		for _, d := range list {
			q.Only = append(q.Only, d.partition)
		}
	}
	counts, err := st.count(ctx, q)
	if err != nil || counts.Even {
		return counts.Now, counts.Even, err
	}
	now := countedBy(t.run, unitsOf(counts.Parts, tvmexport.Window{}))
	for i := range list {
		d := &list[i]
		was := t.parts.of(d.partition)
		is, ok := now[d.partition]
		if !ok {
			is.fingerprint = tvmexport.EmptyFingerprint // it has no rows
		}
		d.after = is.rows
		d.moved = was.rows != is.rows || was.fingerprint.Known && is.fingerprint.Known && !was.fingerprint.Same(is.fingerprint)
		t.parts.set(d.partition, is)
	}
	return counts.Now, false, nil
}

// recounted keeps what the next comparison expects of a part: the rows that were
// fetched if they are explained, else those of the new count.
func (t *tally) recounted(d difference) {
	expected := d.after
	if d.explained() {
		expected = d.fetched
	}
	if t.windows != nil {
		in := func(p planUnit) bool { return d.window.Overlaps(p.Window) }
		t.windows = append(slices.DeleteFunc(t.windows, in), planUnit{Window: d.window, Rows: expected})
		return
	}
	r := t.parts.of(d.partition)
	r.rows = expected
	t.parts.set(d.partition, r)
}

// hit returns whether a batch has rows of the parts that differ: it is asked for
// again as it was.
func (t *tally) hit(list []difference) func(tvmexport.BatchInfo) bool {
	parts := make(map[tvmexport.Partition]bool, len(list))
	for _, d := range list {
		parts[d.partition] = true
	}
	return func(b tvmexport.BatchInfo) bool {
		if t.windows != nil {
			return slices.ContainsFunc(list, func(d difference) bool { return d.window.Overlaps(b.Slice.Window) })
		}
		return slices.ContainsFunc(b.Slice.Partitions, func(p tvmexport.Partition) bool { return parts[t.run.Label(p)] })
	}
}
