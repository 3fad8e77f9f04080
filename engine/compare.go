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
	at      time.Time // the source's clock at the count
	parts   map[tvmexport.Partition]tvmexport.PartitionRecord
	windows []planUnit
}

// expect keeps the plan's counts for the comparison with the fetched rows. A
// service that counts no parts gives nothing to compare.
func (f *fetching) expect(c tvmexport.Counts) {
	f.counted = tally{at: c.Now}
	switch run := f.plan.Run; {
	case c.Even:
	case run.Table.Watermark != "" && run.Table.LoadType != tvmexport.Snapshot:
		f.counted.windows = slices.Clone(f.units)
	default:
		f.counted.parts = countedBy(run, f.units)
	}
}

// compareRounds is how often parts are asked for again whose rows differ from
// their count though it did not change.
const compareRounds = 3

// compare compares the fetched rows with the counts. If they differ, it counts the
// parts once more, by one call. A changed count explains the difference: the answer
// shows that state. If the count did not change, the part is fetched again; a second
// difference ends the run.
func (f *fetching) compare(ctx context.Context) error {
	if f.plan.Consistent && f.plan.Run.Table.LoadType == tvmexport.Snapshot {
		return nil // settle counts all of it again
	}
	for round := 1; ; round++ {
		unexplained, err := f.unexplained(ctx)
		if err != nil || len(unexplained) == 0 {
			return err
		}
		if round > compareRounds {
			u := unexplained[0]
			return f.differs("in %d partitions of the table the fetched rows differ from the counts, also after %d more attempts; the first partition has %d rows, but %d were counted", len(unexplained), compareRounds, u.fetched, u.after)
		}
		f.askAgain(unexplained)
		if err := f.fetchAll(ctx); err != nil {
			return err
		}
	}
}

func (f *fetching) differs(format string, args ...any) error {
	return &tvmexport.Error{
		Op: "fetch", Table: f.plan.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: fmt.Errorf(format, args...),
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
func (f *fetching) unexplained(ctx context.Context) ([]difference, error) {
	list, again := f.differing(), f.countParts
	if f.counted.windows != nil {
		list, again = f.differingWindows(), f.countWindows
	}
	if len(list) == 0 {
		return nil, nil
	}
	before := f.counted.at
	now, known, err := again(ctx, list)
	if err != nil || !known {
		return nil, err
	}
	for _, d := range list {
		if d.moved && !now.IsZero() && now.Equal(before) {
			return nil, f.differs("two counts at the same time, %s, contradict each other: %d rows and %d rows in one partition of the table", now.UTC().Format(time.RFC3339Nano), d.most, d.after)
		}
	}
	f.counted.at = now
	for _, d := range list {
		f.recounted(d)
	}
	return slices.DeleteFunc(list, difference.explained), nil
}

// differing are the partitions of a Snapshot of which another number of rows was
// fetched than counted.
func (f *fetching) differing() []difference {
	if f.counted.parts == nil {
		return nil
	}
	var out []difference
	met := map[tvmexport.Partition]bool{}
	for _, r := range recordsOf(f.all(), f.plan.Run) {
		met[r.Partition] = true
		if n := f.counted.parts[r.Partition].Rows; n != r.Rows {
			out = append(out, difference{partition: r.Partition, least: n, most: n, fetched: r.Rows})
		}
	}
	for p, r := range f.counted.parts {
		if !met[p] && r.Rows > 0 {
			out = append(out, difference{partition: p, least: r.Rows, most: r.Rows})
		}
	}
	slices.SortFunc(out, func(a, b difference) int { return cmp.Compare(a.partition, b.partition) })
	return out
}

// countParts counts partitions again, and notes in the list what it finds.
// known is false where the service does not count parts any more.
func (f *fetching) countParts(ctx context.Context, list []difference) (_ time.Time, known bool, err error) {
	run := f.plan.Run
	q := tvmexport.CountQuery{Table: run.Table, Depth: max(run.Depth, 1), Fingerprints: f.fingerprints != nil}
	switch {
	case run.Table.Key.IsRow():
		q.Within, q.Depth = tvmexport.AllPartitions.ByRowHash(), 2
	case len(list) <= mostPartitions:
		for _, d := range list {
			q.Only = append(q.Only, d.partition)
		}
	}
	counts, err := f.steps.Count(ctx, q)
	if err != nil || counts.Even {
		return counts.Now, false, err
	}
	f.progress.Calls += counts.Calls
	now := countedBy(run, unitsOf(counts.Parts, tvmexport.Window{}))
	for i := range list {
		d := &list[i]
		was, is := f.counted.parts[d.partition], now[d.partition]
		if is.Partition != d.partition {
			is = tvmexport.PartitionRecord{Partition: d.partition, Fingerprint: tvmexport.EmptyFingerprint} // it has no rows
		}
		d.after = is.Rows
		d.moved = was.Rows != is.Rows || was.Fingerprint.Known && is.Fingerprint.Known && !was.Fingerprint.Same(is.Fingerprint)
		f.counted.parts[d.partition] = is
	}
	return counts.Now, true, nil
}

// recounted keeps what the next comparison expects of a part: the rows that were
// fetched if they are explained, else those of the new count.
func (f *fetching) recounted(d difference) {
	expected := d.after
	if d.explained() {
		expected = d.fetched
	}
	if f.counted.windows != nil {
		in := func(p planUnit) bool { return d.window.Overlaps(p.Window) }
		f.counted.windows = append(slices.DeleteFunc(f.counted.windows, in), planUnit{Window: d.window, Rows: expected})
		return
	}
	r := f.counted.parts[d.partition]
	r.Rows = expected
	f.counted.parts[d.partition] = r
}

// askAgain puts back all batches that have rows of the parts, to be asked for
// as they were.
func (f *fetching) askAgain(list []difference) {
	parts := make(map[tvmexport.Partition]bool, len(list))
	for _, d := range list {
		parts[d.partition] = true
	}
	hit := func(b tvmexport.BatchInfo) bool {
		if f.counted.windows != nil {
			return slices.ContainsFunc(list, func(d difference) bool { return d.window.Overlaps(b.Slice.Window) })
		}
		return slices.ContainsFunc(b.Slice.Partitions, func(p tvmexport.Partition) bool { return parts[f.plan.Run.Label(p)] })
	}
	back := func(b tvmexport.BatchInfo) bool {
		if !hit(b) {
			return false
		}
		f.ready = append(f.ready, b.Slice)
		return true
	}
	f.batches = slices.DeleteFunc(f.batches, back)
	f.reused = slices.DeleteFunc(f.reused, back)
}
