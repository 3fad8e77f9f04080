package takeover

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/kusto/kql"
	"github.com/tvmexport/tvmexport/kusto/ledger"
)

var softwareTable = tvmexport.Table{
	Name: "DeviceTvmSoftwareInventory", Destination: "DeviceTvmSoftwareInventoryRaw", LoadType: tvmexport.Snapshot,
	Columns: []tvmexport.Column{
		{Name: "DeviceId", Type: "string"},
		{Name: "EndOfSupportDate", Type: "datetime"},
		{Name: "IsOld", Type: "bool"},
		{Name: "Count", Type: "long"},
		{Name: "Score", Type: "real"},
		{Name: "CveTags", Type: "dynamic"},
	},
}

var (
	eventsTable = tvmexport.Table{
		Name: "DeviceProcessEvents", Destination: "DeviceProcessEventsRaw", LoadType: tvmexport.Incremental, Watermark: "Timestamp",
		Columns: []tvmexport.Column{{Name: "Timestamp", Type: "datetime"}, {Name: "DeviceId", Type: "string"}},
	}

	oldDay   = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	describe = func(name string) (tvmexport.Table, bool) {
		for _, t := range []tvmexport.Table{softwareTable, eventsTable} {
			if t.Name == name {
				return t, true
			}
		}
		return tvmexport.Table{}, false
	}
)

// TestProposeAndDecide: how a table is exported from now on, from where, and
// what becomes of its old rows.
func TestProposeAndDecide(t *testing.T) {
	found := Takeover{Rows: 10, Newest: oldDay, To: oldDay.AddDate(0, 0, 1)}
	type want struct {
		Load        tvmexport.LoadType
		Column      string
		Watermark   time.Time
		Joined, New bool
		Note        string
	}
	for _, c := range []struct {
		name   string
		row    ledger.Configured
		listed string
		change func(*Takeover)
		ours   bool
		want   want
	}{
		{
			"an event table",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Refreshed: oldDay, Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Incremental, "Timestamp", oldDay, true, false, ""},
		},
		{
			"what was noted first had not all landed",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Full", Refreshed: oldDay.Add(time.Hour), Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.FullThenIncr, "Timestamp", oldDay, true, false, ""},
		},
		{
			"what was noted is older",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Refreshed: oldDay.Add(-time.Hour), Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Incremental, "Timestamp", oldDay.Add(-time.Hour), true, false, ""},
		},
		{
			"nothing was noted",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Incremental, "Timestamp", oldDay, true, false, ""},
		},
		{
			"a clock was wrong",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Active: true},
			kql.ConfigurationTable,
			func(t *Takeover) { t.Newest = t.Newest.AddDate(10, 0, 0) }, false,
			want{tvmexport.Incremental, "Timestamp", oldDay.AddDate(0, 0, 1), true, false, ""},
		},
		{
			"ingestion_time() of a table that has a time",
			ledger.Configured{Source: eventsTable.Name, Watermark: "None", Load: "Incr", Refreshed: oldDay.Add(-time.Hour), Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Incremental, "Timestamp", oldDay, true, true, "becomes Timestamp"},
		},
		{
			"ingestion_time() of an unknown table",
			ledger.Configured{Source: "NewEvents", Watermark: "None", Load: "Incr", Refreshed: oldDay.Add(-time.Hour), Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Incremental, tvmexport.IngestionTime, oldDay.Add(-time.Hour), true, false, ""},
		},
		{
			"a state",
			ledger.Configured{Source: softwareTable.Name, Watermark: "None", Load: "Incr", Refreshed: oldDay, Active: true},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Snapshot, "", time.Time{}, false, true, "LoadType Incr becomes Snapshot"},
		},
		{
			"of the sibling",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Full", Refreshed: oldDay, Active: true},
			siblingTable, nil, false,
			want{tvmexport.FullThenIncr, "Timestamp", oldDay, true, true, ""},
		},
		{
			"no rows and nothing noted",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Active: true},
			kql.ConfigurationTable,
			func(t *Takeover) { t.Rows, t.Newest, t.To = 0, time.Time{}, time.Time{} }, false,
			want{tvmexport.Incremental, "Timestamp", time.Time{}, false, false, ""},
		},
		{
			"rows without a watermark",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Active: true},
			kql.ConfigurationTable,
			func(t *Takeover) { t.Newest, t.Unmarked = time.Time{}, 10 }, false,
			want{tvmexport.Incremental, "Timestamp", time.Time{}, false, false, "no old row has a watermark"},
		},
		{
			"exported by us already",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Refreshed: oldDay, Active: true},
			kql.ConfigurationTable, nil, true,
			want{tvmexport.Incremental, "Timestamp", oldDay, false, false, "has already exported it"},
		},
		{
			"switched off",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Refreshed: oldDay},
			kql.ConfigurationTable, nil, false,
			want{tvmexport.Incremental, "Timestamp", oldDay, true, false, "deactivated"},
		},
		{
			"without a time of ingestion",
			ledger.Configured{Source: eventsTable.Name, Watermark: "Timestamp", Load: "Incr", Refreshed: oldDay, Active: true},
			kql.ConfigurationTable,
			func(t *Takeover) { t.Untimed = 3 }, false,
			want{tvmexport.Incremental, "Timestamp", oldDay, true, false, "3 old rows have no ingestion_time()"},
		},
		{
			"taken over before",
			ledger.Configured{Source: softwareTable.Name, Watermark: "None", Load: "Incr", Active: true},
			kql.ConfigurationTable,
			func(t *Takeover) { t.Since = oldDay }, false,
			want{tvmexport.Snapshot, "", time.Time{}, false, false, "was taken over at 2026-11-20T00:00:00Z"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := ledger.Order(c.row)
			x := found
			x.Listed, x.Old, x.Loads = c.listed, o, c.row.Load
			x.Table = tvmexport.Table{Name: o.Table, Destination: o.Into, LoadType: o.Load, Watermark: o.Column}
			if c.change != nil {
				c.change(&x)
			}
			x.propose(describe)
			x.decide(c.ours)
			notes := strings.Join(x.Notes, "\n")
			got := want{x.Table.LoadType, x.Table.Watermark, x.Watermark, x.Joined, x.Reconfigure, c.want.Note}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if !strings.Contains(notes, c.want.Note) || c.want.Note == "" && notes != "" {
				t.Errorf("notes %q, want %q", notes, c.want.Note)
			}
		})
	}
}

