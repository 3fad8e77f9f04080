package tvmexport

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A column with a name that the destination refuses is no reason to fail: it is
// fetched, not shown, and a line says so, whatever becomes of new columns.
func TestRefusedNamesAreNotShown(t *testing.T) {
	live := []Column{{"DeviceId", "string"}, {"Risk@Score", "real"}, {"DeviceId", "string"}, {strings.Repeat("x", 2000), "long"}}
	for _, tt := range []struct {
		drift  Drift
		layout Layout
		last   *Committed
		says   string
	}{
		{Evolve, Both, nil, "kept in the records only"},
		{Evolve, TypedOnly, nil, "not exported, since the layout has no records"},
		{KeepInRaw, Both, &Committed{Columns: live[:1], Shown: live[:1]}, "kept in the records only"},
		{Freeze, Both, &Committed{Columns: live[:1], Shown: live[:1]}, "kept in the records only"},
	} {
		got, notes, err := meet(Table{Name: "T", Drift: tt.drift, Layout: tt.layout}, live, tt.last)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(live[:1], got.Visible()); d != "" {
			t.Errorf("%s: shown: %s", tt.drift, d)
		}
		if d := cmp.Diff(live[:1], got.Printed()); d != "" {
			t.Errorf("%s: in fingerprints: %s", tt.drift, d)
		}
		all := strings.Join(notes, "\n")
		if len(got.Columns) != 3 || strings.Count(all, tt.says) != 2 || !strings.Contains(all, `"Risk@Score"`) || !strings.Contains(all, "(2000 bytes)") || len(all) > 700 {
			t.Errorf("%s: %d columns, %s", tt.drift, len(got.Columns), all)
		}
	}
}
