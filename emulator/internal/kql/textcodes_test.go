package kql

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// Each text has one code, its place in the order in which texts came first, regardless of the
// memory it was in and of how many there are.
func TestTextCodes(t *testing.T) {
	k := keyCodes{kind: value.String}
	want := map[string]uint64{}
	var buffer []byte
	for round := range 3 {
		for i := range 20_000 {
			text := fmt.Sprint(i * 7919 % 5000)
			switch {
			case i%5 == 0:
				text = strings.Repeat("é", i%300) + text
			case i%11 == 0:
				text = ""
			}
			if _, ok := want[text]; !ok {
				want[text] = uint64(len(want))
			}
			if got := k.of(value.NewString(text)); got != want[text] {
				t.Fatalf("round %d: code %d of a text, want %d", round, got, want[text])
			}
		}
		for text, code := range want { // in another order
			buffer = append(buffer[:0], text...)
			if got := k.of(value.NewString(string(buffer))); got != code {
				t.Fatalf("code %d of a text, want %d", got, code)
			}
		}
	}
	if len(k.values) != len(want) {
		t.Fatalf("%d values, want %d", len(k.values), len(want))
	}
	for text, code := range want {
		if k.values[code].Text() != text {
			t.Fatalf("the value of code %d is another text", code)
		}
	}
}

// A set of texts does not confuse a text with the one before it.
func TestMemberSetRemembersOneText(t *testing.T) {
	for _, fold := range []bool{false, true} {
		m := &memberSet{keys: map[string]struct{}{}, fold: fold}
		for _, in := range []string{"", "a", "run-1"} {
			m.keys[string(m.key(value.NewString(in)))] = struct{}{}
		}
		for _, c := range []struct {
			text string
			want bool
		}{{"", true}, {"", true}, {"b", false}, {"b", false}, {"a", true}, {"A", fold}, {"a", true}, {"run-2", false}, {"run-1", true}, {"RUN-1", fold}, {"", true}} {
			if got := m.has(value.NewString(c.text)); got != c.want {
				t.Errorf("fold %v: has(%q) is %v", fold, c.text, got)
			}
		}
	}
	numbers := &memberSet{keys: map[string]struct{}{}}
	numbers.keys[string(numbers.key(value.NewLong(0)))] = struct{}{}
	if !numbers.has(value.NewLong(0)) || numbers.has(value.NewLong(1)) || !numbers.has(value.NewLong(0)) {
		t.Error("numbers are confused")
	}
}