func TestCompareAndGaps(t *testing.T) {
	day := func(n int) time.Time { return oldDay.AddDate(0, 0, n) }
	days := []LegacyDay{
		{Day: day(0), Rows: 5, Source: tvmexport.Missing},
		{Day: day(-1), Rows: 5, Source: tvmexport.Missing},
		{Day: day(-4), Rows: 1, Source: tvmexport.Missing},
		{Rows: 2, Source: tvmexport.Missing}, // without a watermark
	}
	if diff := cmp.Diff([]tvmexport.Window{{From: day(-3), To: day(-1)}}, Gaps(days)); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	got := Compare(days, []tvmexport.Count{
		{Start: day(0).Add(3 * time.Hour), Rows: 4},
		{Start: day(0).Add(5 * time.Hour), Rows: 4},
		{Start: day(-2).Add(5 * time.Hour), Rows: 6},
		{Rows: 9}, // without a watermark
	}, map[time.Time]int64{day(0).Add(3 * time.Hour): 5, day(0).Add(5 * time.Hour): 1})
	want := []LegacyDay{
		{Day: day(0), Rows: 5, Source: 8, Lost: 3},
		{Day: day(-1), Rows: 5, Source: tvmexport.Missing},
		{Day: day(-2), Source: 6, Lost: 6},
		{Day: day(-4), Rows: 1, Source: tvmexport.Missing},
		{Rows: 2, Source: tvmexport.Missing},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
}
