package contract

import (
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

var readersCases = []contractCase{
	{"HourlyCounts", "OfTheWindow", hoursOfWindow},
	{"HourlyCounts", "OnlyWhatIsCommitted", hoursCommitted},
	{"CountMissing", "EqualRowsCountAsOften", lackingRows},
	{"CountMissing", "Nothing", lackingNothing},
	{"State", "ByPartition", stateByPartition},
	{"State", "ByHour", stateByHour},
	{"State", "WithinAPartition", stateWithin},
	{"State", "FingerprintsFollowTheRows", statePrints},
}

var contractDay = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

func event(at, device string) string {
	if at != "null" {
		at = `"2026-11-01T` + at + `Z"`
	}
	return `{"Timestamp":` + at + `,"DeviceId":"` + device + `"}`
}

func (h Harness) events() tvmexport.Slice {
	return tvmexport.Slice{Table: h.Events, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}, Window: tvmexport.Window{To: contractDay.Add(24 * time.Hour)}}
}

// byStart adds up counts by the beginning of their step.
func byStart(list []tvmexport.Count) map[string]int64 {
	out := map[string]int64{}
	for _, c := range list {
		at := "null"
		if !c.Start.IsZero() {
			at = c.Start.UTC().Format(time.DateTime)
		}
		out[at] += c.Rows
	}
	return out
}

func (h Harness) hours(t *testing.T, w tvmexport.Window) map[string]int64 {
	t.Helper()
	list, err := ability[tvmexport.LateRowCounter](t, h).HourlyCounts(t.Context(), h.Events, w)
	if err != nil {
		t.Fatal(err)
	}
	return byStart(list)
}

