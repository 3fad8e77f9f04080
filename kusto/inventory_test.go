package kusto

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tvmexport/tvmexport/kusto/conn/conntest"
	"github.com/tvmexport/tvmexport/kusto/kql"
)

// A table that is altered while the columns of all tables are under way is read again:
// what is under way may be from before.
func TestColumnsAlteredWhileAllAreRead(t *testing.T) {
	const table = "DeviceTvmSoftwareInventoryTyped"
	d := sound()
	old, grown := []kql.Column{{Name: "DeviceId", Kind: "string"}}, []kql.Column{{Name: "DeviceId", Kind: "string"}, {Name: "Extra", Kind: "dynamic"}}
	d.tables[table] = old
	alter := func() {}
	f := &conntest.Fake{Answer: func(text string) conntest.Reply {
		r := d.serve(text)
		alter()
		return r
	}}
	c := connect(t, f)
	alter = func() {
		d.tables[table] = grown
		c.ledger.Forget(softwareTable)
		alter = func() {}
	}
	if _, err := c.conn.Schema(t.Context(), "fit", false); err != nil {
		t.Fatal(err)
	}
	for range 2 { // as read, and as remembered
		got, err := c.conn.Columns(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(grown, got, cmp.AllowUnexported(kql.Column{})); d != "" {
			t.Errorf("(-want +got):\n%s", d)
		}
	}
}
