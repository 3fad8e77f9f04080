package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/internal/config"
	"github.com/tvmexport/tvmexport/internal/wiring"
)

func TestScheduleLines(t *testing.T) {
	c := config.Default()
	c.Schedule = "0 */6 * * *"
	c.Serve.Schedules = map[string]string{"Nightly": "CRON_TZ=Europe/Berlin 30 3 * * *", "Never": "off"}
	timetable, err := wiring.Timetable(c)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 29, 18, 0, 0, 0, time.UTC)
	got := scheduleLines([]tvmexport.Order{
		{Table: "Daily", Active: true}, {Table: "Never", Active: true}, {Table: "Nightly", Active: true}, {Table: "Paused"},
	}, timetable, now)
	want := []scheduleLine{
		{"Daily", true, "0 */6 * * *", "2026-11-30T00:00:00Z"},
		{"Never", true, "off", ""},
		{"Nightly", true, "CRON_TZ=Europe/Berlin 30 3 * * *", "2026-11-30T02:30:00Z"},
		{"Paused", false, "0 */6 * * *", ""},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestSwitched(t *testing.T) {
	orders := []tvmexport.Order{{Table: "A", Active: true}, {Table: "B"}, {Table: "C", Active: true}}
	for _, tt := range []struct {
		tables        []string
		active        bool
		wanted, there []string
	}{
		{nil, true, nil, nil},
		{[]string{"A", "B"}, true, []string{"B"}, []string{"A"}},
		{[]string{"B", "A", "A"}, false, []string{"A"}, []string{"B"}},
		{[]string{"a", "D"}, false, nil, nil},
	} {
		wanted, there := switched(orders, tt.tables, tt.active)
		if d := cmp.Diff([][]string{tt.wanted, tt.there}, [][]string{wanted, there}); d != "" {
			t.Errorf("%v: %s", tt.tables, d)
		}
	}
}
