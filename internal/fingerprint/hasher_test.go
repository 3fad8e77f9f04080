package fingerprint

import (
	"crypto/sha256"
	"encoding/json"
	"testing"

	"github.com/tvmexport/tvmexport"
)

var columns = []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Score", Type: "real"}, {Name: "Tags", Type: "dynamic"}}

// The order and the spelling of members do not count; each value does.
func TestRowsOfOneContent(t *testing.T) {
	want := Digest(sha256.Sum256([]byte("2:aü3:7.09:[[\"x\",1]]")))
	for _, row := range []string{
		`{"DeviceId":"aü","Score":7,"Tags":["x",1]}`, `{"Tags":[ "x", 1 ],"Score":7.0,"DeviceId":"a\u00fc"}`,
		`{"New":{"a":["}",{}]},"DeviceId":"aü","Score":"7","Tags":["\u0078",1]}`,
	} {
		got, err := NewHasher(columns, "").Row([]byte(row))
		if err != nil || got != want {
			t.Errorf("%s: %x, %v, want %x", row, got, err, want)
		}
	}
	if f := want.Fingerprint(); !f.Known || f.Sums[0] != int64(want[0])<<32|int64(want[1])<<24|int64(want[2])<<16|int64(want[3])<<8|int64(want[4]) {
		t.Errorf("the fingerprint is %s", f)
	}
}

// A value that does not fit is counted with its column, and a change of it is noticed.
func TestOddValues(t *testing.T) {
	h := NewHasher(columns, "")
	a, _ := h.Row([]byte(`{"DeviceId":"a","Score":"high"}`))
	if odd := h.Odd(); len(odd) != 1 || odd[0].Name != "Score" {
		t.Errorf("odd columns %v", odd)
	}
	if b, _ := h.Row([]byte(`{"DeviceId":"a","Score":"low"}`)); a == b {
		t.Error("two values have one hash")
	}
	if h.Row([]byte(`{"DeviceId":"a","Score":null}`)); len(h.Odd()) != 0 {
		t.Errorf("odd columns %v of a row that fits", h.Odd())
	}
}

func TestWatchedColumn(t *testing.T) {
	h := NewHasher(columns, "At")
	if _, err := h.Row([]byte(`{"DeviceId":"a","At":"2026-11-20T06:00:00Z"}`)); err != nil {
		t.Fatal(err)
	}
	at, ok := JSONMoment(h.Watched())
	if !ok || at.Hour() != 6 {
		t.Errorf("the watched value is %s, %t", at, ok)
	}
	if _, err := h.Row([]byte(`{"DeviceId":"a"}`)); err != nil || h.Watched() != nil {
		t.Errorf("of a row without it: %q, %v", h.Watched(), err)
	}
}

// What is no object is an error, never a panic; each object that encoding/json reads is
// read here.
func FuzzHasher(f *testing.F) {
	for _, row := range []string{`{"DeviceId":"a","Score":7,"Tags":[1,{"a":"\\"}]}`, `{"a`, `{"a":"\`, `[]`, ``, `{"DeviceId":{}}x`, `{"Score":-}`, `{"a\u0062":1}`} {
		f.Add([]byte(row))
	}
	f.Fuzz(func(t *testing.T, row []byte) {
		_, err := NewHasher(columns, "At").Row(row)
		var object map[string]json.RawMessage
		if json.Unmarshal(row, &object) == nil && object != nil && err != nil {
			t.Errorf("%q: %v", row, err)
		}
	})
}
