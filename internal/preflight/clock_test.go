package preflight

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWrongClock(t *testing.T) {
	now := time.Date(2026, 11, 28, 12, 0, 0, 500e6, time.UTC)
	date := func(d time.Duration) string { return now.Add(d).Format(http.TimeFormat) }
	places := []Place{{URL: "https://a.example"}, {URL: "https://b.example"}, {URL: "https://c.example"}}
	for _, tt := range []struct {
		name  string
		dates []string
		want  string // "" for no finding
	}{
		{"right", []string{date(0), date(time.Second), date(-time.Second)}, ""},
		{"within tolerance", []string{date(4 * time.Minute)}, ""},
		{"two hours behind", []string{date(2 * time.Hour), date(2*time.Hour + time.Second)}, "behind the time that a.example"},
		{"two hours ahead", []string{date(-2 * time.Hour), date(-2 * time.Hour)}, "ahead of the time that"},
		{"one server is wrong", []string{date(2 * time.Hour), date(0)}, ""},
		{"no dates", []string{"", "yesterday"}, ""},
	} {
		var clocks []clock
		for _, d := range tt.dates {
			clocks = append(clocks, readClock(d, now.Add(-50*time.Millisecond), now))
		}
		got := wrongClock(places, clocks)
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: %q, want nothing", tt.name, got[0].Text)
		case tt.want != "" && (len(got) != 1 || !strings.Contains(got[0].Text, tt.want) || got[0].Status != Warning):
			t.Errorf("%s: %v, want a warning with %q", tt.name, got, tt.want)
		}
	}
}
