package fingerprint

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport"
)

func plain(name string) string { return name }

func TestRow(t *testing.T) {
	got := Row([]tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "IsActive", Type: "bool"}, {Name: "Tags", Type: "dynamic"}}, plain)
	want := "hash_sha256(strcat(tostring(strlen(DeviceId)), ':', DeviceId, " +
		"tostring(strlen(tostring(tobool(IsActive)))), ':', tostring(tobool(IsActive)), " +
		"tostring(strlen(tostring(pack_array(Tags)))), ':', tostring(pack_array(Tags))))"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// No call of strcat has more arguments than it takes, and no column is left out.
func TestManyColumns(t *testing.T) {
	var columns []tvmexport.Column
	for i := range 100 {
		columns = append(columns, tvmexport.Column{Name: fmt.Sprintf("C%03d", i), Type: "long"})
	}
	got := Row(columns, plain)
	for _, c := range columns {
		if !strings.Contains(got, "tostring("+c.Name+")") {
			t.Fatalf("%s is left out", c.Name)
		}
	}
	for part := range strings.SplitSeq(got, "strcat(") {
		if n := strings.Count(part, "':'"); 3*n > mostArguments+2 {
			t.Errorf("a call has %d values: %.200s", n, part)
		}
	}
}

// The engine's hash of an empty text is empty: a key may be, a row's hash may not.
func TestEmptyTextsOfOneColumn(t *testing.T) {
	form := func(c string) string { return c }
	if got, want := Joined([]string{"CveId"}, form), "iff(isempty(CveId), '', hash_sha256(CveId))"; got != want {
		t.Errorf("key %s, want %s", got, want)
	}
	if got, want := JoinedRow([]string{"CveId"}, form), "hash_sha256(strcat(CveId, '|'))"; got != want {
		t.Errorf("row %s, want %s", got, want)
	}
	if got, want := Joined([]string{"A", "B"}, form), "hash_sha256(strcat(A, '|', B))"; got != want || JoinedRow([]string{"A", "B"}, form) != want {
		t.Errorf("two columns %s, want %s", got, want)
	}
}
