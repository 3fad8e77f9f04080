package contract

import (
	"errors"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
)

// ConfigRow is a row of the configuration table, as an operator appends it.
type ConfigRow struct {
	Table, Into, Watermark, Load string
	From                         time.Time
	Active                       bool
}

var ordersCases = []contractCase{
	{"Orders", "NewestRowOfEachTable", ordersAreNewest},
	{"Orders", "RowThatCannotBeCarriedOut", orderWithError},
	{"Orders", "Defaults", orderDefaults},
	{"CheckTables", "TablesThatAreReady", readyTables},
	{"CheckTables", "TableThatIsNotThere", readyWithout},
}

// orders reads the orders, twice, and gives them by table.
func (h Harness) orders(t *testing.T) map[string]tvmexport.Order {
	t.Helper()
	first, err := h.Destination.Orders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.Destination.Orders(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(first) != len(second) {
		t.Fatalf("%d orders at first, then %d", len(first), len(second))
	}
	out := map[string]tvmexport.Order{}
	for _, o := range second {
		if _, twice := out[o.Table]; twice {
			t.Fatalf("%s has two orders", o.Table)
		}
		out[o.Table] = o
	}
	return out
}

// configure appends a row, later than what is there.
func (h Harness) configure(t *testing.T, row ConfigRow) {
	t.Helper()
	time.Sleep(time.Second)
	h.Configure(t, row)
}

func ordersAreNewest(t *testing.T, h Harness) {
	name := h.Table.Name
	if o := h.orders(t); len(o) != 2 || !o[name].Active || !o[h.Events.Name].Active || o[name].Into != h.Table.Destination {
		t.Fatalf("the orders of two active tables are %+v", o)
	}
	h.configure(t, ConfigRow{Table: name, Into: h.Table.Destination, Load: "Snapshot"})
	if o := h.orders(t); len(o) != 2 || o[name].Active || !o[h.Events.Name].Active {
		t.Fatalf("with %s switched off the orders are %+v", name, o)
	}
	from := time.Date(2026, 11, 1, 2, 3, 4, 0, time.UTC)
	h.configure(t, ConfigRow{Table: name, Into: "Other", Load: "Incr", Watermark: "Timestamp", From: from, Active: true})
	want := tvmexport.Order{Table: name, Into: "Other", Load: tvmexport.Incremental, Column: "Timestamp", From: from, Active: true}
	got := h.orders(t)[name]
	if got.From.Equal(from) {
		got.From = from
	}
	if got != want {
		t.Errorf("the newest row asks for %+v, want %+v", got, want)
	}
}

func orderWithError(t *testing.T, h Harness) {
	h.configure(t, ConfigRow{Table: h.Table.Name, Into: h.Table.Destination, Load: "Sideways", Active: true})
	h.configure(t, ConfigRow{Table: "Not a name;", Into: "SomethingRaw", Load: "Snapshot", Active: true})
	o := h.orders(t)
	for _, name := range []string{h.Table.Name, "Not a name;"} {
		if o[name].Err == nil {
			t.Errorf("%q can be carried out: %+v", name, o[name])
		}
	}
	if err := o[h.Events.Name].Err; err != nil {
		t.Errorf("the row of another table has failed with them: %v", err)
	}
}

func orderDefaults(t *testing.T, h Harness) {
	h.configure(t, ConfigRow{Table: "Plain", Watermark: "None", Active: true})
	want := tvmexport.Order{Table: "Plain", Into: "PlainRaw", Load: tvmexport.Snapshot, Active: true}
	if got := h.orders(t)["Plain"]; got != want {
		t.Errorf("a row with nothing but a name asks for %+v, want %+v", got, want)
	}
}

func readyTables(t *testing.T, h Harness) {
	for range 2 {
		failed, err := ability[tvmexport.TableChecker](t, h).CheckTables(t.Context(), []tvmexport.Table{h.Table, h.Events})
		if err != nil || len(failed) != 0 {
			t.Fatalf("tables that are ready: %v, %v", failed, err)
		}
	}
	if failed, err := ability[tvmexport.TableChecker](t, h).CheckTables(t.Context(), nil); err != nil || len(failed) != 0 {
		t.Fatalf("no tables: %v, %v", failed, err)
	}
}

func readyWithout(t *testing.T, h Harness) {
	absent := tvmexport.Table{Name: "Absent", Destination: "AbsentRaw", LoadType: tvmexport.Snapshot, Columns: h.Table.Columns}
	failed, err := ability[tvmexport.TableChecker](t, h).CheckTables(t.Context(), []tvmexport.Table{h.Table, absent, h.Events})
	if err != nil {
		t.Fatal(err)
	}
	var e *tvmexport.Error
	if len(failed) != 1 || !errors.As(failed["Absent"], &e) || e.Hint == "" {
		t.Errorf("a table that is not there, between two that are: %v", failed)
	}
}
