package value_test

import (
	"testing"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

func TestParseDateTime(t *testing.T) {
	const sat = "2014-11-08T15:05:02.0000000Z"
	tests := []struct{ text, want string }{
		{"2014-05-25T08:20:03.123456Z", "2014-05-25T08:20:03.1234560Z"},
		{"2014-05-25T08:20:03.123456", "2014-05-25T08:20:03.1234560Z"},
		{"2014-05-25T08:20", "2014-05-25T08:20:00.0000000Z"},
		{"2014-11-08 15:55:55.123456Z", "2014-11-08T15:55:55.1234560Z"},
		{"2014-11-08 15:55:55", "2014-11-08T15:55:55.0000000Z"},
		{"2014-11-08 15:55", "2014-11-08T15:55:00.0000000Z"},
		{"2014-11-08", "2014-11-08T00:00:00.0000000Z"},
		{"Sat, 8 Nov 14 15:05:02 GMT", sat},
		{"Sat, 8 Nov 14 15:05:02", sat},
		{"Sat, 8 Nov 14 15:05 GMT", "2014-11-08T15:05:00.0000000Z"},
		{"8 Nov 14 15:05:02", sat},
		{"Saturday, 08-Nov-14 15:05:02 GMT", sat},
		{"08-Nov-14 15:05", "2014-11-08T15:05:00.0000000Z"},
		{"2014-11-08T15:05:02 GMT", sat},
		{"2024-02-29T23:59:59.9999999Z", "2024-02-29T23:59:59.9999999Z"},
		{"2020-01-01T00:00:00.123456789Z", "2020-01-01T00:00:00.1234567Z"},
		{"2020-01-01T02:00:00+02:00", "2020-01-01T00:00:00.0000000Z"},
		{"2020-01-01T00:00:00-0130", "2020-01-01T01:30:00.0000000Z"},
		{"0001-01-01", "0001-01-01T00:00:00.0000000Z"},
		{"9999-12-31T23:59:59.9999999", "9999-12-31T23:59:59.9999999Z"},
		{"2023-02-29", ""},
		{"2023-13-01", ""},
		{"2023-01-01T24:00:00", ""},
		{"0001-01-01T00:00:00+01:00", ""},
		{"yesterday", ""},
		{"", ""},
		{"42", ""},
	}
	for _, tt := range tests {
		v, ok := value.ParseDateTime(tt.text)
		if ok != (tt.want != "") || ok && v.String() != tt.want {
			t.Errorf("ParseDateTime(%q) = %v, %v, want %q", tt.text, v, ok, tt.want)
		}
	}
}

func TestDateTimeAgreesWithTime(t *testing.T) {
	for at := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 10000; at = at.Add(37*24*time.Hour + 12345678*time.Microsecond) {
		v := value.NewDateTime(at)
		if got, want := v.String(), at.Format("2006-01-02T15:04:05.0000000Z"); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if !v.Time().Equal(at) {
			t.Fatalf("Time() = %v, want %v", v.Time(), at)
		}
		back, ok := value.ParseDateTime(v.String())
		if !ok || back.Ticks() != v.Ticks() {
			t.Fatalf("ParseDateTime(%v) = %v, %v", v, back, ok)
		}
	}
	if v := value.NewDateTime(time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)); !v.IsNull() {
		t.Errorf("year 10000 is %v, want null", v)
	}
	if v := value.NewDateTime(time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC)); v.Ticks() != value.MaxDateTimeTicks {
		t.Errorf("the last datetime has %d ticks", v.Ticks())
	}
}

func TestParseTimeSpan(t *testing.T) {
	tests := []struct{ text, want string }{
		{"2d", "2.00:00:00"},
		{"1.5h", "01:30:00"},
		{"30m", "00:30:00"},
		{"10s", "00:00:10"},
		{"0.1s", "00:00:00.1000000"},
		{"100ms", "00:00:00.1000000"},
		{"10microsecond", "00:00:00.0000100"},
		{"1tick", "00:00:00.0000001"},
		{"15 seconds", "00:00:15"},
		{"2", "2.00:00:00"},
		{"0.12:34:56.7", "12:34:56.7000000"},
		{"1.02:03:04.5", "1.02:03:04.5000000"},
		{"-1.02:03:04.5", "-1.02:03:04.5000000"},
		{"00:01:00", "00:01:00"},
		{"12:34", "12:34:00"},
		{"1:02:03:04", "1.02:03:04"},
		{"24:00:00", ""},
		{"00:60:00", ""},
		{"1.5", ""},
		{"1x", ""},
		{"99999999999d", ""},
		{"", ""},
		{"-", ""},
	}
	for _, tt := range tests {
		v, ok := value.ParseTimeSpan(tt.text)
		if ok != (tt.want != "") || ok && v.String() != tt.want {
			t.Errorf("ParseTimeSpan(%q) = %v, %v, want %q", tt.text, v, ok, tt.want)
		}
	}
}

