package kql

import (
	"errors"
	"strings"
	"testing"
)

// TestConstructs finds each construct in the state that its list says.
func TestConstructs(t *testing.T) {
	seen := map[Construct]bool{}
	for _, c := range Constructs() {
		if seen[c] {
			t.Errorf("%s %s is listed twice", c.Kind, c.Name)
		}
		seen[c] = true
		query := map[string]string{
			"operator": "print x = 1 | NAME", "plugin": "print x = 1 | evaluate NAME()", "aggregate": "print x = 1 | summarize NAME()",
			"function": "print NAME()",
		}[c.Kind]
		if strings.Contains(" datatable print range external_table externaldata ", " "+c.Name+" ") {
			query = "NAME(x:long) [1]"
		}
		if c.Name == "macro-expand" { // a catalog without databases cannot answer it
			continue
		}
		query = strings.ReplaceAll(query, "NAME", c.Name)
		_, err := Compile(query, Environment{Principal: "aadapp=a;b"})
		var e *Error
		if errors.As(err, &e) != (err != nil) {
			t.Fatalf("%s: %v", query, err)
		}
		unsupported := err != nil && e.Kind == Unsupported && strings.Contains(e.Message, c.Name) && strings.Contains(e.Message, "is not supported here")
		unknown := err != nil && (strings.Contains(e.Message, "operator expected") || strings.Contains(e.Message, "Unknown function"))
		if c.Refused != unsupported || unknown {
			t.Errorf("%s: %v; refused by name is %t", query, err, c.Refused)
		}
	}
	if len(seen) < 400 {
		t.Errorf("%d constructs are listed", len(seen))
	}
}
