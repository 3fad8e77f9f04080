package policy

import (
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"365.00:00:00":         365 * 24 * time.Hour,
		"36500.00:00:00":       Unlimited,
		"01:30:05":             time.Hour + 30*time.Minute + 5*time.Second,
		"1.02:03:04.5000000":   26*time.Hour + 3*time.Minute + 4*time.Second,
		"00:00:00":             0,
		"":                     -1,
		"30d":                  -1,
		"99999999999.00:00:00": -1,
		"x.00:00:00":           -1,
	} {
		got, ok := Span(text)
		if !ok {
			got = -1
		}
		if got != want {
			t.Errorf("span(%q) = %v, want %v", text, got, want)
		}
		if ok && got%time.Second == 0 {
			if again, ok := Span(Dotted(got)); !ok || again != got {
				t.Errorf("span(dotted(%v)) = %v", got, again)
			}
		}
	}
	for d, want := range map[time.Duration]string{
		30 * 24 * time.Hour: "30d", 36 * time.Hour: "36h", 90 * time.Minute: "90m", 61 * time.Second: "61s",
	} {
		if got := Days(d); got != want {
			t.Errorf("days(%v) = %s, want %s", d, got, want)
		}
	}
}

func FuzzSpan(f *testing.F) {
	f.Add("365.00:00:00")
	f.Add("1.2:3:4.5")
	f.Fuzz(func(t *testing.T, text string) {
		if d, ok := Span(text); ok && d < 0 {
			t.Errorf("span(%q) = %v", text, d)
		}
	})
}
