package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// askCount asks a source for counts and refuses an answer that cannot be one,
// whatever the source is.
func askCount(ctx context.Context, s tvmexport.Source, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	counts, err := s.Count(ctx, q)
	if err != nil {
		return counts, err
	}
	if why := impossible(counts, q); why != "" {
		return counts, &tvmexport.Error{
			Op: "count", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Unproven, Err: fmt.Errorf("the count cannot be right: %s", why),
			Hint: "nothing was decided by it; run again, and if it repeats look for a proxy that changes answers",
		}
	}
	return counts, nil
}

// impossible says what shows that the counts are no answer to the query; "" if
// nothing does.
func impossible(c tvmexport.Counts, q tvmexport.CountQuery) string {
	var rows int64
	for _, p := range c.Parts {
		if p.Rows < 0 {
			return "a part has a negative number of rows"
		}
		if rows += p.Rows; rows < 0 {
			return "its rows add up to more than 64 bits hold"
		}
	}
	if q.Bin > 0 {
		return impossibleSteps(c.Parts, q)
	}
	return impossibleParts(c.Parts, q)
}

func impossibleParts(parts []tvmexport.Count, q tvmexport.CountQuery) string {
	list := make([]tvmexport.Partition, len(parts))
	for i, p := range parts {
		switch {
		case !p.Partition.Valid() || !q.Within.Holds(p.Partition):
			return "a part lies outside the partition that was asked for"
		case p.Partition.Depth() > q.Within.Depth()+q.Depth:
			return "a part is deeper than was asked for"
		case !p.Start.IsZero():
			return "a part is a step of time, where none was asked for"
		}
		list[i] = p.Partition
	}
	// A partition sorts before those in it: what holds the next one holds a neighbour.
	slices.SortFunc(list, func(a, b tvmexport.Partition) int { return strings.Compare(string(a), string(b)) })
	for i := 1; i < len(list); i++ {
		if list[i-1].Overlaps(list[i]) {
			return "two parts have rows in common"
		}
	}
	return ""
}

func impossibleSteps(parts []tvmexport.Count, q tvmexport.CountQuery) string {
	starts := make([]time.Time, len(parts))
	for i, p := range parts {
		w, start := q.Window, p.Start
		starts[i] = start
		switch {
		case start.IsZero() && !q.Nulls && !w.Null && w != (tvmexport.Window{}):
			return "it has rows without a watermark, which lie in no window"
		case start.IsZero():
		case w.Null, !w.From.IsZero() && !start.Add(q.Bin-tvmexport.Tick).After(w.From), !w.To.IsZero() && start.After(w.To):
			return "a step of time lies outside the window that was asked for"
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i := 1; i < len(starts); i++ {
		if starts[i].Sub(starts[i-1]) < q.Bin {
			return "two steps of time have rows in common"
		}
	}
	return ""
}

// unseen adds to the pieces of a Snapshot the partitions that readers see and
// that the plan does not show, to be asked for like the others: the answer to a
// fetch proves by a count of its own that they are gone, or brings their rows.
func (f *fetching) unseen(wanted []tvmexport.Partition) {
	run := f.plan.Run
	shown := make(map[tvmexport.Partition]bool, len(f.pieces))
	in := make(map[tvmexport.Partition]bool, len(f.pieces)) // partitions of which something is shown
	for _, p := range f.pieces {
		shown[run.Label(p.Partition)] = true
		for at, ok := p.Partition.Base(), true; ok && !in[at]; at, ok = at.Parent() {
			in[at] = true
		}
	}
	var out []Piece
	for _, p := range wanted {
		at := run.Label(p)
		if shown[at] || in[p.Base()] {
			continue
		}
		shown[at] = true
		out = append(out, Piece{Partition: at, Print: tvmexport.EmptyPrint, Ask: true})
	}
	f.remember(out)
	f.pieces = append(f.pieces, out...)
	slices.SortFunc(f.pieces, func(a, b Piece) int { return cmp.Compare(a.Partition, b.Partition) })
}

// untimed asks for the rows without a watermark where readers see some and the
// plan shows none.
func (f *fetching) untimed() {
	if slices.ContainsFunc(f.pieces, func(p Piece) bool { return p.Window.Null }) {
		return
	}
	if slices.ContainsFunc(f.plan.Known, func(k tvmexport.PartitionRecord) bool { return k.Window.Null && k.Rows > 0 }) {
		f.pieces = append(f.pieces, Piece{Window: tvmexport.Window{Null: true}, Ask: true})
	}
}

// quiet asks for the windows of a plan that shows no row at all: the new one,
// in a full run also the rows without a watermark, and the hours counted again
// in which readers see some.
func (f *fetching) quiet(recent tvmexport.Window, seen []tvmexport.Count) {
	if f.plan.Run.Kind == tvmexport.FullRun && !slices.ContainsFunc(f.pieces, func(p Piece) bool { return p.Window.Null }) {
		f.pieces = append(f.pieces, Piece{Window: tvmexport.Window{Null: true}})
	}
	if recent != (tvmexport.Window{}) && rowsOf(seen) > 0 && !slices.ContainsFunc(f.plan.Again, recent.Overlaps) {
		f.pieces = append([]Piece{{Window: recent, Late: true}}, f.pieces...)
	}
	insist(f.pieces)
}

// held are the partitions in which the last commit has rows.
func held(known []tvmexport.PartitionRecord) []tvmexport.Partition {
	var out []tvmexport.Partition
	for _, k := range known {
		if k.Rows > 0 && k.Window == (tvmexport.Window{}) {
			out = append(out, k.Partition)
		}
	}
	return out
}

// insist has all pieces asked for if none of them has rows: that a table is
// empty is not taken from its count alone.
func insist(pieces []Piece) {
	if slices.ContainsFunc(pieces, func(p Piece) bool { return p.Rows > 0 }) {
		return
	}
	for i := range pieces {
		pieces[i].Ask = true
	}
}