func TestString(t *testing.T) {
	guid, err := value.NewGUID("{74BE27DE-1E4E-49D9-B579-FE0B331D3642}")
	if err != nil {
		t.Fatal(err)
	}
	dec, err := value.NewDecimal("+001.50")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		v    value.Value
		want string
	}{
		{value.NewBool(true), "true"},
		{value.NewInt(-5), "-5"},
		{value.NewLong(9007199254740993), "9007199254740993"},
		{value.NewReal(1.5), "1.5"},
		{value.NewReal(10), "10.0"},
		{value.NewReal(1e15), "1E+15"},
		{value.NewReal(0.00001), "1E-05"},
		{value.NewReal(-123456789012345), "-123456789012345.0"},
		{dec, "1.50"},
		{guid, "74be27de-1e4e-49d9-b579-fe0b331d3642"},
		{value.NewTimeSpan(-1), "-00:00:00.0000001"},
		{value.NewTimeSpan(-1 << 63), "-10675199.02:48:05.4775808"},
		{value.Null(value.Long), ""},
		{value.NewDynamic(value.NewString("a\"b")), `a"b`},
		{value.NewDynamic(value.NewInt(1)), "1"},
		{value.Null(value.Dynamic), ""},
	}
	for _, tt := range tests {
		if got := tt.v.String(); got != tt.want {
			t.Errorf("%v: String() = %q, want %q", tt.v.Kind(), got, tt.want)
		}
	}
	if _, err := value.NewGUID("74be27de"); err == nil {
		t.Error("a short guid is accepted")
	}
	if _, err := value.NewDecimal("1.2.3"); err == nil {
		t.Error("1.2.3 is accepted as a decimal")
	}
}

func TestParseKind(t *testing.T) {
	for name, want := range map[string]value.Kind{
		"boolean": value.Bool, "int": value.Int, "System.Int64": value.Long, "double": value.Real, "date": value.DateTime,
		"time": value.TimeSpan, "uniqueid": value.GUID, "uuid": value.GUID, "decimal": value.Decimal, "dynamic": value.Dynamic, "String": value.String,
	} {
		if got, ok := value.ParseKind(name); !ok || got != want {
			t.Errorf("ParseKind(%q) = %v, %v, want %v", name, got, ok, want)
		}
	}
	if _, ok := value.ParseKind("text"); ok {
		t.Error("text is a kind")
	}
}

func FuzzParseDateTime(f *testing.F) {
	for _, s := range []string{"2014-05-25T08:20:03.123456Z", "Saturday, 08-Nov-14 15:05:02 GMT", "2014-11-08 +02:00", "1/2/2020 3:04:05 PM"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := value.ParseDateTime(text)
		if !ok {
			return
		}
		if v.IsNull() || v.Kind() != value.DateTime {
			t.Fatalf("ParseDateTime(%q) = %v of %v", text, v, v.Kind())
		}
		if back, ok := value.ParseDateTime(v.String()); !ok || back.Ticks() != v.Ticks() {
			t.Fatalf("%q reads as %v, which reads as %v, %v", text, v, back, ok)
		}
	})
}

func FuzzParseTimeSpan(f *testing.F) {
	for _, s := range []string{"1.02:03:04.5", "2.5h", "-7tick", "3", "1:02:03:04"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, ok := value.ParseTimeSpan(text)
		if !ok {
			return
		}
		if back, ok := value.ParseTimeSpan(v.String()); !ok || back.Ticks() != v.Ticks() {
			t.Fatalf("%q reads as %v, which reads as %v, %v", text, v, back, ok)
		}
	})
}
