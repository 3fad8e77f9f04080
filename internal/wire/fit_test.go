package wire

import "testing"

func TestFits(t *testing.T) {
	tests := []struct {
		kind, value string
		want        bool
	}{
		{"string", `"x"`, true},
		{"string", `""`, true},
		{"string", `null`, true},
		{"string", `7`, false},
		{"string", `true`, false},
		{"string", `{}`, false},
		{"bool", `true`, true},
		{"bool", `false`, true},
		{"bool", `null`, true},
		{"bool", `1`, false},
		{"bool", `"true"`, false},
		{"int", `-7`, true},
		{"int", `7.0`, false},
		{"long", `9223372036854775807`, true},
		{"long", `1e3`, false},
		{"long", `"7"`, false},
		{"real", `10.0`, true},
		{"real", `1e-7`, true},
		{"real", `"NaN"`, true},
		{"real", `"-Infinity"`, true},
		{"real", `"x"`, false},
		{"decimal", `"0.1"`, true},
		{"decimal", `0.1`, true},
		{"guid", `"74be27de-1e4e-49d9-b579-fe0b331d3642"`, true},
		{"timespan", `"00:00:01"`, true},
		{"dynamic", `"x"`, true},
		{"dynamic", `7`, true},
		{"dynamic", `true`, true},
		{"dynamic", `{}`, false},
		{"dynamic", `[]`, false},
		{"", `"x"`, true},
		{"", `7`, true},
		{"", `{}`, false},
		{"datetime", `"2020-05-28T07:06:58.4340352Z"`, true},
		{"datetime", `"2026-07-19T21:46:29Z"`, true},
		{"datetime", `"2026-07-19T21:46:29.1Z"`, true},
		{"datetime", `"2026-07-19T21:46:29+02:00"`, true},
		{"datetime", `"2026-07-19T21:46:29.12345678Z"`, false},
		{"datetime", `"2026-07-19T21:46:29.Z"`, false},
		{"datetime", `"2026-13-19T21:46:29Z"`, false},
		{"datetime", `"2026-07-00T21:46:29Z"`, false},
		{"datetime", `"2026-07-19T24:00:00Z"`, false},
		{"datetime", `"2026-07-19T21:46:29"`, false},
		{"datetime", `"2026-07-19"`, false},
		{"datetime", `""`, false},
		{"datetime", `7`, false},
		{"datetime", `null`, true},
	}
	for _, tt := range tests {
		if got := Fits(tt.kind, []byte(tt.value)); got != tt.want {
			t.Errorf("Fits(%q, %s) = %v, want %v", tt.kind, tt.value, got, tt.want)
		}
	}
}
