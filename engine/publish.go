package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport"
)

// publishBytes is how much one publishing command moves: Kusto advises up to
// 1 GB for a command that ingests from a query
// (https://learn.microsoft.com/kusto/management/data-ingestion/ingest-from-query).
const publishBytes = 1_000_000_000

// publicationSteps gathers batches, in their order, into steps of at most the
// given number of bytes, and adds up the rows that they publish. It skips batches
// without such rows. Late batches have their own steps: only their missing rows
// count.
func publicationSteps(batches []tvmexport.BatchInfo, missing map[tvmexport.BatchID]int64, t tvmexport.Table, most int64) (steps []tvmexport.PublicationStep, rows int64) {
	if most <= 0 {
		most = publishBytes
	}
	var size int64
	for _, late := range []bool{false, true} {
		fresh := true
		for _, b := range batches {
			n := b.Rows
			if b.Slice.Late {
				n = missing[b.ID]
			}
			if b.Slice.Late != late || n == 0 {
				continue
			}
			if fresh || size+b.Bytes > most {
				steps = append(steps, tvmexport.PublicationStep{})
				size, fresh = 0, false
			}
			last := &steps[len(steps)-1]
			last.Batches = append(last.Batches, b.ID)
			last.Rows += n
			if late {
				last.Late = around(last.Late, b.Slice.Window, t)
			}
			rows += n
			size += b.Bytes
		}
	}
	return steps, rows
}

// around widens a window to hold another one. Rows that follow
// ingestion_time() do not carry it, so for them the window is open.
func around(w *tvmexport.Window, v tvmexport.Window, t tvmexport.Table) *tvmexport.Window {
	switch {
	case t.Watermark == tvmexport.IngestionTime:
		return &tvmexport.Window{}
	case w == nil:
		return &v
	}
	if v.From.Before(w.From) {
		w.From = v.From
	}
	if v.To.After(w.To) {
		w.To = v.To
	}
	return w
}

// tableOfPublication is a table as the publication met it.
func tableOfPublication(p tvmexport.Publication, t tvmexport.Table) tvmexport.Table {
	t.Layout, t.Shown = p.Layout, p.Shown
	if p.Layout == "" {
		t.Layout = tvmexport.RawOnly
	}
	if len(p.Columns) > 0 {
		t.Columns = p.Columns
	}
	if slices.Equal(t.Shown, t.Columns) {
		t.Shown = nil
	}
	return t
}

// publication gathers what has landed into steps. missing are the rows of late
// batches that readers do not see.
func publication(p planned, have landed, missing map[tvmexport.BatchID]int64, done Progress) tvmexport.Publication {
	run, batches := p.Run, have.all()
	pub := tvmexport.Publication{
		Run: run, Bytes: done.Bytes, Calls: done.Calls,
		Layout: cmp.Or(run.Table.Layout, tvmexport.Both), Columns: run.Table.Columns, Shown: run.Table.Visible(),
		Unlike: p.Unlike, Apart: p.Apart, Gap: p.gap,
	}
	for _, b := range batches {
		pub.Unread = addUnread(pub.Unread, b.Unread)
	}
	if run.Kind != tvmexport.FullRun { // readers of a full run see nothing of the runs before it
		pub.Losses = p.Losses
	}
	pub.Steps, pub.Rows = publicationSteps(batches, missing, run.Table, p.StepBytes)
	pub.Partitions = vanished(recordsOf(batches, run), p.Known, run, have.asked)
	pub.Effect = effectOf(pub, p.Before, p.Known)
	return pub
}

// stateBefore is what readers see of a table before a run.
func stateBefore(h tvmexport.History) tvmexport.Effect {
	e := tvmexport.Effect{TableRows: h.TableRows}
	switch {
	case h.Last == nil:
	case h.Last.Effect == nil:
		e.Deltas = -1
	default:
		e.Deltas = h.Last.Effect.Deltas
	}
	return e
}

// effectOf is what a publication does to a table of which readers see the known
// partitions before it.
func effectOf(p tvmexport.Publication, before tvmexport.Effect, known []tvmexport.PartitionRecord) tvmexport.Effect {
	e := tvmexport.Effect{TableRows: p.Rows}
	if p.Run.Kind != tvmexport.FullRun {
		e.TableRows = before.TableRows + p.Rows - replacedRows(p, known)
		if e.Deltas = before.Deltas; e.Deltas >= 0 {
			e.Deltas++
		}
	}
	e.Growth = e.TableRows - before.TableRows
	return e
}

// replacedRows counts the rows that readers do not see any more after a delta run:
// those of the partitions that a run of a Snapshot records, and rows without a
// watermark, which come again with each run that follows one.
func replacedRows(p tvmexport.Publication, known []tvmexport.PartitionRecord) int64 {
	recorded := make(map[tvmexport.Partition]bool, len(p.Partitions))
	for _, r := range p.Partitions {
		recorded[r.Partition] = true
	}
	var rows int64
	for _, k := range known {
		if p.Run.Table.LoadType == tvmexport.Snapshot && recorded[k.Partition] || p.Run.Table.LoadType != tvmexport.Snapshot && k.Window.Null {
			rows += k.Rows
		}
	}
	return rows
}

// finish publishes and commits. It is also how a later run completes what an
// earlier one began to publish.
func finish(ctx context.Context, s Steps, pub tvmexport.Publication, p *Progress, h *tvmexport.Hooks) error {
	published, err := s.Publish(ctx, pub)
	if err != nil {
		return err
	}
	rows := published.Rows
	if rows != pub.Rows {
		return &tvmexport.Error{
			Op: "publish", Table: pub.Run.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity,
			Err:  fmt.Errorf("%d rows are in %s, but %d were confirmed (run %s)", rows, pub.Run.Table.Destination, pub.Rows, pub.Run.ID),
			Hint: "the run was not committed; run again, and if this repeats check for rows deleted from the landing table",
		}
	}
	announcePublished(h, pub.Run, rows)
	unread := mostUnread(pub.Unread, published.Unread)
	err = s.Commit(ctx, tvmexport.Commit{
		Run: pub.Run, Rows: rows, Bytes: pub.Bytes, Calls: pub.Calls, Partitions: pub.Partitions, Losses: pub.Losses, Effect: pub.Effect,
		Unread: unread, Unlike: pub.Unlike, Gap: pub.Gap,
	})
	if err != nil {
		return err
	}
	p.Run, p.Rows, p.Notes, p.Unread = pub.Run, rows, append(p.Notes, published.Notes...), unread
	p.TableRows, p.Growth = pub.Effect.TableRows, pub.Effect.Growth
	p.Gaps = addGap(p.Gaps, pub.Gap)
	announceCommitted(h, pub.Run, rows)
	return nil
}

// Publish implements Steps.
func (e *engine) Publish(ctx context.Context, p tvmexport.Publication) (tvmexport.Published, error) {
	return e.destination.Publish(ctx, p)
}
