package kusto

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A table that is altered while the columns of all tables are under way is read again:
// what is under way may be from before.
func TestColumnsAlteredWhileAllAreRead(t *testing.T) {
	const table = "DeviceTvmSoftwareInventoryTyped"
	d := sound()
	old, grown := []column{{"DeviceId", "string"}}, []column{{"DeviceId", "string"}, {"Extra", "dynamic"}}
	d.tables[table] = old
	alter := func() {}
	f := &fake{answer: func(text string) reply {
		r := d.serve(text)
		alter()
		return r
	}}
	c := f.connect(t)
	alter = func() {
		d.tables[table] = grown
		c.forget(softwareTable)
		alter = func() {}
	}
	if _, err := c.inventory(t.Context(), "fit", false); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as read, and as remembered
		got, err := c.columns(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(grown, got, cmp.AllowUnexported(column{})); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}
