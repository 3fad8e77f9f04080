package defender

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestCallWindows(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 30, 0, time.UTC)
	type call struct {
		after time.Duration // since start
		wait  int           // seconds of the refusal; 0 for admitted
		kind  string
	}
	for _, tt := range []struct {
		name   string
		q      Quota
		hourly bool
		calls  []call
	}{
		{"off", Quota{}, true, []call{{0, 0, ""}, {0, 0, ""}, {0, 0, ""}}},
		{"a minute, backwards from now", Quota{CallsPerMinute: 2}, false, []call{
			{0, 0, ""},
			{10 * time.Second, 0, ""},
			{20 * time.Second, 40, "minute"},
			{59*time.Second + 1, 1, "minute"},
			{60 * time.Second, 0, ""},
			{61 * time.Second, 9, "minute"},
			{70 * time.Second, 0, ""},
		}},
		{"a minute of the clock", Quota{CallsPerMinute: 2, FixedWindows: true}, false, []call{
			{0, 0, ""}, {10 * time.Second, 0, ""}, {20 * time.Second, 10, "minute"}, {30 * time.Second, 0, ""}, {31 * time.Second, 0, ""}, {32 * time.Second, 58, "minute"},
		}},
		{"an hour", Quota{CallsPerMinute: 45, CallsPerHour: 2}, true, []call{
			{0, 0, ""}, {0, 0, ""}, {time.Second, 3599, "hour"}, {time.Hour, 0, ""},
		}},
		{"an hour does not count elsewhere", Quota{CallsPerHour: 1}, false, []call{{0, 0, ""}, {0, 0, ""}}},
		{"a refusal uses nothing up", Quota{CallsPerMinute: 1}, false, []call{
			{0, 0, ""}, {50 * time.Second, 10, "minute"}, {60 * time.Second, 0, ""},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newCallWindows(tt.q, tt.hourly)
			for i, c := range tt.calls {
				got := call{after: c.after}
				if refused := w.Admit(start.Add(c.after)); refused != nil {
					got.wait, got.kind = refused.Seconds(), refused.Kind
				}
				if d := cmp.Diff(c, got, cmp.AllowUnexported(call{})); d != "" {
					t.Errorf("call %d: %s", i, d)
				}
			}
		})
	}
}

func TestCPUCycle(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	c := cpuCycle{budget: time.Minute, length: 15 * time.Minute}
	if c.admit(noon) != nil {
		t.Fatal("refused at the beginning")
	}
	c.spend(noon.Add(time.Minute), 59*time.Second)
	if c.admit(noon.Add(2*time.Minute)) != nil {
		t.Fatal("refused below the budget")
	}
	c.spend(noon.Add(2*time.Minute), time.Second)
	refused := c.admit(noon.Add(2 * time.Minute))
	if refused == nil || refused.Seconds() != 13*60 {
		t.Fatalf("got %+v, want 13 minutes", refused)
	}
	const want = "You have exceeded processing resources allocated to this tenant. You can run queries again in 780 seconds"
	if got := throttleMessage(refused); got != want {
		t.Errorf("got %q", got)
	}
	if c.admit(noon.Add(15*time.Minute)) != nil {
		t.Error("refused in the next cycle")
	}
}

func TestParseQuota(t *testing.T) {
	for name, want := range map[string]Quota{"documented": Documented(), "off": Off(), "OFF": Off()} {
		if got, err := ParseQuota(name); err != nil || got != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := ParseQuota("none"); err == nil {
		t.Error("an unknown name is accepted")
	}
}

func TestTimespan(t *testing.T) {
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	day := func(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }
	for _, tt := range []struct {
		text string
		want span
	}{
		{"P30D", span{now.AddDate(0, 0, -30), now}},
		{"P1W", span{now.AddDate(0, 0, -7), now}},
		{"PT12H", span{now.Add(-12 * time.Hour), now}},
		{"P1DT1H30M0.5S", span{now.Add(-25*time.Hour - 30*time.Minute - 500*time.Millisecond), now}},
		{"PT2592000S", span{now.AddDate(0, 0, -30), now}},
		{"P1M/2026-03-15", span{day(2026, 2, 15), day(2026, 3, 15)}},
		{"2026-01-01T00:00:00Z/P30D", span{day(2026, 1, 1), day(2026, 1, 31)}},
		{"2026-01-01T00:00:00Z/2026-02-01T00:00:00Z", span{day(2026, 1, 1), day(2026, 2, 1)}},
		{"2026-01-01T01:00:00+01:00", span{from: day(2026, 1, 1)}},
	} {
		if got, err := parseTimespan(tt.text, now); err != nil || !got.from.Equal(tt.want.from) || !got.to.Equal(tt.want.to) {
			t.Errorf("%s: got %v, %v, want %v", tt.text, got, err, tt.want)
		}
	}
	for _, text := range []string{"", "P", "P30", "30D", "PT", "P1H", "P1.5D", "P30D/P30D", "2026-02-01/2026-01-01", "yesterday", "P99999999D", "P1D/", "/P1D"} {
		if got, err := parseTimespan(text, now); err == nil {
			t.Errorf("%q: accepted as %v", text, got)
		}
	}
}

func FuzzTimespan(f *testing.F) {
	f.Add("P1Y2M3W4DT5H6M7.8S")
	f.Add("2026-01-01T00:00:00Z/P30D")
	now := time.Date(2026, 3, 31, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := parseTimespan(text, now)
		if err == nil && !got.to.IsZero() && got.to.Before(got.from) {
			t.Errorf("%q ends before it begins: %v", text, got)
		}
	})
}

func TestAcceptedEncoding(t *testing.T) {
	for _, tt := range []struct {
		header string
		offers []string
		want   string
	}{
		{"", []string{"gzip", "deflate"}, ""},
		{"gzip, deflate", []string{"gzip", "deflate"}, "gzip"},
		{"gzip, deflate", []string{"deflate", "gzip"}, "deflate"},
		{"gzip", []string{"deflate", "gzip"}, "gzip"},
		{"deflate;q=0.5, gzip;q=0.4", []string{"gzip", "deflate"}, "deflate"},
		{"gzip;q=0", []string{"gzip"}, ""},
		{"*", []string{"gzip", "deflate"}, "gzip"},
		{"identity", []string{"gzip"}, ""},
		{"*;q=0.1, gzip;q=0", []string{"gzip", "deflate"}, "deflate"},
		{"gzip;q=x", []string{"gzip"}, ""},
	} {
		if got := acceptedEncoding(tt.header, tt.offers...); got != tt.want {
			t.Errorf("%q of %v: got %q, want %q", tt.header, tt.offers, got, tt.want)
		}
	}
}

func TestManagementCommands(t *testing.T) {
	for text, want := range map[string]bool{
		".show tables":                   true,
		"\n // what is there\n\t.show x": true,
		"// .show":                       false,
		"DeviceInfo":                     false,
		"DeviceInfo | project .5":        false,
		"":                               false,
	} {
		if got := isManagementCommand(text); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
