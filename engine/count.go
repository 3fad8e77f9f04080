package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tvmexport/tvmexport"
)

// checkedCount asks a source for counts. It refuses impossible answers of every
// source.
func checkedCount(ctx context.Context, s tvmexport.Source, q tvmexport.CountQuery) (tvmexport.Counts, error) {
	source, ok := tvmexport.Ability[tvmexport.CountingSource](s)
	if !ok {
		return tvmexport.Counts{}, noCounts(q.Table.Name)
	}
	counts, err := source.Count(ctx, q)
	if err != nil {
		return counts, err
	}
	if why := impossible(counts, q); why != "" {
		return counts, invalidCount(q, why)
	}
	return counts, nil
}

// invalidCount is the error of a count that is no answer to its query.
func invalidCount(q tvmexport.CountQuery, why string) error {
	return &tvmexport.Error{
		Op: "count", Table: q.Table.Name, Action: tvmexport.Stop, Cause: tvmexport.Integrity, Err: fmt.Errorf("the count is invalid: %s", why),
		Hint: "the count was not used; run again, and if this repeats check for a proxy that changes answers",
	}
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
			return "the sum of its rows exceeds 64 bits"
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
			return "a part is outside the requested partition"
		case p.Partition.Depth() > q.Within.Depth()+q.Depth:
			return "a part is deeper than requested"
		case !p.Start.IsZero():
			return "a part is a time step, which was not requested"
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
			return "it has rows without a watermark, which belong to no window"
		case start.IsZero():
		case w.Null, !w.From.IsZero() && !start.Add(q.Bin-tvmexport.Tick).After(w.From), !w.To.IsZero() && start.After(w.To):
			return "a time step is outside the requested window"
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	for i := 1; i < len(starts); i++ {
		if starts[i].Sub(starts[i-1]) < q.Bin {
			return "two time steps have rows in common"
		}
	}
	return ""
}
