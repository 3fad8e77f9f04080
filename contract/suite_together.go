package contract

import (
	"maps"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// jointCases are for a CountingSource that is a tvmexport.JointCounter too.
var jointCases = []sourceCase{
	{"CountTables", "AgreesWithCount", jointAgrees},
	{"CountTables", "TakesFewerCallsThanQueries", jointCalls},
	{"CountTables", "NoQueries", jointNone},
	{"CountTables", "OneFailureIsItsOwn", jointFailure},
	{"CountTables", "TheSameTableTwice", jointTwice},
	{"CountTables", "ACutAnswerIsNotBelieved", jointCut},
	{"CountTables", "ARepeatedRowIsNotBelieved", jointRepeated},
	{"CountTables", "EndedContext", jointEnded},
}

// queries are counts of both tables of the harness.
func (h SourceHarness) queries(t *testing.T) []tvmexport.CountQuery {
	all := times(h.rowsOf(t, h.Events.Name))
	w := tvmexport.Window{From: all[0].Add(-tvmexport.Tick), To: all[len(all)-1]}
	return []tvmexport.CountQuery{
		{Table: h.Table, Depth: 2, Fingerprints: true},
		{Table: h.Events, Window: w, Bin: time.Hour},
		{Table: h.Events, Depth: 1, Fingerprints: true},
	}
}

func (h SourceHarness) countTables(t *testing.T, list []tvmexport.CountQuery) []tvmexport.TableCounts {
	t.Helper()
	joint, _ := tvmexport.Ability[tvmexport.JointCounter](h.Source)
	got := joint.CountTables(t.Context(), list)
	if len(got) != len(list) {
		t.Fatalf("%d queries have %d results", len(list), len(got))
	}
	return got
}

// sameParts says whether two counts have the same parts, in any order.
func sameParts(a, b tvmexport.Counts) bool {
	type part struct {
		partition tvmexport.Partition
		start     int64
	}
	of := func(c tvmexport.Counts) map[part]tvmexport.Count {
		out := map[part]tvmexport.Count{}
		for _, p := range c.Parts {
			at := part{p.Partition, p.Start.UnixNano()}
			p.Start = time.Time{}
			out[at] = p
		}
		return out
	}
	return len(a.Parts) == len(b.Parts) && maps.Equal(of(a), of(b))
}

// agrees checks results against a count of each table by itself.
func (h SourceHarness) agrees(t *testing.T, list []tvmexport.CountQuery, got []tvmexport.TableCounts) {
	t.Helper()
	for i, q := range list {
		want := h.count(t, q)
		switch {
		case got[i].Err != nil:
			t.Errorf("query %d: %v", i, got[i].Err)
		case !sameParts(got[i].Counts, want), got[i].Now.IsZero():
			t.Errorf("query %d: counted %v, want %v", i, got[i].Counts, want)
		}
	}
}

func jointAgrees(t *testing.T, h SourceHarness) {
	list := h.queries(t)
	h.agrees(t, list, h.countTables(t, list))
	h.Change(t)
	h.agrees(t, list, h.countTables(t, list))
}

func jointCalls(t *testing.T, h SourceHarness) {
	list := h.queries(t)
	calls := 0
	for _, r := range h.countTables(t, list) {
		calls += r.Calls
	}
	if calls < 1 || calls >= len(list) {
		t.Errorf("%d queries took %d calls", len(list), calls)
	}
}

func jointNone(t *testing.T, h SourceHarness) { h.countTables(t, nil) }

func jointFailure(t *testing.T, h SourceHarness) {
	list := h.queries(t)
	unknown := tvmexport.CountQuery{Table: tvmexport.Table{Name: unknownTable, Key: h.Table.Key}, Depth: 1}
	mixed := []tvmexport.CountQuery{list[0], unknown, list[1], list[2]}
	got := h.countTables(t, mixed)
	if err := got[1].Err; tvmexport.CauseOf(err) != tvmexport.Rejected || tvmexport.ActionOf(err) != tvmexport.Stop {
		t.Errorf("the error of a table that does not exist is %v", err)
	}
	h.agrees(t, list, []tvmexport.TableCounts{got[0], got[2], got[3]})
}

func jointTwice(t *testing.T, h SourceHarness) {
	list := []tvmexport.CountQuery{{Table: h.Table, Depth: 1}, {Table: h.Table, Depth: 2}, {Table: h.Table, Depth: 1}}
	h.agrees(t, list, h.countTables(t, list))
}

func jointCut(t *testing.T, h SourceHarness) {
	list := h.queries(t)
	h.Corrupt(t, Cut)
	got := h.countTables(t, list)
	h.Corrupt(t, "") // nothing of it is left for the comparison
	h.agrees(t, list, got)
}

func jointRepeated(t *testing.T, h SourceHarness) {
	list := h.queries(t)
	h.Corrupt(t, Duplicated)
	got := h.countTables(t, list)
	h.Corrupt(t, "")
	h.agrees(t, list, got)
}

func jointEnded(t *testing.T, h SourceHarness) {
	joint, _ := tvmexport.Ability[tvmexport.JointCounter](h.Source)
	for i, r := range joint.CountTables(ended(t), h.queries(t)) {
		if r.Err == nil {
			t.Errorf("query %d has no error", i)
		}
	}
}
