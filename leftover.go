package tvmexport

import (
	"cmp"
	"slices"
	"time"
)

// Leftover is a batch that landed whole under a run that was never published:
// its process died, was stopped, or ran out of quota. The next run on the same
// base takes it over instead of asking for its rows again.
type Leftover struct {
	Batch BatchInfo
	Run   Origin
}

// Origin is what a landed batch says of the run that it was fetched for.
type Origin struct {
	ID         RunID     `json:"id"`
	Previous   RunID     `json:"previous"`
	Kind       RunKind   `json:"kind"`
	Depth      int       `json:"depth,omitempty"`
	Definition string    `json:"definition"`
	StartedAt  time.Time `json:"startedAt"`
	Tenant     string    `json:"tenant,omitempty"`
}

// Origin is what the run's batches and its commit record say of it.
func (r Run) Origin() Origin {
	return Origin{
		ID: r.ID, Previous: r.Previous, Kind: r.Kind, Depth: r.Depth,
		Definition: r.Table.Definition(), StartedAt: r.StartedAt, Tenant: r.Tenant,
	}
}

// resumable are the leftovers that a run may take over: built on the same
// base, of the same kind, of the table as it is defined now, and not older
// than age. Those of the newest run that left any decide the kind of cut.
func resumable(run Run, list []Leftover, age time.Duration) []Leftover {
	var out []Leftover
	definition := run.Table.Definition()
	for _, l := range list {
		o := l.Run
		if o.Previous == run.Previous && o.Kind == run.Kind && o.Definition == definition &&
			run.StartedAt.Sub(o.StartedAt) <= age {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b Leftover) int {
		return cmp.Or(-cmp.Compare(a.Run.ID, b.Run.ID), cmp.Compare(a.Batch.ID, b.Batch.ID))
	})
	if run.Table.LoadType == Snapshot && len(out) > 0 {
		// Rows carry the partition that they were landed under.
		depth := out[0].Run.Depth
		out = slices.DeleteFunc(out, func(l Leftover) bool { return l.Run.Depth != depth })
	}
	return out
}

// adopt divides what was planned into leftovers that bring a part of it, each
// row at most once, and the pieces that are still to be asked for.
func adopt(pieces []Piece, list []Leftover) (taken []BatchInfo, rest []Piece) {
	wanted := regionsOf(pieces)
	var covered []region
	for _, l := range list {
		mine := regionsOfSlice(l.Batch.Slice)
		if !slices.ContainsFunc(mine, func(r region) bool {
			return !r.insideAny(wanted) || slices.ContainsFunc(covered, r.overlaps)
		}) {
			taken = append(taken, l.Batch)
			covered = append(covered, mine...)
		}
	}
	if len(covered) == 0 {
		return nil, pieces
	}
	for _, p := range pieces {
		rest = append(rest, p.without(covered)...)
	}
	return taken, rest
}

// region is a set of rows: those of a partition within a window.
type region struct {
	window    Window
	partition Partition
	late      bool
}

func regionsOfSlice(s Slice) []region {
	out := make([]region, len(s.Partitions))
	for i, p := range s.Partitions {
		out[i] = region{s.Window, p, s.Late}
	}
	return out
}

// regionsOf are the regions of pieces, those that meet in time joined.
func regionsOf(pieces []Piece) []region {
	var out []region
	for _, p := range pieces {
		r := region{p.Window, p.Partition, p.Late}
		if n := len(out); n > 0 && r.follows(out[n-1]) {
			out[n-1].window.To = r.window.To
			continue
		}
		out = append(out, r)
	}
	return out
}

func (r region) follows(q region) bool {
	return r.late == q.late && r.partition == q.partition && !r.window.Null && !q.window.Null &&
		!q.window.To.IsZero() && q.window.To.Equal(r.window.From)
}

func (r region) insideAny(list []region) bool {
	return slices.ContainsFunc(list, func(q region) bool {
		return r.late == q.late && q.window.contains(r.window) && q.partition.holds(r.partition)
	})
}

func (r region) overlaps(q region) bool {
	return r.window.overlaps(q.window) && r.partition.overlaps(q.partition)
}

// without is what is left of a piece when regions are taken out of it. Its
// rows are spread evenly over what is left. It is an estimate, which must not say
// of any part that it has none: all of them may lie there, and what has no rows
// is not asked for.
func (p Piece) without(covered []region) []Piece {
	mine := region{p.Window, p.Partition, p.Late}
	var in []region
	for _, c := range covered {
		if mine.overlaps(c) {
			in = append(in, c)
		}
	}
	if len(in) == 0 {
		return []Piece{p}
	}
	var out []Piece
	for _, w := range p.Window.cutAt(in) {
		var parts []Partition
		for _, c := range in {
			if c.window.overlaps(w) {
				parts = append(parts, c.partition)
			}
		}
		for _, q := range p.Partition.without(parts) {
			out = append(out, Piece{Window: w, Partition: q, Late: p.Late, OneKey: p.OneKey})
		}
	}
	for i := range out {
		out[i].Rows = (p.Rows + int64(len(out)) - 1) / int64(len(out))
	}
	return out
}
