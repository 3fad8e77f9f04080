package tvmexport

import (
	"strings"
	"testing"
)

func TestNameable(t *testing.T) {
	for name, want := range map[string]bool{
		"DeviceId": true, "a b": true, "a.b-c_1": true, "1day": true, "where": true, "_x_": true, "Größe": true, strings.Repeat("x", 1024): true,
		"": false, " a": false, "a ": false, "a@b": false, "a:b": false, "a'b": false, `a"b`: false, "a/b": false, "a\nb": false, "a$b": false,
		"__a": false, "a__": false, strings.Repeat("x", 1025): false,
	} {
		if got := Nameable(name); got != want {
			t.Errorf("Nameable(%.40q) = %v, want %v", name, got, want)
		}
	}
}
