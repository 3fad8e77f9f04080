package contract

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

var countCases = []sourceCase{
	{"Count", "PartitionsAddUp", countPartitions},
	{"Count", "PartitionsWithinAPartition", countWithin},
	{"Count", "OnlyTheNamedPartitions", countOnly},
	{"Count", "PartitionsByRowHashAddUp", countRowHash},
	{"Count", "HoursAddUp", countHours},
	{"Count", "WindowsAreHalfOpen", countHalfOpen},
	{"Count", "NoRows", countNone},
	{"Count", "FingerprintsFollowTheRows", countPrints},
	{"Count", "EndedContext", countEnded},
}

func countPartitions(t *testing.T, h SourceHarness) {
	for depth := 1; depth <= 2; depth++ {
		got := byPart(t, h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: depth}))
		if want := partsOf(h.rowsOf(t, h.Table.Name), depth, tvmexport.AllPartitions); !maps.Equal(got, want) {
			t.Errorf("depth %d: counted %v, want %v", depth, got, want)
		}
	}
}

func countWithin(t *testing.T, h SourceHarness) {
	rows := h.rowsOf(t, h.Table.Name)
	p := largest(rows)
	got := byPart(t, h.count(t, tvmexport.CountQuery{Table: h.Table, Within: p, Depth: 1}))
	if want := partsOf(rows, 2, p); !maps.Equal(got, want) {
		t.Errorf("within %q: counted %v, want %v", p, got, want)
	}
}

func countOnly(t *testing.T, h SourceHarness) {
	all := partsOf(h.rowsOf(t, h.Table.Name), 1, tvmexport.AllPartitions)
	only := slices.Sorted(maps.Keys(all))[:1]
	got := byPart(t, h.count(t, tvmexport.CountQuery{Table: h.Table, Depth: 1, Only: only}))
	if want := map[tvmexport.Partition]int64{only[0]: all[only[0]]}; !maps.Equal(got, want) {
		t.Errorf("only %v: counted %v, want %v", only, got, want)
	}
}

func countRowHash(t *testing.T, h SourceHarness) {
	rows := h.rowsOf(t, h.Table.Name)
	p := largest(rows)
	got, want := int64(0), partsOf(rows, 1, p)[p]
	for at, n := range byPart(t, h.count(t, tvmexport.CountQuery{Table: h.Table, Within: p.ByRowHash(), Depth: 1})) {
		if hash, ok := at.RowHash(); at.Base() != p || !ok || len(hash) != 1 {
			t.Errorf("the part %q is not one digit of the row hash below %q", at, p)
		}
		got += n
	}
	if got != want {
		t.Errorf("the parts of %q by row hash have %d rows, want %d", p, got, want)
	}
}

func countHours(t *testing.T, h SourceHarness) {
	rows := h.rowsOf(t, h.Events.Name)
	all := times(rows)
	w := tvmexport.Window{From: all[0].Add(-tvmexport.Tick), To: all[len(all)-1]}
	want := map[time.Time]int64{}
	for _, r := range rows {
		if !r.Time.IsZero() {
			want[r.Time.UTC().Truncate(time.Hour)]++
		}
	}
	if got := byHour(t, h.count(t, tvmexport.CountQuery{Table: h.Events, Window: w, Bin: time.Hour})); !maps.Equal(got, want) {
		t.Errorf("counted %v, want %v", got, want)
	}
}

func countHalfOpen(t *testing.T, h SourceHarness) {
	rows := h.rowsOf(t, h.Events.Name)
	all := times(rows)
	w := tvmexport.Window{From: all[0], To: all[len(all)/2]}
	got, want := int64(0), int64(0)
	for _, n := range byHour(t, h.count(t, tvmexport.CountQuery{Table: h.Events, Window: w, Bin: time.Hour})) {
		got += n
	}
	for _, r := range rows {
		if Within(w, r) {
			want++
		}
	}
	if got != want || want == 0 {
		t.Errorf("counted %d rows after the first moment and up to another one, want %d", got, want)
	}
}

func countNone(t *testing.T, h SourceHarness) {
	at := times(h.rowsOf(t, h.Events.Name))[0]
	w := tvmexport.Window{From: at.Add(-2 * time.Hour), To: at.Add(-time.Hour)}
	if got := byHour(t, h.count(t, tvmexport.CountQuery{Table: h.Events, Window: w, Bin: time.Hour})); len(got) != 0 {
		t.Errorf("counted %v before the first row", got)
	}
}

// content is what each partition of depth 1 holds.
func content(rows []Row) map[tvmexport.Partition][]string {
	out := map[tvmexport.Partition][]string{}
	for _, r := range rows {
		at := tvmexport.Of(r.Key, 1)
		out[at] = append(out[at], r.JSON)
	}
	for _, list := range out {
		slices.Sort(list)
	}
	return out
}

func countPrints(t *testing.T, h SourceHarness) {
	q := tvmexport.CountQuery{Table: h.Table, Depth: 1, Fingerprints: true}
	look := func() (map[tvmexport.Partition]tvmexport.Fingerprint, map[tvmexport.Partition][]string) {
		out := map[tvmexport.Partition]tvmexport.Fingerprint{}
		for _, p := range h.count(t, q).Parts {
			if !p.Fingerprint.Known {
				t.Skip("this source computes no fingerprints, which the contract allows (Fingerprint.Known is false)")
			}
			out[p.Partition] = p.Fingerprint
		}
		return out, content(h.rowsOf(t, h.Table.Name))
	}
	before, was := look()
	if again, _ := look(); !maps.Equal(before, again) {
		t.Errorf("two counts of the same rows have the fingerprints %v and %v", before, again)
	}
	h.Change(t)
	after, is := look()
	changed := 0
	for p := range is {
		same := slices.Equal(was[p], is[p])
		if !same {
			changed++
		}
		if before[p].Same(after[p]) != same {
			t.Errorf("%q: same rows %t, same fingerprint %t", p, same, before[p].Same(after[p]))
		}
	}
	if changed == 0 {
		t.Error("the harness has changed no row")
	}
}

func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func countEnded(t *testing.T, h SourceHarness) {
	if _, err := h.Source.Count(ended(t), tvmexport.CountQuery{Table: h.Table, Depth: 1}); err == nil {
		t.Error("a count succeeds though its context has ended")
	}
}
