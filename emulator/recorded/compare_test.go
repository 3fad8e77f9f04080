package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		kind, want, got string
		same            bool
	}{
		{"Int64", "9007199254740993", "9007199254740993", true},
		{"Int64", "9007199254740993", "9007199254740992", false},
		{"Double", "0.1", "0.10000000000000002", true},
		{"Double", "0.1", "0.11", false},
		{"Double", `"-Infinity"`, `"-Infinity"`, true},
		{"Double", `"NaN"`, "null", false},
		{"SByte", "true", "1", true},
		{"SByte", "true", "0", false},
		{"SByte", "null", "false", false},
		{"DateTime", `"2018-07-01T00:00:00Z"`, `"2018-07-01T00:00:00.0000000Z"`, true},
		{"DateTime", `"2018-07-01T00:00:00Z"`, `"2018-07-01T00:00:00.0000001Z"`, false},
		{"TimeSpan", `"1.00:00:00"`, `"24:00:00"`, false},
		{"SqlDecimal", `"5"`, `"5.0"`, true},
		{"String", `""`, "null", false},
		{"Object", `{"a":[1,{"b":null}]}`, `{"a":[1,{"b":null}]}`, true},
		{"Object", `{"a":[1,{"b":null}]}`, `{"a":[1,{}]}`, false},
		{"Object", `"1"`, "1", false},
	} {
		if got := same(tt.kind, decode(t, tt.want), decode(t, tt.got)); got != tt.same {
			t.Errorf("%s: %s and %s are the same: %t, want %t", tt.kind, tt.want, tt.got, got, tt.same)
		}
	}
}

func TestCompareIgnoresTheOrderOfRowsOnly(t *testing.T) {
	a := answer{Columns: []string{"A"}, Types: []string{"Int64"}, Rows: [][]any{{json.Number("1")}, {json.Number("2")}}}
	b := answer{Columns: []string{"A"}, Types: []string{"Int64"}, Rows: [][]any{{json.Number("2")}, {json.Number("1")}}}
	c := answer{Columns: []string{"A"}, Types: []string{"Int64"}, Rows: [][]any{{json.Number("2")}, {json.Number("2")}}}
	if why := compare(a, b); why != "" {
		t.Error(why)
	}
	if compare(a, c) == "" || compare(a, answer{Columns: []string{"B"}, Types: a.Types, Rows: a.Rows}) == "" {
		t.Error("a difference was not seen")
	}
}
