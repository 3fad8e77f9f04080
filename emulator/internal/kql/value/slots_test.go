package value_test

import (
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// What Slots finds is what Field finds in each bag alone.
func TestSlots(t *testing.T) {
	var s value.Slots
	names := []string{"a", "b", "none", "", "q\"", "a"}
	var values []value.Value
	for _, text := range []string{
		`{"a":1}`, `{"a":1,"b":"x"}`, `{"a":"y","b":"z"}`, `{"b":"z","a":"y"}`, `{"a":1,"a":2,"b":true}`, `{"a":2,"c":[1],"b":null}`, `{}`,
		`{"a":"t","b":{"a":1}}`, `{"":7,"q\"":"\u0001\\"}`, `{"a":3}`, `[1]`, `"a"`, ``, `{"a":"2026-01-02T03:04:05Z","b":"2026-01-02T03:04:05.0000000Z"}`, `{"a":1.50,"b":false}`,
	} {
		values = append(values, value.DynamicJSON(text), value.DynamicJSONTyped(text))
	}
	values = append(values, value.NewBag([]value.Property{{Name: "b", Value: value.NewLong(4)}, {Name: "a", Value: value.NewString("z")}}))
	for range 2 {
		for _, v := range values {
			for use, name := range names {
				got, ok := s.Field(v, name, use)
				want, wantOK := v.Field(name)
				if ok != wantOK || ok && (got.String() != want.String() || got.Kind() != want.Kind() || got.IsNull() != want.IsNull()) {
					t.Errorf("Field(%v, %q) is %v, %t, want %v, %t", v, name, got, ok, want, wantOK)
				}
				text := ""
				if wantOK {
					text = want.String()
				}
				if got := s.Text(v, name, use); got != text {
					t.Errorf("Text(%v, %q) is %q, want %q", v, name, got, text)
				}
			}
		}
	}
}
