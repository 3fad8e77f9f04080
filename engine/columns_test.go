package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tvmexport/tvmexport"
)

// A column whose name the destination refuses does not fail the run. In every way
// to handle new columns it is fetched, not shown, and reported in a line.
func TestRefusedNamesAreNotShown(t *testing.T) {
	live := []tvmexport.Column{{Name: "DeviceId", Type: "string"}, {Name: "Risk@Score", Type: "real"}, {Name: "DeviceId", Type: "string"}, {Name: strings.Repeat("x", 2000), Type: "long"}}
	for _, tt := range []struct {
		drift  tvmexport.Drift
		layout tvmexport.Layout
		last   *tvmexport.Committed
		says   string
	}{
		{tvmexport.Evolve, tvmexport.Both, nil, "kept in the records only"},
		{tvmexport.Evolve, tvmexport.TypedOnly, nil, "not exported, because the layout has no records"},
		{tvmexport.KeepInRaw, tvmexport.Both, &tvmexport.Committed{Columns: live[:1], Shown: live[:1]}, "kept in the records only"},
		{tvmexport.Freeze, tvmexport.Both, &tvmexport.Committed{Columns: live[:1], Shown: live[:1]}, "kept in the records only"},
	} {
		got, notes, err := reconcileSchema(tvmexport.Table{Name: "T", Drift: tt.drift, Layout: tt.layout}, live, tt.last)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(live[:1], got.Visible()); d != "" {
			t.Errorf("%s: shown: %s", tt.drift, d)
		}
		if d := cmp.Diff(live[:1], got.FingerprintColumns()); d != "" {
			t.Errorf("%s: in fingerprints: %s", tt.drift, d)
		}
		all := strings.Join(notes, "\n")
		if len(got.Columns) != 3 || strings.Count(all, tt.says) != 2 || !strings.Contains(all, `"Risk@Score"`) || !strings.Contains(all, "(2000 bytes)") || len(all) > 700 {
			t.Errorf("%s: %d columns, %s", tt.drift, len(got.Columns), all)
		}
	}
}
