package schedule_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/internal/serve/schedule"
)

// What cron expressions mean, field by field: the next fires after
// 2026-11-23T10:17Z, a Monday.
func TestFieldsOfExpressions(t *testing.T) {
	tests := []struct{ text, want string }{
		{"* * * * *", "2026-11-23T10:18"},
		{"? ? ? ? ?", "2026-11-23T10:18"},
		{"5/20 * * * *", "2026-11-23T10:25"},
		{"*/7 * * * *", "2026-11-23T10:21"},
		{"10-40/15 * * * *", "2026-11-23T10:25"},
		{"*/100 * * * *", "2026-11-23T11:00"},
		{"*-5 * * * *", "2026-11-23T10:18"},
		{"1,,5 * * * *", "2026-11-23T11:01"},
		{"05 +7 * * *", "2026-11-24T07:05"},
		{"0 0 * JAN *", "2027-01-01T00:00"},
		{"0 0 1 jan-mar/2 *", "2027-01-01T00:00"},
		{"0 0 * * Sun", "2026-11-29T00:00"},
		{"0 0 * * 7", "2026-11-29T00:00"},
		{"0 0 * * 5-7", "2026-11-27T00:00"},
		{"0 0 * * 6/2", "2026-11-28T00:00"},
		{"0 0 * * fri-sun", "2026-11-27T00:00"},
		{"0 0 13 * FRI", "2026-11-27T00:00"}, // one of both
		{"0 0 13 * *", "2026-12-13T00:00"},
		{"0 0 13 * */1", "2026-12-13T00:00"},
		{"0 0 31 * *", "2026-12-31T00:00"},
		{"0 0 29 2 *", "2028-02-29T00:00"},
		{"@yearly", "2027-01-01T00:00"},
		{"@annually", "2027-01-01T00:00"},
		{"@monthly", "2026-12-01T00:00"},
		{"@weekly", "2026-11-29T00:00"},
		{"@daily", "2026-11-24T00:00"},
		{"@midnight", "2026-11-24T00:00"},
		{"@hourly", "2026-11-23T11:00"},
		{"@Hourly", "2026-11-23T11:00"},
		{"TZ=Asia/Kathmandu @hourly", "2026-11-23T10:15"}, // 16:00 there
		{"CRON_TZ=Asia/Tokyo   0 9 * * *", "2026-11-24T00:00"},
		{"TZ=UTC @every 1h30m", "2026-11-23T11:47"},
		{"  0  12  *\t*  *  ", "2026-11-23T12:00"},
	}
	for _, tt := range tests {
		from := time.Date(2026, 11, 23, 10, 17, 0, 0, time.UTC)
		if tt.text == "TZ=Asia/Kathmandu @hourly" {
			from = from.Add(-10 * time.Minute)
		}
		if got := parse(t, tt.text).Next(from).Format("2006-01-02T15:04"); got != tt.want {
			t.Errorf("%q: next is %s, want %s", tt.text, got, tt.want)
		}
	}
	for _, text := range []string{
		", * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *", "* * * 13 *", "* * * foo *", "* * * * 8", "5-1 * * * *",
		"1-2-3 * * * *", "1/2/3 * * * *", "*/0 * * * *", "*/x * * * *", "-1 * * * *", "1- * * * *", "/5 * * * *", "99999999999999999999 * * * *",
		"0 0 31 2,4,6,9,11 *", "* * * * * *", "@every 0s", "@every -5m", "@reboot", "@daily x", "TZ=Europe/Berlin",
	} {
		if s, err := schedule.Parse(text); err == nil {
			t.Errorf("%q is accepted as %s", text, s)
		}
	}
	if next := parse(t, "0 0 29 2 *").Next(time.Date(2097, 1, 1, 0, 0, 0, 0, time.UTC)); next.Year() != 2104 {
		t.Errorf("after the year 2100, which has no 29 February, the next is %s", next)
	}
}
