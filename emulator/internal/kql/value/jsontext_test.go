package value_test

import (
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// What is known of a text changes no answer, only its price.
func TestJSONString(t *testing.T) {
	deep := strings.Repeat("[", 999) + strings.Repeat("]", 999)
	tests := []struct {
		text   string
		isJSON bool
	}{
		{`{"b":1,"a":[null,true,"x\"y\u0001ä"],"b":2}`, true},
		{` [ 1.50, 1e3, -0, 1e400, 12345678901234567890 ] `, true},
		{`{"t":"2026-01-02T03:04:05Z"}`, true},
		{"[\"\xff\"]", true},
		{`[]`, true},
		{deep, true},
		{"[[" + deep + "]]", false},
		{`"text"`, false},
		{`7`, false},
		{`{"a":1`, false},
		{``, false},
	}
	for _, tt := range tests {
		s, ok := value.JSONString(value.DynamicJSON(tt.text))
		if ok != tt.isJSON || ok && !s.IsJSON() {
			t.Errorf("JSONString of %.40q is %v, %t, want %t", tt.text, s.IsJSON(), ok, tt.isJSON)
			continue
		}
		if !ok {
			continue
		}
		if s.Kind() != value.String || s.Text() != value.DynamicJSON(tt.text).String() {
			t.Errorf("JSONString of %.40q is %v %.40q", tt.text, s.Kind(), s.Text())
		}
		if got, want := value.ParseJSON(s), value.DynamicJSON(s.Text()); got != want {
			t.Errorf("ParseJSON of %.40q is %.40v, want %.40v", tt.text, got, want)
		}
		if v := value.NewDynamic(s); v.String() != s.Text() || string(v.AppendJSON(nil)) != string(value.NewDynamic(value.NewString(s.Text())).AppendJSON(nil)) {
			t.Errorf("the text of %.40q within a dynamic is %.40v", tt.text, v)
		}
	}
	times := value.DynamicJSONTyped(`{"t":"2026-01-02T03:04:05Z"}`)
	for _, v := range []value.Value{times, value.NewArray([]value.Value{times})} {
		if s, ok := value.JSONString(v); !ok || s.IsJSON() {
			t.Errorf("JSONString of %v, whose text could be read as another value: %t, %t", v, ok, s.IsJSON())
		}
	}
}