func same(t *testing.T, what string, got, want map[string]int64) {
	t.Helper()
	equal := len(got) == len(want)
	for k, n := range want {
		equal = equal && got[k] == n
	}
	if !equal {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func hoursOfWindow(t *testing.T, h Harness) {
	all := tvmexport.Window{From: contractDay.Add(-time.Hour), To: contractDay.Add(24 * time.Hour)}
	same(t, "an empty table", h.hours(t, all), nil)
	run := h.runOf(h.Events, "R1", "", tvmexport.DeltaRun)
	h.export(t, run, h.events(),
		event("00:10:00", "a"), event("00:10:00", "a"), event("00:59:59.9999999", "b"), event("01:00:00", "c"), event("05:30:00", "d"))
	for range 2 {
		same(t, "the day", h.hours(t, all), map[string]int64{"2026-11-01 00:00:00": 3, "2026-11-01 01:00:00": 1, "2026-11-01 05:00:00": 1})
	}
	same(t, "behind the first rows, up to the full hour",
		h.hours(t, tvmexport.Window{From: contractDay.Add(10 * time.Minute), To: contractDay.Add(time.Hour)}),
		map[string]int64{"2026-11-01 00:00:00": 1, "2026-11-01 01:00:00": 1})
	same(t, "an hour without rows", h.hours(t, tvmexport.Window{From: contractDay.Add(6 * time.Hour), To: contractDay.Add(7 * time.Hour)}), nil)
}

func hoursCommitted(t *testing.T, h Harness) {
	run := h.runOf(h.Events, "R1", "", tvmexport.DeltaRun)
	b, info := described(t, run, 1, h.events(), event("00:10:00", "a"))
	h.deliver(t, b, 1)
	p := publication(run, info)
	p.Layout, p.Columns, p.Shown = tvmexport.Both, h.Events.Columns, h.Events.Visible()
	h.publish(t, p)
	all := tvmexport.Window{From: contractDay.Add(-time.Hour), To: contractDay.Add(24 * time.Hour)}
	same(t, "published and not committed", h.hours(t, all), nil)
	if err := h.Destination.Commit(t.Context(), tvmexport.Commit{Run: run, Rows: 1, Partitions: p.Partitions}); err != nil {
		t.Fatal(err)
	}
	same(t, "committed", h.hours(t, all), map[string]int64{"2026-11-01 00:00:00": 1})
}

func lackingRows(t *testing.T, h Harness) {
	h.export(t, h.runOf(h.Events, "R1", "", tvmexport.DeltaRun), h.events(),
		event("00:10:00", "a"), event("00:10:00", "a"), event("00:20:00", "b"))
	run := h.runOf(h.Events, "R2", "R1", tvmexport.DeltaRun)
	s := h.events()
	s.Late, s.Window = true, tvmexport.Window{From: contractDay.Add(-tvmexport.Tick), To: contractDay.Add(time.Hour - tvmexport.Tick)}
	b, one := described(t, run, 1, s,
		event("00:10:00", "a"), event("00:10:00", "a"), event("00:10:00", "a"), event("00:20:00", "b"), event("00:30:00", "c"))
	h.deliver(t, b, 5)
	c, two := described(t, run, 2, s, event("00:20:00", "b"))
	h.deliver(t, c, 1)
	for range 2 {
		got, err := ability[tvmexport.LateRowCounter](t, h).CountMissing(t.Context(), run, []tvmexport.BatchInfo{one})
		if err != nil || got[one.ID] != 2 {
			t.Fatalf("one more of two equal rows and a new one: %v, %v, want 2", got, err)
		}
	}
	got, err := ability[tvmexport.LateRowCounter](t, h).CountMissing(t.Context(), run, []tvmexport.BatchInfo{two})
	if err != nil || got[two.ID] != 0 {
		t.Errorf("a row that readers see: %v, %v", got, err)
	}
}

func lackingNothing(t *testing.T, h Harness) {
	run := h.runOf(h.Events, "R1", "", tvmexport.DeltaRun)
	if got, err := ability[tvmexport.LateRowCounter](t, h).CountMissing(t.Context(), run, nil); err != nil || len(got) != 0 {
		t.Errorf("of no batches: %v, %v", got, err)
	}
	s := h.events()
	s.Late = true
	b, info := described(t, run, 1, s, event("00:10:00", "a"), event("00:10:00", "a"))
	h.deliver(t, b, 2)
	if got, err := ability[tvmexport.LateRowCounter](t, h).CountMissing(t.Context(), run, []tvmexport.BatchInfo{info}); err != nil || got[info.ID] != 2 {
		t.Errorf("two equal rows and an empty table: %v, %v, want 2", got, err)
	}
}

// state asks twice, and gives the rows by partition and the counts.
func (h Harness) state(t *testing.T, q tvmexport.CountQuery) (map[string]int64, []tvmexport.Count) {
	t.Helper()
	var out []tvmexport.Count
	for round := range 2 {
		list, err := ability[tvmexport.StateCounter](t, h).State(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if round > 0 && len(list) != len(out) {
			t.Fatalf("%d parts at first, then %d", len(out), len(list))
		}
		out = list
	}
	rows := map[string]int64{}
	for _, c := range out {
		rows[string(c.Partition)] += c.Rows
	}
	return rows, out
}

// parts exports rows of a Snapshot with several kinds of keys.
func (h Harness) parts(t *testing.T, id, previous string, keys ...string) {
	t.Helper()
	run := h.runOf(h.Table, id, previous, tvmexport.FullRun)
	rows := make([]string, len(keys))
	for i, k := range keys {
		rows[i] = `{"DeviceId":"` + k + `"}`
	}
	h.export(t, run, tvmexport.Slice{Table: h.Table, Partitions: []tvmexport.Partition{tvmexport.AllPartitions}}, rows...)
}

func stateByPartition(t *testing.T, h Harness) {
	q := tvmexport.CountQuery{Table: h.Table, Depth: 2, Fingerprints: true}
	got, _ := h.state(t, q)
	same(t, "an empty table", got, nil)
	h.parts(t, "R1", "", "3f01", "3f02", "3f02", "30", "3", "", "zz", "3G")
	got, _ = h.state(t, q)
	same(t, "by two digits", got, map[string]int64{"3f": 3, "30": 1, "3~": 2, "~": 2})
	q.Depth = 0
	got, _ = h.state(t, q)
	same(t, "as a whole", got, map[string]int64{"": 8})
}

func stateByHour(t *testing.T, h Harness) {
	h.export(t, h.runOf(h.Events, "R1", "", tvmexport.DeltaRun), h.events(), event("00:10:00", "a"), event("01:00:00", "b"), event("02:00:00", "c"))
	_, list := h.state(t, tvmexport.CountQuery{
		Table: h.Events, Bin: time.Hour, Fingerprints: true,
		Window: tvmexport.Window{From: contractDay, To: contractDay.Add(90 * time.Minute)},
	})
	same(t, "by hour", byStart(list), map[string]int64{"2026-11-01 00:00:00": 1, "2026-11-01 01:00:00": 1})
}

func stateWithin(t *testing.T, h Harness) {
	h.parts(t, "R1", "", "3f01", "3f02", "30", "3", "", "zz", "40")
	got, _ := h.state(t, tvmexport.CountQuery{Table: h.Table, Within: "3", Depth: 1, Fingerprints: true})
	same(t, "within 3", got, map[string]int64{"3f": 2, "30": 1, "3~": 1})
	got, _ = h.state(t, tvmexport.CountQuery{Table: h.Table, Within: "40", Depth: 1, Fingerprints: true})
	same(t, "within 40, a whole key", got, map[string]int64{"40~": 1})
	got, _ = h.state(t, tvmexport.CountQuery{Table: h.Table, Within: "5", Depth: 1, Fingerprints: true})
	same(t, "within 5, where nothing is", got, nil)
	got, _ = h.state(t, tvmexport.CountQuery{Table: h.Table, Depth: 2, Only: []tvmexport.Partition{"3f", "~"}, Fingerprints: true})
	same(t, "only 3f and the rest", got, map[string]int64{"3f": 2, "~": 2})
}

func statePrints(t *testing.T, h Harness) {
	q := tvmexport.CountQuery{Table: h.Table, Depth: 1, Fingerprints: true}
	prints := func() map[tvmexport.Partition]tvmexport.Fingerprint {
		_, list := h.state(t, q)
		out := map[tvmexport.Partition]tvmexport.Fingerprint{}
		for _, c := range list {
			out[c.Partition] = c.Fingerprint
		}
		return out
	}
	keys := []string{"3f01", "3f02", "3f02", "40"}
	h.parts(t, "R1", "", keys...)
	before := prints()
	slices.Reverse(keys)
	h.parts(t, "R2", "R1", keys...)
	for p, print := range prints() {
		if !print.Known || print != before[p] {
			t.Errorf("equal rows of %q in another order have another fingerprint: %v, before %v", p, print, before[p])
		}
	}
	h.parts(t, "R3", "R2", "3f01", "3f01", "3f02", "40")
	after := prints()
	if after["3"] == before["3"] {
		t.Error("as many rows, but others, have the same fingerprint")
	}
	if after["4"] != before["4"] {
		t.Error("the fingerprint of a part has changed, and its rows have not")
	}
}
