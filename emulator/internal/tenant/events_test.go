package tenant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

var eventTables = []string{"DeviceInfo", "DeviceNetworkEvents", "DeviceProcessEvents"}

// events are the rows of an event table by the time of the event.
func events(t testing.TB, c kql.Catalog, name string) map[string]time.Time {
	t.Helper()
	r := relation(t, c, name)
	at := columnAt(t, r, "Timestamp")
	rows := map[string]time.Time{}
	for row, err := range r.Scan(t.Context(), kql.Request{}) {
		if err != nil {
			t.Fatal(err)
		}
		rows[line(row)] = row[at].Time()
	}
	return rows
}

// A day adds the events of 24 hours and takes those of 24 others.
func TestEventsByDay(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it takes several seconds; make test runs it")
	}
	x := tenant.New(options(40, 13))
	for _, name := range eventTables {
		if n := len(events(t, x.Catalog(), name)); n < 100 {
			t.Errorf("%s: %d events", name, n)
		}
	}
	for range 5 {
		edge := x.Edge()
		c := x.Catalog()
		x.Advance(1)
		if got := x.Edge().Sub(edge); got != 24*time.Hour {
			t.Fatalf("the edge moved by %v", got)
		}
		for _, name := range eventTables {
			before, after := events(t, c, name), events(t, x.Catalog(), name)
			oldest := edge.Add(-3 * 24 * time.Hour)
			kept, fresh := 0, 0
			for row, at := range after {
				switch _, known := before[row]; {
				case at.Before(oldest.Add(24*time.Hour)) || !at.Before(x.Edge()):
					t.Fatalf("%s: an event at %v is kept; the edge is %v", name, at, x.Edge())
				case known:
					kept++
				case at.Before(edge):
					t.Fatalf("%s: an event at %v is new; the edge was %v", name, at, edge)
				default:
					fresh++
				}
			}
			gone := 0
			for row, at := range before {
				if _, ok := after[row]; ok {
					continue
				}
				if gone++; !at.Before(oldest.Add(24 * time.Hour)) {
					t.Fatalf("%s: the event at %v is gone; the edge is %v", name, at, x.Edge())
				}
			}
			if kept == 0 || fresh == 0 || gone == 0 {
				t.Errorf("%s: %d events kept, %d new, %d gone", name, kept, fresh, gone)
			}
		}
	}
}

// No event is within the last hour or the first three hours of a day. Each is
// ingested minutes later.
func TestEventTimes(t *testing.T) {
	x := tenant.New(options(67, 13))
	for _, name := range eventTables {
		r := relation(t, x.Catalog(), name)
		at, in := columnAt(t, r, "Timestamp"), columnAt(t, r, kql.HiddenIngestionTime)
		seen := map[int64]int{}
		onEdge := 0
		for row := range r.Scan(t.Context(), kql.Request{}) {
			when := row[at].Time()
			if x.Now().Sub(when) < time.Hour {
				t.Fatalf("%s: an event at %v, now %v", name, when, x.Now())
			}
			if delay := row[in].Time().Sub(when); delay < time.Second || delay > 10*time.Minute {
				t.Fatalf("%s: ingested %v after the event", name, delay)
			}
			seen[row[at].Ticks()]++
			if when.Equal(x.Edge().Add((3-24)*time.Hour)) || when.Equal(x.Edge().Add((3-48)*time.Hour)) {
				onEdge++
			}
		}
		equal := 0
		for _, n := range seen {
			if n > 1 {
				equal++
			}
		}
		if equal == 0 || onEdge == 0 {
			t.Errorf("%s: %d times with several events, %d events at a day's beginning", name, equal, onEdge)
		}
	}
}

// Rates are those of a device of flesh and bone, over thirty days.
func TestEventRates(t *testing.T) {
	o := options(200, 1)
	o.RetentionDays, o.HistoryDays = 0, 30
	c := tenant.New(o).Catalog()
	for name, want := range map[string][2]int{
		"DeviceInfo": {30, 60}, "DeviceNetworkEvents": {22 * 30, 28 * 30}, "DeviceProcessEvents": {36 * 30, 44 * 30},
	} {
		n := 0
		for range relation(t, c, name).Scan(t.Context(), kql.Request{Need: []bool{}}) {
			n++
		}
		if n /= 200; n < want[0] || n > want[1] {
			t.Errorf("%s: %d rows a device, want %d to %d", name, n, want[0], want[1])
		}
	}
}

// The events of a device that left stay until they are too old, and those of
// one that joined begin with it.
func TestEventsOfRetired(t *testing.T) {
	x := tenant.New(options(150, 17))
	before := ids(t, x.Catalog(), assessment, "DeviceId")
	x.Advance(1)
	after := ids(t, x.Catalog(), assessment, "DeviceId")
	var left, joined []string
	for id := range before {
		if after[id] == 0 {
			left = append(left, id)
		}
	}
	for id := range after {
		if before[id] == 0 {
			joined = append(joined, id)
		}
	}
	if len(left) == 0 || len(joined) == 0 {
		t.Fatalf("%d devices left, %d joined", len(left), len(joined))
	}
	newest := func(id string) (first, last time.Time) {
		r := relation(t, x.Catalog(), "DeviceProcessEvents")
		at, device := columnAt(t, r, "Timestamp"), columnAt(t, r, "DeviceId")
		var times []time.Time
		for row := range r.Scan(t.Context(), kql.Request{Where: []kql.Condition{{Column: device, Prefixes: []string{id}}}}) {
			if row[device].Text() == id {
				times = append(times, row[at].Time())
			}
		}
		if len(times) == 0 {
			return time.Time{}, time.Time{}
		}
		slices.SortFunc(times, time.Time.Compare)
		return times[0], times[len(times)-1]
	}
	edge := x.Edge()
	if first, last := newest(left[0]); first.IsZero() || last.Before(edge.Add(-24*time.Hour)) {
		t.Errorf("events of a device that left today: %v to %v, the edge is %v", first, last, edge)
	}
	if first, _ := newest(joined[0]); first.Before(edge.Add(-24 * time.Hour)) {
		t.Errorf("the first event of a device that joined today: %v, the edge is %v", first, edge)
	}
	x.Advance(2)
	if _, last := newest(left[0]); last.IsZero() || !last.Before(edge) {
		t.Errorf("the last event of a device that left is at %v, want before %v", last, edge)
	}
	x.Advance(1)
	if first, _ := newest(left[0]); !first.IsZero() {
		t.Errorf("an event of a device that left is older than the retention: %v", first)
	}
}

// Whole numbers that a float64 cannot hold are among the events.
func TestReportID(t *testing.T) {
	c := tenant.New(options(5, 1)).Catalog()
	for _, name := range eventTables {
		r := relation(t, c, name)
		at := columnAt(t, r, "ReportId")
		large := 0
		for row := range r.Scan(t.Context(), kql.Request{}) {
			if n := row[at].Int64(); n < 0 {
				t.Fatalf("%s: ReportId %d", name, n)
			} else if n > 1<<53 && int64(float64(n)) != n {
				large++
			}
		}
		if large == 0 {
			t.Errorf("%s: no ReportId beyond a float64", name)
		}
	}
}
